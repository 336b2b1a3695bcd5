/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_erofs.c - the guest kernel's root from images of mkfs.erofs: what
 * they have, changes over them, and damaged ones. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/erofs.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/lower.h"
#include "tests/unit/mote_fake.h"

struct kernel_stat { /* as stat(2) of the kernel */
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad;
	uint64_t rdev;
	int64_t size, blksize, blocks;
	uint64_t rest[9];
};

static struct image image;
static uint8_t *bytes;

static void load(const char *name)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", EROFS_SEEDS, name);
	f = fopen(path, "rb");
	cr_assert(f, "cannot open %s", path);
	bytes = aligned_alloc(4096, 1 << 16);
	memset(bytes, 0, 1 << 16);
	image = (struct image){.name = "/dev/pmem0", .base = bytes};
	image.bytes = fread(bytes, 1, 1 << 16, f);
	fclose(f);
}

/* The same bytes as a disk would have them. */
static const uint8_t *page_of(struct image *i, uint64_t index, int *err)
{
	static uint8_t page[4096] __attribute__((aligned(4096)));

	memcpy(page, bytes + index * 4096, 4096);
	return page;
}

static void mount_as(const char *name, bool read_only, bool on_disk)
{
	const char *why;

	load(name);
	if (on_disk) {
		image.base = NULL;
		image.page = page_of;
	}
	fake_start(NULL, 0);
	cr_assert_eq(fs_mount_image(&image, read_only, &why), 0, "%s", why);
}

static void mount_name(const char *name, bool read_only)
{
	mount_as(name, read_only, false);
}

static long stat_of(const char *path, struct kernel_stat *ret)
{
	return FAKE_CALL(SYS_lstat, path, ret, 0, 0);
}

static long read_file(const char *path, char *dst, size_t cap)
{
	long fd = FAKE_CALL(SYS_open, path, O_RDONLY, 0, 0), n;

	if (fd < 0)
		return fd;
	n = FAKE_CALL(SYS_read, fd, dst, cap, 0);
	FAKE_CALL(SYS_close, fd, 0, 0, 0);
	return n;
}

static void write_file(const char *path, int flags, const char *text)
{
	long fd = FAKE_CALL(SYS_open, path, flags | O_WRONLY, 0644, 0);

	cr_assert_geq(fd, 0, "%s: %ld", path, fd);
	cr_assert_eq(FAKE_CALL(SYS_write, fd, text, strlen(text), 0),
		     (long)strlen(text));
	FAKE_CALL(SYS_close, fd, 0, 0, 0);
}

