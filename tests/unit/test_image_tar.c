/* SPDX-License-Identifier: Apache-2.0 */
/* test_image_tar.c - archives of every dialect, and damaged ones. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner/image/tar.h"
#include "runner/image/tar_pax.h"

static uint8_t archive[1 << 16];
static size_t length, at;
static struct tar *tar;

static int from_archive(void *ctx, void *dst, size_t bytes, size_t *ret_done)
{
	size_t n = length - at < bytes ? length - at : bytes;

	(void)ctx;
	memcpy(dst, archive + at, n);
	at += n;
	*ret_done = n;
	return 0;
}

static void set_up(void)
{
	length = at = 0;
	memset(archive, 0, sizeof(archive));
	cr_assert_eq(tar_new(from_archive, NULL, &tar), 0);
}

static void tear_down(void)
{
	tar_free(tar);
}

TestSuite(image_tar, .init = set_up, .fini = tear_down);

static void sum(char *h)
{
	unsigned total = 0;

	memset(h + 148, ' ', 8);
	for (unsigned i = 0; i < 512; i++)
		total += (uint8_t)h[i];
	sprintf(h + 148, "%06o", total);
}

/** put() - an entry with @size bytes of data. Return: its header. */
static char *put(char type, const char *name, const void *data, size_t size)
{
	char *h = (char *)archive + length;

	strncpy(h, name, 100);
	sprintf(h + 100, "%07o", 0644);
	sprintf(h + 108, "%07o", 1000);
	sprintf(h + 116, "%07o", 100);
	sprintf(h + 124, "%011o", (unsigned)size);
	sprintf(h + 136, "%011o", 1700000000u);
	h[156] = type;
	memcpy(h + 257, "ustar\00000", 8);
	sum(h);
	memcpy(h + 512, data, size);
	length += 512 + ((size + 511) & ~511ul);
	return h;
}

static void put_end(void)
{
	length += 1024;
}

static struct tar_entry next(void)
{
	struct tar_entry e;

	cr_assert_eq(tar_next(tar, &e), 1, "%s", tar_why(tar));
	return e;
}

static int next_err(void)
{
	struct tar_entry e;

	return tar_next(tar, &e);
}

Test(image_tar, reads_a_file)
{
	struct tar_entry e;
	char text[16];
	size_t n;

	put('0', "dir/file", "hello", 5);
	put('0', "next", "", 0);
	put_end();
	e = next();
	cr_expect_eq(e.kind, TAR_FILE);
	cr_expect_str_eq(e.path, "dir/file");
	cr_expect_eq(e.mode, 0644);
	cr_expect_eq(e.uid, 1000);
	cr_expect_eq(e.gid, 100);
	cr_expect_eq(e.size, 5);
	cr_expect_eq(e.mtime, 1700000000);
	cr_expect_eq(tar_read(tar, text, 2, &n), 0);
	cr_expect_eq(n, 2);
	cr_expect_eq(tar_read(tar, text + 2, 14, &n), 0);
	cr_expect_eq(n, 3);
	cr_expect_arr_eq(text, "hello", 5);
	cr_expect_eq(tar_read(tar, text, 16, &n), 0);
	cr_expect_eq(n, 0);
	cr_expect_str_eq(next().path, "next");
	cr_expect_eq(next_err(), 0);
}

Test(image_tar, skips_what_nobody_read)
{
	put('0', "a", archive + 40000, 3000);
	put('5', "b/", "", 0);
	next();
	cr_expect_eq(next().kind, TAR_DIR);
	cr_expect_eq(next_err(), 0, "an end without zeroes");
}

Test(image_tar, knows_all_kinds)
{
	char *h;
	struct tar_entry e;

	h = put('1', "hard", "", 0);
	strcpy(h + 157, "target");
	sum(h);
	h = put('2', "soft", "", 0);
	memset(h + 157, 't', 100);
	sum(h);
	h = put('4', "disk", "", 0);
	strcpy(h + 329, "0000010");
	strcpy(h + 337, "0000001");
	sum(h);
	put('6', "pipe", "", 0);
	put('\0', "old/", "", 0);
	put('7', "contiguous", "", 0);
	e = next();
	cr_expect_eq(e.kind, TAR_HARD_LINK);
	cr_expect_str_eq(e.link, "target");
	e = next();
	cr_expect_eq(e.kind, TAR_SYMLINK);
	cr_expect_eq(strlen(e.link), 100, "no NUL behind it");
	e = next();
	cr_expect_eq(e.kind, TAR_BLOCK);
	cr_expect_eq(e.major, 8);
	cr_expect_eq(e.minor, 1);
	cr_expect_eq(next().kind, TAR_FIFO);
	cr_expect_eq(next().kind, TAR_DIR, "before there was a type for it");
	cr_expect_eq(next().kind, TAR_FILE);
}

Test(image_tar, joins_prefix_and_name)
{
	char *h = put('0', "name", "", 0);

	strcpy(h + 345, "some/prefix");
	sum(h);
	cr_expect_str_eq(next().path, "some/prefix/name");
}

Test(image_tar, takes_gnu_long_names)
{
	char name[300];

	memset(name, 'n', 299);
	name[299] = '\0';
	put('L', "././@LongLink", name, 300);
	name[200] = '\0';
	put('K', "././@LongLink", name, 201);
	put('2', "short", "", 0);
	put('0', "plain", "", 0);
	struct tar_entry e = next();

	cr_expect_eq(strlen(e.path), 299);
	cr_expect_eq(strlen(e.link), 200);
	cr_expect_str_eq(next().path, "plain", "only for one entry");
}

