/* SPDX-License-Identifier: Apache-2.0 */
/* rw.c - cases of moving data through files. */
#include "say.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>

static void test_read_write(void)
{
	char buf[64] = "";

	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(write, 3, "hello world", 11);
	S(read, 3, buf, 10);
	S(lseek, 3, 0, SEEK_SET);
	S(read, 3, buf, 5);
	say_bytes("read", buf, 5);
	S(read, 3, buf, 64);
	S(read, 3, buf, 64);
	S(write, 3, NULL, 0);
	S(read, 3, NULL, 0);
	S(read, 3, BAD, 1);
	S(lseek, 3, 0, SEEK_SET);
	S(read, 3, BAD, 1);
	S(write, 3, BAD, 1);
	S(write, 3, KERNEL, 1);
	S(read, 3, KERNEL, 1);
	S(read, 3, buf, -1l);
	S(pread64, 3, buf, 5, 6);
	say_bytes("pread", buf, 5);
	S(pread64, 3, buf, 5, 100);
	S(pread64, 3, buf, 5, -1l);
	S(pwrite64, 3, "WORLD", 5, 6);
	S(pwrite64, 3, "!", 1, 20);
	S(pwrite64, 3, "!", 1, -1l);
	say_file("f");
	S(open, ".", O_RDONLY);
	S(read, 4, buf, 5);
	S(pread64, 4, buf, 5, 0);
}

static void test_vectors(void)
{
	char a[4] = "", b[8] = "", c[8] = "";
	struct iovec out[] = {{"one", 3}, {"", 0}, {"two", 3}, {"three", 5}};
	struct iovec in[] = {{a, 4}, {b, 2}, {c, 8}};
	struct iovec bad[] = {{"ok", 2}, {BAD, 4}};
	struct iovec huge[] = {{a, SIZE_MAX}, {b, SIZE_MAX}};

	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(writev, 3, out, 4);
	say_file("f");
	S(lseek, 3, 0, SEEK_SET);
	S(readv, 3, in, 3);
	say_bytes("a", a, 4);
	say_bytes("b", b, 2);
	say_bytes("c", c, 5);
	S(readv, 3, in, 0);
	S(readv, 3, in, -1);
	S(readv, 3, in, 1025);
	S(readv, 3, huge, 2);
	S(readv, 3, BAD, 1);
	S(preadv, 3, in, 2, 3, 0);
	say_bytes("a", a, 4);
	S(pwritev, 3, out, 1, 20, 0);
	say_file("f");
	S(preadv2, 3, in, 1, 1, 0, 0);
	S(preadv2, 3, in, 1, -1l, 0, 0);
	S(preadv2, 3, in, 1, 0, 0, 1 << 30);
	S(pwritev2, 3, out, 1, 0, 0, RWF_APPEND);
	S(pwritev2, 3, out, 1, 0, 0, 1 << 30);
	say_file("f");
	S(lseek, 3, 0, SEEK_SET);
	S(writev, 3, bad, 2);
	say_file("f");
}

static void test_lseek(void)
{
	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(write, 3, "0123456789", 10);
	S(lseek, 3, 0, SEEK_CUR);
	S(lseek, 3, -3l, SEEK_END);
	S(lseek, 3, -3l, SEEK_CUR);
	S(lseek, 3, -5l, SEEK_CUR);
	S(lseek, 3, 100, SEEK_SET);
	S(write, 3, "x", 1);
	S(lseek, 3, 0, SEEK_END);
	S(lseek, 3, 1, 99);
	S(lseek, 3, 0x7fffffffffffffff, SEEK_SET);
	S(lseek, 3, 1, SEEK_CUR);
	S(lseek, 3, 0, SEEK_DATA);
	S(lseek, 3, 0, SEEK_HOLE);
	S(lseek, 3, 200, SEEK_DATA);
	S(lseek, 3, 200, SEEK_HOLE);
	S(ftruncate, 3, 1 << 20);
	S(pwrite64, 3, "y", 1, 700000);
	S(lseek, 3, 50000, SEEK_DATA);
	S(lseek, 3, 0, SEEK_HOLE);
	S(lseek, 3, 700000, SEEK_HOLE);
	S(lseek, 3, 800000, SEEK_DATA);
}

static void test_truncate(void)
{
	char buf[16];

	make_file("f", "0123456789");
	S(truncate, "f", 4);
	say_file("f");
	S(truncate, "f", 8);
	say_file("f");
	S(truncate, "f", -1l);
	S(truncate, "none", 1);
	S(truncate, ".", 1);
	S(open, "f", O_RDONLY);
	S(ftruncate, 3, 1);
	S(open, "f", O_RDWR);
	S(ftruncate, 4, 5000);
	S(pread64, 4, buf, 16, 4996);
	say_bytes("end", buf, 4);
	S(pwrite64, 4, "zz", 2, 4998);
	S(ftruncate, 4, 4999);
	S(ftruncate, 4, 5000);
	S(pread64, 4, buf, 16, 4996);
	say_bytes("end", buf, 4);
	S(ftruncate, 4, -1l);
	S(fallocate, 4, 0, 0, 6000);
	S(lseek, 4, 0, SEEK_END);
	S(fallocate, 4, FALLOC_FL_KEEP_SIZE, 0, 9000);
	S(lseek, 4, 0, SEEK_END);
	S(fallocate, 4, FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 0, 2);
	S(fallocate, 4, FALLOC_FL_PUNCH_HOLE, 0, 2);
	S(pread64, 4, buf, 4, 0);
	say_bytes("start", buf, 4);
	S(fallocate, 4, 0, 0, 0);
	S(fallocate, 4, 0, -1l, 5);
	S(fallocate, 3, 0, 0, 5);
}

