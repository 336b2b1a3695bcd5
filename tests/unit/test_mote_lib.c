/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_lib.c - mote's string functions and formatter, run natively. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "mote_lib.h"

static char printed[512];

/* The console that kprintf() writes to. */
void console_puts(const char *text, uint64_t bytes);
void console_puts(const char *text, uint64_t bytes)
{
	cr_assert_lt(bytes, sizeof(printed));
	memcpy(printed, text, bytes);
	printed[bytes] = '\0';
}

/* A page whose end is followed by nothing: reading past it is a fault. */
static char *page_end(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(p, MAP_FAILED);
	cr_assert_eq(munmap(p + 4096, 4096), 0);
	return p + 4096;
}

static void fill(unsigned char *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * 7 + seed + 1);
}

Test(mote_lib, copies_every_length_at_every_alignment)
{
	unsigned char src[96], dst[96], want[96];

	fill(src, sizeof(src), 1);
	for (size_t n = 0; n <= 64; n++)
		for (size_t from = 0; from < 8; from++)
			for (size_t to = 8; to < 16; to++) {
				fill(dst, sizeof(dst), 99);
				fill(want, sizeof(want), 99);
				for (size_t i = 0; i < n; i++)
					want[to + i] = src[from + i];
				cr_assert_eq(memcpy(dst + to, src + from, n),
					     dst + to);
				cr_assert_arr_eq(dst, want, sizeof(want));
			}
}

Test(mote_lib, moves_overlapping_bytes_both_ways)
{
	unsigned char buf[96], want[96];

	for (size_t n = 0; n <= 40; n++)
		for (size_t from = 0; from < 40; from++)
			for (size_t to = 0; to < 40; to++) {
				fill(buf, sizeof(buf), 3);
				fill(want, sizeof(want), 3);
				for (size_t i = 0; i < n; i++)
					want[to + i] = buf[from + i];
				memmove(buf + to, buf + from, n);
				cr_assert_arr_eq(buf, want, sizeof(want));
			}
}

Test(mote_lib, sets_every_length)
{
	unsigned char buf[80];

	for (size_t n = 0; n <= 64; n++) {
		fill(buf, sizeof(buf), 5);
		memset(buf + 3, 0xa5, n);
		for (size_t i = 0; i < sizeof(buf); i++) {
			unsigned char old = (unsigned char)(i * 7 + 6);
			bool in = i >= 3 && i < 3 + n;

			cr_assert_eq(buf[i], in ? 0xa5 : old);
		}
	}
}

Test(mote_lib, compares_as_unsigned_bytes)
{
	cr_expect_eq(memcmp("abcdefgh", "abcdefgh", 8), 0);
	cr_expect_lt(memcmp("abcdefgh1", "abcdefgi0", 9), 0);
	cr_expect_gt(memcmp("\xff", "\x01", 1), 0);
	cr_expect_gt(memcmp("0000000\xff", "0000000\x01", 8), 0);
	cr_expect_eq(memcmp("a", "b", 0), 0);
	cr_expect_lt(strcmp("abc", "abcd"), 0);
	cr_expect_gt(strcmp("\xff", "a"), 0);
	cr_expect_eq(strcmp("a longer string", "a longer string"), 0);
	cr_expect_eq(strncmp("abcX", "abcY", 3), 0);
	cr_expect_lt(strncmp("abcX", "abcY", 4), 0);
}

Test(mote_lib, reads_no_byte_of_the_next_page)
{
	char *end = page_end();

	for (size_t n = 1; n <= 40; n++) {
		char *s = end - n;

		memset(s, 'x', n - 1);
		s[n - 1] = '\0';
		cr_assert_eq(strlen(s), n - 1);
		cr_assert_eq(strnlen(s, 100), n - 1);
		cr_assert_eq(strcmp(s, s), 0);
		cr_assert_eq(memcmp(s, s, n), 0);
	}
}

Test(mote_lib, finds_and_copies_strings)
{
	const char *s = "key=value";
	char small[4];

	cr_expect_eq(strchr(s, '='), s + 3);
	cr_expect_null(strchr(s, '!'));
	cr_expect_eq(strchr(s, '\0'), s + 9);
	cr_expect_eq(strnlen("abcdef", 3), 3u);
	cr_expect_eq(strscpy(small, "abcdef", sizeof(small)), 3u);
	cr_expect_str_eq(small, "abc");
	cr_expect_eq(strscpy(small, "abcdef", 0), 0u);
}

#define EXPECT_FORMAT(...)                                                     \
	do {                                                                   \
		char got[128], want[128];                                      \
		size_t n = ksnprintf(got, sizeof(got), __VA_ARGS__);           \
                                                                               \
		snprintf(want, sizeof(want), __VA_ARGS__);                     \
		cr_expect_str_eq(got, want);                                   \
		cr_expect_eq(n, strlen(want));                                 \
	} while (0)

Test(mote_lib, formats_like_the_c_library)
{
	EXPECT_FORMAT("%d %d %d", 0, -1, INT32_MIN);
	EXPECT_FORMAT("%ld %lu", INT64_MIN, UINT64_MAX);
	EXPECT_FORMAT("%u %x %08x %lx", 7u, 0xbeefu, 0xbeefu, UINT64_MAX);
	EXPECT_FORMAT("%5d|%-5d|%05d|%3d", 42, 42, -42, 12345);
	EXPECT_FORMAT("%s|%8s|%-8s|%.2s", "abc", "abc", "abc", "abc");
	EXPECT_FORMAT("%c%c%%", 'o', 'k');
	EXPECT_FORMAT("%zu %llu", (size_t)12, 34ull);
	EXPECT_FORMAT("%p", (void *)0x1234);
}

Test(mote_lib, formats_within_the_buffer)
{
	char buf[8] = "#######";

	cr_expect_eq(ksnprintf(buf, 5, "%s", "abcdefgh"), 4u);
	cr_expect_str_eq(buf, "abcd");
	cr_expect_eq(buf[5], '#');
	cr_expect_eq(ksnprintf(buf, 0, "x"), 0u);
	cr_expect_eq(buf[0], 'a');
}

Test(mote_lib, ends_printed_lines)
{
	kprintf("mote: %s", "hello");
	cr_expect_str_eq(printed, "mote: hello\n");
	kprintf("mote: %s\n", "hello");
	cr_expect_str_eq(printed, "mote: hello\n");
	kprintf("%300s", "x");
	cr_expect_eq(printed[strlen(printed) - 1], '\n');
}
