/* SPDX-License-Identifier: Apache-2.0 */
/* pmem_map.c - files as guest memory. */
#include "runner/vmm/pmem_map.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/** check_file() - the command has looked; but it may have changed since, and a
 * page beyond its end would end the VM when it is touched. */
static int check_file(int fd, const struct plan_pmem *p, const char **ret_why)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		*ret_why = "the file for a pmem device is no regular file";
		return -EINVAL;
	}
	if ((uint64_t)st.st_size < p->file_bytes) {
		*ret_why = "the file for a pmem device became shorter";
		return -ENODATA;
	}
	return 0;
}

/** map_file() - @p->map_bytes of address space: zeroes, and the file over its
 * beginning. A last partial page of a file reads as zeroes behind its end. */
static int map_file(int fd, const struct plan_pmem *p, bool writable,
		    uint8_t **ret)
{
	int prot = PROT_READ | (writable ? PROT_WRITE : 0);
	int kind = writable ? MAP_PRIVATE : MAP_SHARED;
	/* Room to begin at a multiple of 2 MiB, as the guest does: KVM can use
	 * large pages only where both addresses are. */
	uint8_t *room =
		mmap(NULL, p->map_bytes + PLAN_PMEM_ALIGN, prot,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *at;

	if (room == MAP_FAILED)
		return -errno;
	at = room + (-(uintptr_t)room & (PLAN_PMEM_ALIGN - 1));
	if (mmap(at, p->file_bytes, prot, kind | MAP_FIXED | MAP_NORESERVE, fd,
		 0) == MAP_FAILED)
		return -errno;
	madvise(at, p->map_bytes, MADV_DONTDUMP);
	/* A hint: what has to be read comes in folios of 2 MiB where the file
	 * system can, and each is one fault of the guest's and not 512. */
	madvise(at, p->file_bytes, MADV_HUGEPAGE);
	*ret = at;
	return 0;
}

static int map_one(struct vm *vm, const struct plan *plan,
		   const struct plan_device *dev, struct stop *stop,
		   const char **ret_why)
{
	const struct plan_pmem *p = &dev->u.pmem;
	bool writable = dev->flags & PLAN_PMEM_PRIVATE;
	int fd = plan->fd[dev->fd_first];
	uint8_t *hva = NULL;
	int err = check_file(fd, p, ret_why);

	if (!err)
		err = map_file(fd, p, writable, &hva);
	if (err)
		return err;
	close(fd);
	stop_expect_file(stop, &(struct stop_file){hva, p->file_bytes,
						   p->map_bytes, p->gpa});
	*ret_why = "KVM refused the memory slot of a pmem device";
	return vm_add_file(vm, gpa(p->gpa), p->map_bytes, hva, writable);
}

int pmem_map(struct vm *vm, const struct plan *plan, struct stop *stop,
	     const char **ret_why)
{
	for (uint32_t i = 0; i < plan->device_count; i++) {
		const struct plan_device *dev = &plan->device[i];
		int err = dev->kind == PLAN_DEVICE_PMEM
				  ? map_one(vm, plan, dev, stop, ret_why)
				  : 0;

		if (err)
			return err;
	}
	return 0;
}

int pmem_check_width(const struct plan *plan, unsigned bits,
		     const char **ret_why)
{
	for (uint32_t i = 0; i < plan->device_count; i++) {
		const struct plan_pmem *p = &plan->device[i].u.pmem;

		if (plan->device[i].kind == PLAN_DEVICE_PMEM && bits < 64 &&
		    p->gpa + p->map_bytes > 1ull << bits) {
			*ret_why = "this host's CPU cannot address memory and "
				   "files of that size; use less of --mem, "
				   "--image and --pmem";
			return -E2BIG;
		}
	}
	return 0;
}
