/* SPDX-License-Identifier: Apache-2.0 */
/* mote_fake_user.c - user memory of a test program's kernel: its own, but for
 * the first page, which is bad. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/pte.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"

#define BAD_BELOW 4096u

static bool bad(uint64_t user)
{
	return user < BAD_BELOW;
}

int copy_from_user(void *dst, uint64_t src, size_t bytes)
{
	if (bytes && bad(src))
		return -EFAULT;
	memcpy(dst, (void *)src, bytes);
	return 0;
}

int copy_to_user(uint64_t dst, const void *src, size_t bytes)
{
	if (bytes && bad(dst))
		return -EFAULT;
	memcpy((void *)dst, src, bytes);
	return 0;
}

int zero_user(uint64_t dst, size_t bytes)
{
	if (bytes && bad(dst))
		return -EFAULT;
	memset((void *)dst, 0, bytes);
	return 0;
}

long strncpy_from_user(char *dst, uint64_t src, size_t cap)
{
	size_t n;

	if (bad(src))
		return -EFAULT;
	n = strnlen((const char *)src, cap);
	memcpy(dst, (const char *)src, n == cap ? n : n + 1);
	return n == cap ? -ENAMETOOLONG : (long)n;
}

void uio_init_user(struct uio *u, uint64_t base, uint64_t bytes)
{
	*u = (struct uio){.span = u->inline_span, .count = 1, .left = bytes};
	u->span[0] = (struct uio_span){base, bytes};
}

void uio_init_kernel(struct uio *u, void *base, uint64_t bytes)
{
	uio_init_user(u, (uint64_t)base, bytes);
	u->kernel = 1;
}

int uio_init_iovec(struct uio *u, uint64_t iov, uint64_t count)
{
	if (count > UIO_SPANS_INLINE)
		return -EINVAL;
	uio_init_user(u, 0, 0);
	u->count = (uint32_t)count;
	if (copy_from_user(u->span, iov, count * sizeof(u->span[0])))
		return -EFAULT;
	for (uint64_t i = 0; i < count; i++)
		u->left += u->span[i].bytes;
	return 0;
}

void uio_done(struct uio *u)
{
}

enum move {
	MOVE_OUT,
	MOVE_IN,
	MOVE_ZERO,
	MOVE_SKIP
};

static long uio_move(struct uio *u, void *kernel, uint64_t bytes, enum move how)
{
	uint64_t done = 0;

	bytes = MIN(bytes, u->left);
	while (done < bytes) {
		struct uio_span *s = &u->span[u->index];
		uint64_t n = MIN(s->bytes, bytes - done);

		if (n && bad(s->base) && how != MOVE_SKIP)
			break;
		if (how == MOVE_OUT)
			memcpy((void *)s->base, (char *)kernel + done, n);
		else if (how == MOVE_IN)
			memcpy((char *)kernel + done, (void *)s->base, n);
		else if (how == MOVE_ZERO)
			memset((void *)s->base, 0, n);
		s->base += n;
		s->bytes -= n;
		u->left -= n;
		done += n;
		if (!s->bytes && u->index + 1 < u->count)
			u->index++;
	}
	return bytes && !done ? -EFAULT : (long)done;
}

long uio_copy_out(struct uio *u, const void *src, uint64_t bytes)
{
	return uio_move(u, (void *)(uintptr_t)src, bytes, MOVE_OUT);
}

long uio_copy_in(struct uio *u, void *dst, uint64_t bytes)
{
	return uio_move(u, dst, bytes, MOVE_IN);
}

long uio_zero_out(struct uio *u, uint64_t bytes)
{
	return uio_move(u, NULL, bytes, MOVE_ZERO);
}

void uio_advance(struct uio *u, uint64_t bytes)
{
	uio_move(u, NULL, bytes, MOVE_SKIP);
}

int vm_translate(struct vm *vm, uint64_t addr, uint64_t want, bool write,
		 uint64_t *ret_pa, uint64_t *ret_bytes)
{
	*ret_pa = kva_to_pa((void *)addr);
	*ret_bytes = want;
	return bad(addr) ? -EFAULT : 0;
}

uint64_t *pte_find(struct vm *vm, uint64_t addr, bool *ret_huge)
{
	return NULL;
}
