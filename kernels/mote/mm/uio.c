/* SPDX-License-Identifier: Apache-2.0 */
/* uio.c - lists of spans to move bytes to or from. The list itself is copied
 * and checked once; where it points to is checked when it is used. */
#include <linux/errno.h>
#include <linux/uio.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/pte.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/task.h"

#define SSIZE_MAX_   0x7fffffffffffffffl
#define TRANSFER_MAX 0x7ffff000ul /* MAX_RW_COUNT */

static void init_one(struct uio *u, uint64_t base, uint64_t bytes, int kernel)
{
	u->inline_span[0] = (struct uio_span){base, bytes};
	u->span = u->inline_span;
	u->count = 1;
	u->index = 0;
	u->left = bytes;
	u->kernel = kernel;
}

void uio_init_user(struct uio *u, uint64_t base, uint64_t bytes)
{
	init_one(u, base, bytes, 0);
}

void uio_init_kernel(struct uio *u, void *base, uint64_t bytes)
{
	init_one(u, (uint64_t)base, bytes, 1);
}

/* As Linux takes a list: a length below zero is -EINVAL, a span outside user
 * space -EFAULT, and what is beyond the largest transfer is left out. */
static int check_spans(struct uio *u)
{
	for (uint32_t i = 0; i < u->count; i++) {
		struct uio_span *s = &u->span[i];

		if (s->bytes > SSIZE_MAX_)
			return -EINVAL;
		if (s->base > VM_USER_TOP || s->bytes > VM_USER_TOP - s->base)
			return -EFAULT;
		s->bytes = MIN(s->bytes, TRANSFER_MAX - u->left);
		u->left += s->bytes;
	}
	return 0;
}

int uio_init_iovec(struct uio *u, uint64_t iov, uint64_t count)
{
	int r;

	_Static_assert(sizeof(struct uio_span) == sizeof(struct iovec), "");
	init_one(u, 0, 0, 0);
	if (count > UIO_MAXIOV)
		return -EINVAL;
	if (count > UIO_SPANS_INLINE) {
		u->span = kmalloc(count * sizeof(struct uio_span));
		if (!u->span)
			return -ENOMEM;
	}
	u->count = (uint32_t)count;
	r = copy_from_user(u->span, iov, count * sizeof(struct uio_span));
	if (!r)
		r = check_spans(u);
	if (r)
		uio_done(u);
	return r;
}

void uio_done(struct uio *u)
{
	if (u->span != u->inline_span)
		kfree(u->span);
	u->span = u->inline_span;
	u->count = 0;
	u->left = 0;
}

void uio_advance(struct uio *u, uint64_t bytes)
{
	struct uio_span *s = &u->span[u->index];

	if (bytes < u->left && bytes < s->bytes) {
		s->base += bytes;
		s->bytes -= bytes;
		u->left -= bytes;
		return;
	}
	if (bytes >= u->left) { /* all of it: nobody looks at the spans again */
		u->left = 0;
		return;
	}
	u->left -= bytes;
	while (bytes > 0) {
		uint64_t n;

		s = &u->span[u->index];
		n = MIN(bytes, s->bytes);

		s->base += n;
		s->bytes -= n;
		bytes -= n;
		if (!s->bytes)
			u->index++;
	}
}

enum uio_move {
	MOVE_OUT,
	MOVE_IN,
	MOVE_ZERO
};

/* Move up to @bytes between the span at @base and @kernel. Return: bytes. */
static uint64_t move_span(const struct uio *u, uint64_t base, uint8_t *kernel,
			  uint64_t bytes, enum uio_move how)
{
	if (u->kernel) {
		void *own = (void *)base;

		if (how == MOVE_OUT)
			memcpy(own, kernel, bytes);
		else if (how == MOVE_IN)
			memcpy(kernel, own, bytes);
		else
			memset(own, 0, bytes);
		return bytes;
	}
	if (how == MOVE_ZERO)
		return user_zero(base, bytes);
	return user_move(base, kernel, bytes, how == MOVE_OUT);
}

static long move_all(struct uio *u, uint8_t *kernel, uint64_t bytes,
		     enum uio_move how)
{
	uint64_t done = 0;

	bytes = MIN(bytes, u->left);
	while (done < bytes) {
		const struct uio_span *s = &u->span[u->index];
		uint64_t want = MIN(bytes - done, s->bytes), n;

		if (!want) {
			u->index++;
			continue;
		}
		n = move_span(u, s->base, kernel ? kernel + done : NULL, want,
			      how);
		uio_advance(u, n);
		done += n;
		if (n < want)
			break;
	}
	return done || !bytes ? (long)done : -EFAULT;
}

long uio_copy_out(struct uio *u, const void *src, uint64_t bytes)
{
	return move_all(u, (uint8_t *)(uint64_t)src, bytes, MOVE_OUT);
}

long uio_copy_in(struct uio *u, void *dst, uint64_t bytes)
{
	return move_all(u, dst, bytes, MOVE_IN);
}

long uio_zero_out(struct uio *u, uint64_t bytes)
{
	return move_all(u, NULL, bytes, MOVE_ZERO);
}

/* What of [base, +want) is mapped as it has to be, page behind page, by the
 * page table used last. Return: bytes; 0: ask vm_translate(). */
static uint64_t translate_quick(uint64_t base, uint64_t want, uint64_t need,
				uint64_t *ret_pa)
{
	const struct vm *vm = current()->vm;
	uint64_t start = base & ~(PAGE_SIZE - 1), end = base + want, pa = 0;
	uint64_t at = start;

	for (; at < end; at += PAGE_SIZE) {
		const uint64_t *pte = pte_quick(vm, at);
		uint64_t entry = pte ? *pte : 0;

		if ((entry & need) != need)
			break;
		entry &= PTE_ADDR;
		if (at == start)
			pa = entry;
		else if (entry != pa + (at - start))
			break;
	}
	*ret_pa = pa + (base - start);
	return at > start ? MIN(at, end) - base : 0;
}

static int translate(const struct uio *u, uint64_t base, uint64_t want,
		     int write, uint64_t *ret_pa, uint64_t *ret_bytes)
{
	uint64_t need = write ? PTE_P | PTE_W : PTE_P;

	if (u->kernel) {
		*ret_pa = kva_to_pa((void *)base);
		*ret_bytes = want;
		return 0;
	}
	*ret_bytes = translate_quick(base, want, need, ret_pa);
	if (*ret_bytes)
		return 0;
	return vm_translate(current()->vm, base, want, write, ret_pa,
			    ret_bytes);
}

bool uio_pages_stay(const struct uio *u)
{
	const struct process *p = current_process();

	return u->kernel || (p->thread_count == 1 && p->vm->refs == 1);
}

int uio_pin(struct uio *u, int write, struct phys_span *ret, int max)
{
	uint32_t index = u->index;
	uint64_t offset = 0;
	int count = 0;

	while (count < max && index < u->count) {
		const struct uio_span *s = &u->span[index];
		uint64_t pa, n, left = MIN(s->bytes - offset, UINT32_MAX / 2);

		if (!left) {
			index++;
			offset = 0;
			continue;
		}
		if (translate(u, s->base + offset, left, write, &pa, &n) < 0)
			return count ? count : -EFAULT;
		ret[count++] = (struct phys_span){pa, (uint32_t)n};
		offset += n;
	}
	return count;
}
