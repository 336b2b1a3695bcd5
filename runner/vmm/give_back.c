/* SPDX-License-Identifier: Apache-2.0 */
/* give_back.c - guest memory that goes back to the host. Which call does it
 * depends on what is mapped there:
 *
 *   RAM      the memfd, shared     MADV_REMOVE     a hole in the memfd, zeroes
 *   segment  a file, private       MADV_DONTNEED   the file's own bytes again
 *   RAM      huge pages, private   MADV_DONTNEED   zeroes; the host takes parts
 *                                                  of huge pages when it has to
 *
 * madvise and not fallocate: it reaches only what is mapped here, while
 * fallocate would take any fd that the VMM has. */
#include "runner/vmm/give_back.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/ckd.h"
#include "runner/vmm/vm.h"

/** next_segment() - the first one that ends above @at; NULL: none. */
static const struct vm_span *next_segment(const struct vm *vm, uint64_t at)
{
	const struct vm_span *found = NULL;

	for (unsigned i = 0; i < vm->private_count; i++) {
		const struct vm_span *s = &vm->private[i];

		if (s->at + s->bytes > at && (!found || s->at < found->at))
			found = s;
	}
	return found;
}

int give_back(void *ctx, void *hva, size_t bytes, bool zero)
{
	const struct vm *vm = ctx;
	uint64_t at, end;

	if (ckd_sub(&at, (uintptr_t)hva, (uintptr_t)vm->ram) ||
	    !ckd_range(at, bytes, vm->ram_bytes))
		return -EINVAL;
	end = at + bytes;
	while (at < end) {
		const struct vm_span *s = next_segment(vm, at);
		bool inside = s && s->at <= at;
		int how = inside || vm->huge ? MADV_DONTNEED : MADV_REMOVE;
		uint64_t stop = inside ? s->at + s->bytes : s ? s->at : end;

		if (s && s->at < end && zero)
			return -EOPNOTSUPP;
		if (stop > end)
			stop = end;
		if (madvise(vm->ram + at, stop - at, how) < 0)
			return -errno;
		at = stop;
	}
	return 0;
}