static void test_sync(void)
{
	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(fsync, 3);
	S(fdatasync, 3);
	S(sync_file_range, 3, 0, 0, 0);
	S(syncfs, 3);
	S(sync);
	S(fadvise64, 3, 0, 0, POSIX_FADV_SEQUENTIAL);
	S(fadvise64, 3, 0, 0, 77);
	S(readahead, 3, 0, 4096);
}

static void test_copies(void)
{
	long offset = 2, to = 1;

	make_file("a", "0123456789");
	S(open, "a", O_RDONLY);
	S(open, "b", O_RDWR | O_CREAT, 0600);
	S(sendfile, 4, 3, NULL, 4);
	S(sendfile, 4, 3, &offset, 3);
	say("offset %ld", offset);
	S(lseek, 3, 0, SEEK_CUR);
	S(sendfile, 4, 3, NULL, 100);
	S(sendfile, 4, 3, NULL, 100);
	say_file("b");
	S(sendfile, 3, 4, NULL, 1);
	offset = 0;
	S(copy_file_range, 3, &offset, 4, &to, 3, 0);
	say("offsets %ld %ld", offset, to);
	say_file("b");
	S(copy_file_range, 3, &offset, 4, NULL, 100, 0);
	S(copy_file_range, 3, NULL, 4, NULL, 100, 0);
	S(copy_file_range, 3, NULL, 4, NULL, 100, 1);
	S(copy_file_range, 4, NULL, 3, NULL, 100, 0);
	say_file("b");
}

/* What needs a pipe, without one. */
static void test_splice(void)
{
	struct iovec v = {"x", 1};

	S(open, "a", O_RDWR | O_CREAT, 0600);
	S(open, "b", O_RDWR | O_CREAT, 0600);
	S(splice, 3, NULL, 4, NULL, 10, 0);
	S(splice, 99, NULL, 4, NULL, 10, 0);
	S(tee, 3, 4, 10, 0);
	S(tee, 3, 99, 10, 0);
	S(vmsplice, 3, &v, 1, 0);
	S(vmsplice, 99, &v, 1, 0);
}

static void test_splice_pipes(void)
{
	int a[2], b[2]; /* 3 4, 5 6 */
	char text[64] = "";
	long at = 2;
	struct iovec v[2] = {{"vm", 2}, {"splice", 6}}, in = {text, 64};

	if (pipe(a) || pipe(b))
		return;
	make_file("f", "0123456789");
	S(open, "f", O_RDWR, 0);
	S(splice, 7, NULL, 4, NULL, 4, 0);
	S(splice, 7, &at, 4, NULL, 100, 0);
	say("offset %ld", at);
	S(lseek, 7, 0, SEEK_CUR);
	S(splice, 7, &at, 4, NULL, 100, 0);
	S(splice, 7, NULL, 4, &at, 1, 0);
	S(tee, 3, 6, 5, 0);
	S(splice, 3, NULL, 6, NULL, 100, 0);
	say_bytes("second pipe", text, read(5, text, 64));
	S(splice, 3, NULL, 6, NULL, 1, SPLICE_F_NONBLOCK);
	S(tee, 3, 6, 1, SPLICE_F_NONBLOCK);
	S(vmsplice, 4, v, 2, 0);
	S(splice, 3, NULL, 7, &at, 5, 0);
	S(vmsplice, 3, &in, 1, 0);
	say_bytes("rest", text, 3);
	say_file("f");
	S(splice, 7, NULL, 4, NULL, 1, 0x100);
	S(splice, 4, NULL, 7, NULL, 1, 0);
	S(splice, 3, NULL, 4, NULL, 1, 0);
	S(close, 4);
	S(splice, 3, NULL, 7, NULL, 1, 0);
	S(fcntl, 7, F_SETFL, O_APPEND);
	S(write, 6, "x", 1);
	S(splice, 5, NULL, 7, NULL, 1, 0);
}

/* More than a page, across pages, and sparse. */
static void test_big(void)
{
	size_t size = 300000;
	unsigned char *out = malloc(size), *in = calloc(1, size);
	unsigned sum = 0;

	for (size_t i = 0; i < size; i++)
		out[i] = (unsigned char)(i * 31 + i / 4096);
	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(write, 3, out, size);
	S(pread64, 3, in, size, 0);
	say("same %d", memcmp(in, out, size) == 0);
	S(pread64, 3, in, 10000, 4090);
	say("same %d", memcmp(in, out + 4090, 10000) == 0);
	S(pwrite64, 3, out, 9000, 8100);
	S(pread64, 3, in, size, 0);
	say("same %d",
	    memcmp(in + 8100, out, 9000) == 0 &&
		    memcmp(in + 17100, out + 17100, size - 17100) == 0);
	S(pwrite64, 3, "end", 3, 1 << 20);
	S(pread64, 3, in, size, 300000);
	for (size_t i = 0; i < size; i++)
		sum += in[i];
	say("the hole sums up to %u", sum);
	S(lseek, 3, 0, SEEK_END);
	free(out);
	free(in);
}

const struct group rw_groups[] = {
	{"read_write", test_read_write},
	{"vectors", test_vectors},
	{"lseek", test_lseek},
	{"truncate", test_truncate},
	{"sync", test_sync},
	{"copies", test_copies},
	{"splice", test_splice},
	{"splice_pipes", test_splice_pipes},
	{"big", test_big},
	{NULL, NULL},
};
