/* SPDX-License-Identifier: Apache-2.0 */
/* place.c - put the plan's segments into guest RAM. */
#include "runner/vmm/place.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"

#define PAGE_MASK 4095ull

/** span_of() - the host mapping of a segment's memory; it lies on one side of
 * the gap (plan_check()). */
static int span_of(const struct vm *vm, const struct plan_segment *seg,
		   uint8_t **ret_hva)
{
	struct iovec iov;
	int err = gm_iov(&vm->gm, gpa(seg->gpa), seg->mem_bytes, &iov);

	if (!err)
		*ret_hva = iov.iov_base;
	return err;
}

/** check_length() - pages mapped past the end of a file would kill us with
 * SIGBUS when they are touched. */
static int check_length(int fd, const struct plan_segment *seg)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < seg->file_offset + seg->file_bytes)
		return -ENODATA;
	return 0;
}

static int map_pages(struct vm *vm, int fd, const struct plan_segment *seg,
		     uint8_t *hva, uint64_t bytes)
{
	void *p = mmap(hva, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE, fd,
		       (off_t)seg->file_offset);

	if (p == MAP_FAILED)
		return -errno;
	madvise(p, bytes, MADV_DONTDUMP);
	vm->private[vm->private_count++] =
		(struct vm_span){(uint64_t)(hva - vm->ram), bytes};
	return 0;
}

static int place_segment(struct vm *vm, const struct plan *plan,
			 const struct plan_segment *seg)
{
	uint64_t mapped = 0;
	int fd = plan->fd[seg->fd];
	uint8_t *hva;
	int err;

	err = check_length(fd, seg);
	if (!err)
		err = span_of(vm, seg, &hva);
	if (err)
		return err;
	if (!vm->huge && !((seg->gpa | seg->file_offset) & PAGE_MASK))
		mapped = seg->file_bytes & ~PAGE_MASK;
	if (mapped)
		err = map_pages(vm, fd, seg, hva, mapped);
	if (err || mapped == seg->file_bytes)
		return err;
	return fd_pread_all(fd, hva + mapped, seg->file_bytes - mapped,
			    seg->file_offset + mapped);
}

int place_segments(struct vm *vm, const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->segment_count; i++) {
		int err = place_segment(vm, plan, &plan->segment[i]);

		if (err)
			return err;
	}
	return 0;
}
