/* SPDX-License-Identifier: Apache-2.0 */
/* string.c - memory and string functions, 8 bytes at a time; a tail is one more
 * word that overlaps the last instead of a loop over bytes.
 *
 * Words are read through a may_alias, unaligned type. String functions read
 * whole aligned words and so may look at bytes behind the NUL, never across
 * a page boundary. */
#include "kernels/mote/lib/lib.h"

typedef uint64_t __attribute__((may_alias, aligned(1))) word64;
typedef uint32_t __attribute__((may_alias, aligned(1))) word32;
typedef uint16_t __attribute__((may_alias, aligned(1))) word16;

/* Looks at whole words, which the sanitizers of a native test would mind. */
#define WORDWISE __attribute__((no_sanitize("address", "undefined")))

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull

/* Up to 7 bytes, by two loads that may overlap: all loads come before all
 * stores, so this serves memmove() too. */
static void copy_short(unsigned char *dst, const unsigned char *src, size_t n)
{
	if (n >= 4) {
		uint32_t first = *(const word32 *)src;
		uint32_t last = *(const word32 *)(src + n - 4);

		*(word32 *)dst = first;
		*(word32 *)(dst + n - 4) = last;
	} else if (n >= 2) {
		uint16_t first = *(const word16 *)src;
		uint16_t last = *(const word16 *)(src + n - 2);

		*(word16 *)dst = first;
		*(word16 *)(dst + n - 2) = last;
	} else if (n) {
		*dst = *src;
	}
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	unsigned char *d = dst;
	const unsigned char *s = src;
	size_t words = n >> 3;
	uint64_t last;

	if (n < 8) {
		copy_short(d, s, n);
		return dst;
	}
	last = *(const word64 *)(s + n - 8);
	asm volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
	*(word64 *)((unsigned char *)dst + n - 8) = last;
	return dst;
}

/* From the end down, for a destination that starts inside the source. */
static void copy_down(unsigned char *dst, const unsigned char *src, size_t n)
{
	size_t words = n >> 3;
	uint64_t first = *(const word64 *)src;
	unsigned char *d = dst + n - 8;
	const unsigned char *s = src + n - 8;

	asm volatile("std; rep movsq; cld"
		     : "+D"(d), "+S"(s), "+c"(words)
		     :
		     : "memory", "cc");
	*(word64 *)dst = first;
}

void *memmove(void *dst, const void *src, size_t n)
{
	if (n < 8)
		copy_short(dst, src, n);
	else if ((uintptr_t)dst - (uintptr_t)src < n)
		copy_down(dst, src, n);
	else
		memcpy(dst, src, n);
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	unsigned char *d = dst;
	size_t words = n >> 3;
	uint64_t fill = (unsigned char)c * ONES;

	if (n < 8) {
		if (n >= 4) {
			*(word32 *)d = (uint32_t)fill;
			*(word32 *)(d + n - 4) = (uint32_t)fill;
		} else if (n >= 2) {
			*(word16 *)d = (uint16_t)fill;
			*(word16 *)(d + n - 2) = (uint16_t)fill;
		} else if (n) {
			*d = (unsigned char)c;
		}
		return dst;
	}
	*(word64 *)(d + n - 8) = fill;
	asm volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(fill) : "memory");
	return dst;
}

static int word_order(uint64_t a, uint64_t b)
{
	return __builtin_bswap64(a) < __builtin_bswap64(b) ? -1 : 1;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n >= 8; n -= 8, x += 8, y += 8) {
		uint64_t left = *(const word64 *)x, right = *(const word64 *)y;

		if (left != right)
			return word_order(left, right);
	}
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

/* Bit 7 of the lowest zero byte is set; bits above it mean nothing. */
static uint64_t zero_bytes(uint64_t w)
{
	return (w - ONES) & ~w & HIGHS;
}

WORDWISE size_t strlen(const char *s)
{
	const char *p = (const char *)((uintptr_t)s & ~7ul);
	unsigned skip = ((unsigned)(uintptr_t)s & 7) * 8;
	/* Bytes before the string count as non-zero. */
	uint64_t w = *(const word64 *)p | ~(~0ull << skip);
	uint64_t zero;

	while (!(zero = zero_bytes(w))) {
		p += 8;
		w = *(const word64 *)p;
	}
	return (size_t)(p - s) + (unsigned)__builtin_ctzll(zero) / 8;
}

WORDWISE size_t strnlen(const char *s, size_t cap)
{
	const char *p = (const char *)((uintptr_t)s & ~7ul);
	unsigned skip = ((unsigned)(uintptr_t)s & 7) * 8;
	uint64_t w, zero;
	size_t n;

	if (!cap)
		return 0;
	w = *(const word64 *)p | ~(~0ull << skip);
	while (!(zero = zero_bytes(w))) {
		p += 8;
		if ((size_t)(p - s) >= cap)
			return cap;
		w = *(const word64 *)p;
	}
	n = (size_t)(p - s) + (unsigned)__builtin_ctzll(zero) / 8;
	return MIN(n, cap);
}

/* A word at @s stays within its page. */
static int word_fits_page(const char *s)
{
	return ((uintptr_t)s & 4095) <= 4096 - 8;
}

WORDWISE int strcmp(const char *a, const char *b)
{
	for (;;) {
		while (word_fits_page(a) && word_fits_page(b)) {
			uint64_t x = *(const word64 *)a;

			if (x != *(const word64 *)b || zero_bytes(x))
				break;
			a += 8;
			b += 8;
		}
		for (int i = 0; i < 8; i++, a++, b++)
			if (*a != *b || !*a)
				return (unsigned char)*a - (unsigned char)*b;
	}
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)(uintptr_t)s;
}

size_t strscpy(char *dst, const char *src, size_t cap)
{
	size_t n;

	if (!cap)
		return 0;
	n = strnlen(src, cap - 1);
	memcpy(dst, src, n);
	dst[n] = '\0';
	return n;
}