struct dirent64_head {
	uint64_t ino, off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

/* All names of a directory in order, ending in spaces; with small buffers, so
 * that positions are used. */
static void list(const char *path, char *dst)
{
	uint64_t buffer[8];
	long fd = FAKE_CALL(SYS_open, path, O_RDONLY | O_DIRECTORY, 0, 0), n;

	*dst = '\0';
	cr_assert_geq(fd, 0);
	while ((n = FAKE_CALL(SYS_getdents64, fd, buffer, sizeof(buffer), 0)) >
	       0) {
		for (long at = 0; at < n;) {
			struct dirent64_head *d = (void *)((char *)buffer + at);

			if (*d->name != '.')
				strcat(strcat(dst, d->name), " ");
			at += d->reclen;
		}
	}
	cr_assert_eq(n, 0);
	FAKE_CALL(SYS_close, fd, 0, 0, 0);
}

static const char *const kinds[] = {"mixed", "extended", "mixed on a disk",
				    "extended on a disk"};

static void mount_kind(size_t kind, bool read_only)
{
	mount_as(kind & 1 ? "extended" : "mixed", read_only, kind > 1);
}

TestSuite(mote_erofs, .timeout = 60);

ParameterizedTestParameters(mote_erofs, shows_what_the_image_has)
{
	static size_t n[] = {0, 1, 2, 3};

	return cr_make_param_array(size_t, n, sizeof(n) / sizeof(n[0]));
}

ParameterizedTest(size_t *kind, mote_erofs, shows_what_the_image_has)
{
	char text[6000], names[256];
	struct kernel_stat st;

	mount_kind(*kind, true);
	list("/dir", names);
	cr_assert_str_eq(names, "again long sub ", "%s", kinds[*kind]);
	cr_assert_eq(read_file("/hello", text, sizeof(text)), 6);
	cr_assert_eq(memcmp(text, "hello\n", 6), 0);
	cr_assert_eq(read_file("/link", text, sizeof(text)), 5000);
	for (int i = 0; i < 5000; i++)
		cr_assert_eq(text[i], 'x');
	cr_assert_eq(read_file("/dir/sub/inner", text, 100), 6);
	cr_assert_eq(stat_of("/hello", &st), 0);
	cr_assert_eq(st.mode, 0104755);
	cr_assert_eq(st.nlink, 2);
	cr_assert_eq(stat_of("/dir", &st), 0);
	cr_assert_eq(st.nlink, 3);
	cr_assert_eq(stat_of("/empty", &st), 0);
	cr_assert_eq(st.uid, 1000);
	cr_assert_eq(st.gid, 100);
	cr_assert_eq(stat_of("/null", &st), 0);
	cr_assert_eq(st.rdev, 0x103);
	cr_assert_eq(stat_of("/none", &st), -ENOENT);
	cr_assert_eq(stat_of("/hello/x", &st), -ENOTDIR);
}

Test(mote_erofs, two_names_are_one_file)
{
	struct kernel_stat a, b;
	char text[16];

	mount_name("mixed", false);
	stat_of("/hello", &a);
	stat_of("/dir/again", &b);
	cr_assert_eq(a.ino, b.ino);
	write_file("/hello", 0, "HE");
	cr_assert_eq(read_file("/dir/again", text, 16), 6);
	cr_assert_eq(memcmp(text, "HEllo\n", 6), 0);
	cr_assert_eq(FAKE_CALL(SYS_unlink, "/hello", 0, 0, 0), 0);
	stat_of("/dir/again", &b);
	cr_assert_eq(b.nlink, 1);
	cr_assert_eq(FAKE_CALL(SYS_unlink, "/dir/again", 0, 0, 0), 0);
	cr_assert_eq(stat_of("/dir/again", &b), -ENOENT);
}

Test(mote_erofs, a_change_outlives_the_name_it_was_made_by)
{
	char text[16];

	mount_name("mixed", false);
	write_file("/hello", O_TRUNC, "new");
	cr_assert_eq(FAKE_CALL(SYS_unlink, "/hello", 0, 0, 0), 0);
	/* Not looked up before: made from the image now. */
	cr_assert_eq(read_file("/dir/again", text, 16), 3);
}

ParameterizedTestParameters(mote_erofs, pages_written_hide_the_images)
{
	static size_t n[] = {0, 1, 2, 3};

	return cr_make_param_array(size_t, n, sizeof(n) / sizeof(n[0]));
}

ParameterizedTest(size_t *kind, mote_erofs, pages_written_hide_the_images)
{
	char text[6000];
	long fd;

	mount_kind(*kind, false);
	fd = FAKE_CALL(SYS_open, "/dir/long", O_RDWR, 0, 0);
	cr_assert_eq(FAKE_CALL(SYS_pwrite64, fd, "yy", 2, 4095), 2);
	cr_assert_eq(FAKE_CALL(SYS_pread64, fd, text, sizeof(text), 0), 5000);
	for (int i = 0; i < 5000; i++)
		cr_assert_eq(text[i], i == 4095 || i == 4096 ? 'y' : 'x');
	cr_assert_eq(FAKE_CALL(SYS_ftruncate, fd, 4500, 0, 0), 0);
	cr_assert_eq(FAKE_CALL(SYS_ftruncate, fd, 5000, 0, 0), 0);
	cr_assert_eq(FAKE_CALL(SYS_pread64, fd, text, sizeof(text), 0), 5000);
	cr_assert_eq(text[4499], 'x');
	cr_assert_eq(text[4500], 0);
	cr_assert_eq(FAKE_CALL(SYS_ftruncate, fd, 100, 0, 0), 0);
	cr_assert_eq(FAKE_CALL(SYS_pread64, fd, text, sizeof(text), 0), 100);
	FAKE_CALL(SYS_close, fd, 0, 0, 0);
}

Test(mote_erofs, removed_names_stay_away)
{
	char names[256];
	struct kernel_stat st;

	mount_name("mixed", false);
	cr_assert_eq(FAKE_CALL(SYS_rmdir, "/dir/sub", 0, 0, 0), -ENOTEMPTY);
	cr_assert_eq(FAKE_CALL(SYS_unlink, "/dir/sub/inner", 0, 0, 0), 0);
	cr_assert_eq(FAKE_CALL(SYS_rmdir, "/dir/sub", 0, 0, 0), 0);
	cr_assert_eq(stat_of("/dir/sub", &st), -ENOENT);
	list("/dir", names);
	cr_assert_str_eq(names, "again long ");
	stat_of("/dir", &st);
	cr_assert_eq(st.nlink, 2);
	/* A new directory of that name has nothing of the old one. */
	cr_assert_eq(FAKE_CALL(SYS_mkdir, "/dir/sub", 0755, 0, 0), 0);
	list("/dir/sub", names);
	cr_assert_str_eq(names, "");
	write_file("/dir/aaa", O_CREAT | O_EXCL, "a");
	list("/dir", names);
	cr_assert_str_eq(names, "again long sub aaa ");
}

Test(mote_erofs, directories_can_be_renamed)
{
	char names[256], text[16];
	struct kernel_stat st;

	mount_name("mixed", false);
	cr_assert_eq(FAKE_CALL(SYS_rename, "/dir", "/moved", 0, 0), 0);
	cr_assert_eq(stat_of("/dir", &st), -ENOENT);
	list("/moved", names);
	cr_assert_str_eq(names, "again long sub ");
	cr_assert_eq(read_file("/moved/sub/inner", text, 16), 6);
	cr_assert_eq(FAKE_CALL(SYS_rename, "/moved/sub", "/dir", 0, 0), 0);
	cr_assert_eq(read_file("/dir/inner", text, 16), 6);
	cr_assert_eq(FAKE_CALL(SYS_rename, "/empty", "/hello", 0, 0), 0);
	cr_assert_eq(read_file("/hello", text, 16), 0);
	cr_assert_eq(read_file("/moved/again", text, 16), 6);
	cr_assert_eq(FAKE_CALL(SYS_rename, "/moved", "/tmp/x", 0, 0), -EXDEV);
}

static const struct refused {
	const char *what;
	int call;
	uint64_t a, b, c;
} refused_calls[] = {
	{"mkdir", SYS_mkdir, (uint64_t) "/new", 0755},
	{"create", SYS_open, (uint64_t) "/new", O_CREAT | O_WRONLY},
	{"write", SYS_open, (uint64_t) "/hello", O_RDWR},
	{"truncate", SYS_truncate, (uint64_t) "/hello", 1},
	{"cut", SYS_open, (uint64_t) "/hello", O_RDONLY | O_TRUNC},
	{"unlink", SYS_unlink, (uint64_t) "/hello"},
	{"rmdir", SYS_rmdir, (uint64_t) "/dir"},
	{"rename", SYS_rename, (uint64_t) "/hello", (uint64_t) "/h"},
	{"link", SYS_link, (uint64_t) "/hello", (uint64_t) "/h"},
	{"symlink", SYS_symlink, (uint64_t) "x", (uint64_t) "/s"},
	{"chmod", SYS_chmod, (uint64_t) "/hello", 0600},
	{"chown", SYS_chown, (uint64_t) "/hello", 1, 1},
	{"utimes", SYS_utimes, (uint64_t) "/hello", 0},
	{"access", SYS_access, (uint64_t) "/hello", 2},
	{"mknod", SYS_mknod, (uint64_t) "/p", 0010644},
};

Test(mote_erofs, refuses_changes_when_read_only)
{
	struct kernel_stat st;

	mount_name("mixed", true);
	for (size_t i = 0; i < sizeof(refused_calls) / sizeof(struct refused);
	     i++) {
		const struct refused *r = &refused_calls[i];

		cr_expect_eq(FAKE_CALL(r->call, r->a, r->b, r->c, 0), -EROFS,
			     "%s", r->what);
	}
	cr_assert_eq(stat_of("/hello", &st), 0);
	cr_assert_eq(st.nlink, 2);
	/* What is not of the image can be changed all the same. */
	cr_assert_eq(FAKE_CALL(SYS_mkdir, "/tmp/d", 0755, 0, 0), 0);
	cr_assert_eq(FAKE_CALL(SYS_mkdir, "/run/d", 0755, 0, 0), 0);
}

/* Everything a walk finds is looked at; the root's directories come again for
 * ever in some damaged images. */
static void walk(const char *path, unsigned depth, unsigned *steps)
{
	uint64_t buffer[512];
	long fd = FAKE_CALL(SYS_open, path, O_RDONLY, 0, 0), n;
	static char text[4096];

	if (fd < 0)
		return;
	n = FAKE_CALL(SYS_getdents64, fd, buffer, sizeof(buffer), 0);
	if (n == -ENOTDIR)
		FAKE_CALL(SYS_read, fd, text, sizeof(text), 0);
	for (long at = 0; at < n && depth && (*steps)++ < 64;) {
		struct dirent64_head *d = (void *)((char *)buffer + at);
		struct kernel_stat st;
		char child[1024];

		at += d->reclen;
		snprintf(child, sizeof(child), "%s/%s", path, d->name);
		if (*d->name == '.' || stat_of(child, &st) ||
		    (st.mode & 0170000) == 0010000)
			continue;
		walk(child, depth - 1, steps);
	}
	FAKE_CALL(SYS_close, fd, 0, 0, 0);
}

/* A kernel of its own for each image. Return: was it taken? */
static bool look_at_damaged(void)
{
	pid_t child = fork();
	int status;

	if (!child) {
		const char *why = NULL;
		unsigned steps = 0;

		fake_start(NULL, 0);
		if (fs_mount_image(&image, false, &why))
			_exit(why ? 1 : 2);
		walk("/dir", 4, &steps);
		walk("/hello", 0, &steps);
		walk("/link", 0, &steps);
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) < 2, "%x", status);
	return !WEXITSTATUS(status);
}

