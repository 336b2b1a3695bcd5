/* SPDX-License-Identifier: Apache-2.0 */
/* uaccess.h - the only doors to the program's memory. Every address comes from
 * the program and may be anything. Pages are faulted in on the way; a bad
 * address is -EFAULT, never a crash. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** copy_from_user()/copy_to_user() - Return: 0 or -EFAULT (part may be copied).
 */
int copy_from_user(void *dst, uint64_t src, size_t bytes);
int copy_to_user(uint64_t dst, const void *src, size_t bytes);
int zero_user(uint64_t dst, size_t bytes);
/** strncpy_from_user() - copies up to @cap bytes including the NUL.
 * Return: length without NUL, -EFAULT, or -ENAMETOOLONG when no NUL in @cap. */
long strncpy_from_user(char *dst, uint64_t src, size_t cap);

/** user_move() - as far as the program's memory goes: out to it or in from it.
 * user_zero() - the same with zeros. Return: bytes, 0..@bytes. */
size_t user_move(uint64_t user, void *kernel, size_t bytes, bool out);
size_t user_zero(uint64_t dst, size_t bytes);

/* A list of memory spans to read into or write from, as readv(2) takes it, or
 * one kernel buffer. */
struct uio_span {
	uint64_t base; /* user address; kernel address when ->kernel */
	uint64_t bytes;
};
#define UIO_SPANS_INLINE 8
struct uio {
	struct uio_span inline_span[UIO_SPANS_INLINE];
	struct uio_span *span; /* inline_span or kmalloc'ed */
	uint32_t count, index;
	uint64_t left; /* bytes not moved yet, all spans */
	int kernel;
};

/** uio_init_user()/uio_init_kernel() - one span. */
void uio_init_user(struct uio *u, uint64_t base, uint64_t bytes);
void uio_init_kernel(struct uio *u, void *base, uint64_t bytes);
/** uio_init_iovec() - from a user array of struct iovec, at most 1024.
 * Return: 0, -EINVAL (count, total > SSIZE_MAX), -EFAULT, -ENOMEM. */
int uio_init_iovec(struct uio *u, uint64_t iov, uint64_t count);
void uio_done(struct uio *u);

/** uio_copy_out() - kernel bytes into the spans, advancing; uio_copy_in() the
 * other way. Bulk, by memcpy() where pages are long enough.
 * Return: bytes moved (less than @bytes only at a bad address or the end),
 * -EFAULT when the first byte could not be moved. */
long uio_copy_out(struct uio *u, const void *src, uint64_t bytes);
long uio_copy_in(struct uio *u, void *dst, uint64_t bytes);
/** uio_zero_out() - zeros into the spans, advancing. */
long uio_zero_out(struct uio *u, uint64_t bytes);

struct phys_span {
	uint64_t pa;
	uint32_t bytes;
};
/** uio_pin() - the physical pages of the next bytes, for a device to move.
 * Faults them in (for writing when @write), joins neighbours. Does not
 * advance: uio_advance() does, by what the device moved. No reference is
 * taken: who sleeps while the device works has to be the only thread that can
 * unmap the pages.
 * Return: number of spans in @ret (<= @max), 0 at the end, -EFAULT. */
int uio_pin(struct uio *u, int write, struct phys_span *ret, int max);
void uio_advance(struct uio *u, uint64_t bytes);
/** uio_pages_stay() - can nobody unmap the program's pages while this thread
 * sleeps, so that a device may have them meanwhile? */
bool uio_pages_stay(const struct uio *u);