Test(image_tar, takes_pax_records)
{
	static const char pax[] = "19 path=p\xc3\xa9/\xff/name\n"
				  "23 mtime=1234567.89012\n13 uid=70000\n"
				  "13 unknown=1\n";
	struct tar_entry e;

	put('x', "PaxHeaders/x", pax, sizeof(pax) - 1);
	put('0', "short", "", 0);
	e = next();
	cr_expect_str_eq(e.path, "p\xc3\xa9/\xff/name", "bytes stay bytes");
	cr_expect_eq(e.mtime, 1234567);
	cr_expect_eq(e.mtime_nsec, 890120000);
	cr_expect_eq(e.uid, 70000);
	cr_expect_eq(e.gid, 100);
}

Test(image_tar, takes_binary_numbers)
{
	char *h = put('0', "large", "", 0);

	memcpy(h + 124, "\x80\0\0\0\0\0\0\x01\0\0\0\0", 12);
	memset(h + 136, 0xff, 12);
	sum(h);
	struct tar_entry e = next();

	cr_expect_eq(e.size, 1ull << 32);
	cr_expect_eq(e.mtime, 0, "before 1970");
}

static void spoil_sum(void)
{
	put('0', "a", "", 0)[0] = 'b';
}

static void spoil_size(void)
{
	char *h = put('0', "a", "", 0);

	h[124] = 'x';
	sum(h);
}

static void spoil_huge(void)
{
	char *h = put('0', "a", "", 0);

	memset(h + 124, 0x7f, 12);
	h[124] = (char)0xbf;
	sum(h);
}

static void spoil_end(void)
{
	put('0', "a", "", 0);
	length = 300;
}

static void spoil_name(void)
{
	put('0', "", "", 0);
}

static void spoil_link(void)
{
	put('2', "a", "", 0);
}

static void spoil_kind(void)
{
	put('Z', "a", "", 0);
}

static void spoil_sparse(void)
{
	put('S', "a", "", 0);
}

static void spoil_pax_sparse(void)
{
	put('x', "p", "22 GNU.sparse.major=1\n", 22);
	put('0', "a", "", 0);
}

static void spoil_pax(void)
{
	put('x', "p", "99 path=a\n", 10);
	put('0', "a", "", 0);
}

static void spoil_extras(void)
{
	for (unsigned i = 0; i < 40; i++)
		put('g', "p", "", 0);
}

static void spoil_device(void)
{
	char *h = put('3', "a", "", 0);

	strcpy(h + 329, "7777777");
	sum(h);
}

static void spoil_text(void)
{
	memset(archive, 'x', 2000);
	length = 2000;
}

Test(image_tar, names_what_is_wrong)
{
	static const struct {
		void (*spoil)(void);
		int err;
		const char *why;
	} cases[] = {
		{spoil_sum, -EBADMSG, "no tar archive"},
		{spoil_size, -EBADMSG, "size"},
		{spoil_huge, -EBADMSG, "size"},
		{spoil_end, -EBADMSG, "middle of a header"},
		{spoil_name, -EBADMSG, "without a name"},
		{spoil_link, -EBADMSG, "link to nothing"},
		{spoil_kind, -ENOTSUP, "unknown kind"},
		{spoil_sparse, -ENOTSUP, "sparse"},
		{spoil_pax_sparse, -ENOTSUP, "sparse"},
		{spoil_pax, -EBADMSG, "pax"},
		{spoil_extras, -EBADMSG, "too many headers"},
		{spoil_device, -EBADMSG, "out of range"},
		{spoil_text, -EBADMSG, "no tar archive"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tar_free(tar);
		set_up();
		cases[i].spoil();
		cr_expect_eq(next_err(), cases[i].err, "%s", cases[i].why);
		cr_expect_not_null(strstr(tar_why(tar), cases[i].why),
				   "'%s' is not '%s'", tar_why(tar),
				   cases[i].why);
	}
}

Test(image_tar, notices_data_that_ends_early)
{
	struct tar_entry e;
	char text[2000];
	size_t n;

	put('0', "a", archive + 40000, 1500);
	length = 1000;
	e = next();
	cr_expect_eq(e.size, 1500);
	cr_expect_eq(tar_read(tar, text, sizeof(text), &n), -EBADMSG);
}

Test(image_tar, refuses_bad_pax_records)
{
	static const char *const bad[] = {
		"",
		"1",
		"5 a=\n",
		"6 a=\n",
		"7 ab=c \n",
		"x a=b\n",
		"99999999999999999999999 a=b\n",
		"9 mtime=\n",
		"12 mtime=1x\n",
		"9 path=\n",
		"10 size=x\n",
		"18 uid=4294967295\n",
		"6 a:b\n",
	};

	for (size_t i = 1; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct tar_pax pax = {0};
		int err = tar_pax_parse(bad[i], strlen(bad[i]), &pax);

		/* "5 a=\n" is good: an empty value of an unknown key. */
		cr_expect_eq(err, i == 2 ? 0 : -EBADMSG, "'%s'", bad[i]);
		tar_pax_done(&pax);
	}
}