/* Bytes of superblock, inodes and directories, one at a time; all of them in
 * fuzz_erofs.c. */
Test(mote_erofs, survives_damaged_bytes)
{
	unsigned mounted = 0, at = 0;

	load("mixed");
	bytes[1032] &= 0xfe; /* no checksum */
	for (uint64_t i = 1024; i < image.bytes; i++) {
		uint8_t old = bytes[i];

		if (!old || at++ % 4)
			continue; /* most of it is nothing */
		bytes[i] = (uint8_t)~old;
		mounted += look_at_damaged();
		bytes[i] = (uint8_t)(old ^ 1);
		mounted += look_at_damaged();
		bytes[i] = old;
	}
	cr_assert_gt(mounted, 20);
}

static const char *const refused_images[][2] = {
	{"chunks", "chunks"},        {"cut", "shorter"},   {"sum", "checksum"},
	{"magic", "no EROFS image"}, {"empty", "shorter"},
};

ParameterizedTestParameters(mote_erofs, says_why_it_refuses)
{
	static size_t n[] = {0, 1, 2, 3, 4};

	return cr_make_param_array(size_t, n, sizeof(n) / sizeof(n[0]));
}

ParameterizedTest(size_t *n, mote_erofs, says_why_it_refuses)
{
	const char *why = NULL;

	load(*n ? "mixed" : "chunks");
	if (*n == 1)
		image.bytes -= 4096;
	if (*n == 2)
		bytes[1024 + 64] ^= 1;
	if (*n == 3)
		bytes[1024] ^= 1;
	if (*n == 4)
		image.bytes = 0;
	fake_start(NULL, 0);
	cr_assert_lt(fs_mount_image(&image, true, &why), 0);
	cr_assert(strstr(why, refused_images[*n][1]), "%s: %s",
		  refused_images[*n][0], why);
}

Test(mote_erofs, refuses_compressed_files_one_by_one)
{
	char text[16];

	mount_name("compressed", true);
	cr_assert_eq(read_file("/dir/long", text, 16), -EOPNOTSUPP);
	cr_assert_eq(read_file("/hello", text, 16), 6);
}
