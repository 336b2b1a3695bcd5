/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_index.c - an archive with an index, as the packer writes it and
 * the guest kernel reads it: names are made one by one, and a broken index
 * costs no more than the names in it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/abi/initrdindex.h"
#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/initrd.h"
#include "kernels/mote/proc/process.h"
#include "runner/cli/cpio.h"
#include "runner/cli/image.h"
#include "runner/cli/index.h"
#include "runner/cli/problem.h"
#include "tests/unit/mote_fake.h"

#define CALL  FAKE_CALL
#define FILES 300

static uint8_t archive[1 << 18] __attribute__((aligned(4096)));
static uint64_t archive_bytes;
static struct initrd_index *head; /* in the archive */

static void add(struct image *image, enum image_kind kind, const char *path,
		const char *text)
{
	if (kind == IMAGE_BYTES)
		cr_assert_eq(image_add_bytes(image, path, 0100644, strdup(text),
					     strlen(text)),
			     0);
	else
		cr_assert_eq(image_add(image, kind, path, NULL,
				       kind == IMAGE_LINK ? text : NULL),
			     0);
}

static void fill(struct image *image)
{
	char path[64];

	add(image, IMAGE_DIR, "/usr", NULL);
	add(image, IMAGE_BYTES, "/usr/prog", "program");
	add(image, IMAGE_DIR, "/dev", NULL);
	add(image, IMAGE_BYTES, "/dev/extra", "x");
	add(image, IMAGE_LINK, "/link", "usr/lib");
	add(image, IMAGE_DIR, "/usr/lib", NULL);
	add(image, IMAGE_DIR, "/usr/lib/12345678", NULL);
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "/usr/lib/12345678/file%d", i);
		add(image, IMAGE_BYTES, path, path);
	}
}

static void write_all(struct image *image, int fd)
{
	static const char block[] = "12345678/usr/prog";
	struct cpio_entry run = {
		.name = "ampoule.run", .mode = 0100400, .bytes = sizeof(block)};
	struct cpio_entry index = {.name = INITRD_INDEX_NAME,
				   .mode = 0100400,
				   .bytes = index_bytes(image),
				   .page_aligned = true};
	void *bytes = calloc(1, index.bytes);
	struct problem why;
	struct cpio *c;
	uint64_t at;

	cr_assert_eq(cpio_new(fd, &c), 0);
	cr_assert_eq(cpio_add(c, &run, block), 0);
	at = cpio_position(c);
	cr_assert_eq(cpio_add(c, &index, bytes), 0);
	free(bytes);
	cr_assert_eq(image_write(image, "/usr/prog", c, &why), 0);
	cr_assert_eq(index_build(image, &bytes), 0);
	cr_assert_eq(cpio_patch(c, at, &index, bytes), 0);
	free(bytes);
	cr_assert_eq(cpio_finish(c, &archive_bytes), 0);
	cpio_free(c);
}

static void pack(void)
{
	struct image image = {0};
	int fd = memfd_create("archive", 0);

	fill(&image);
	cr_assert(index_wanted(&image));
	write_all(&image, fd);
	image_done(&image);
	cr_assert_leq(archive_bytes, sizeof(archive));
	cr_assert_eq(pread(fd, archive, archive_bytes, 0),
		     (ssize_t)archive_bytes);
	close(fd);
	head = (struct initrd_index *)(archive + 4096);
	cr_assert_eq(head->magic, INITRD_INDEX_MAGIC);
}

static void start(void)
{
	pack();
	fake_start(archive, archive_bytes);
}

TestSuite(mote_index, .init = start);

static long stat_of(const char *path, struct stat *st)
{
	return CALL(SYS_stat, path, st, 0, 0);
}

Test(mote_index, makes_the_names_that_are_looked_up)
{
	struct inode *lib = dir_root();
	struct stat st;

	cr_assert_not(initrd_pending());
	cr_assert_eq(stat_of("/usr/lib/12345678/file7", &st), 0);
	cr_assert_eq(st.st_size, 23);
	cr_assert_eq(stat_of("/link/12345678/file299", &st), 0);
	cr_assert_eq(stat_of("/usr/lib/12345678/file300", &st), -ENOENT);
	cr_assert_eq(stat_of("/usr/lib/1234567", &st), -ENOENT);
	cr_assert_eq(stat_of("/dev/extra", &st), 0);
	cr_assert_eq(stat_of("/dev/null", &st), 0);
	cr_assert_eq(stat_of("/ampoule.index", &st), -ENOENT);
	cr_assert(lib->flags & INODE_PARTIAL);
	cr_assert_eq(stat_of("/", &st), 0); /* all of it */
	cr_assert_not(lib->flags & INODE_PARTIAL);
	/* usr, and what is mounted: dev, proc, sys, tmp */
	cr_assert_eq(st.st_nlink, 2 + 5);
}

Test(mote_index, finds_the_program_without_names)
{
	uint64_t bytes;
	const char *block = fs_runblock(&bytes);
	char text[32] = "";
	struct stat exe, prog;
	struct file *f;

	cr_assert_eq(file_open_kernel(block + 8, &f), 0);
	current_process()->exe = f->inode;
	inode_ref(f->inode);
	file_unref(f);
	cr_assert_eq(CALL(SYS_readlink, "/proc/self/exe", text, 32, 0), 9);
	cr_assert_eq(stat_of("/usr/prog", &prog), 0);
	cr_assert_eq(stat_of("/proc/self/exe", &exe), 0);
	cr_assert_eq(exe.st_ino, prog.st_ino);
}

Test(mote_index, lists_whole_directories)
{
	char buffer[16384];
	long fd = CALL(SYS_open, "/usr/lib/12345678", O_DIRECTORY, 0, 0), n;
	int names = 0;

	cr_assert_geq(fd, 0);
	while ((n = CALL(SYS_getdents64, fd, buffer, sizeof(buffer), 0)) > 0)
		for (long at = 0; at < n; names++)
			at += *(uint16_t *)(buffer + at + 16);
	cr_assert_eq(n, 0);
	cr_assert_eq(names, FILES + 2);
}

Test(mote_index, removed_names_stay_removed)
{
	struct stat st;

	cr_assert_eq(CALL(SYS_unlink, "/usr/lib/12345678/file1", 0, 0, 0), 0);
	cr_assert_eq(stat_of("/usr/lib/12345678/file1", &st), -ENOENT);
	cr_assert_eq(CALL(SYS_rmdir, "/usr/lib/12345678", 0, 0, 0), -ENOTEMPTY);
	cr_assert_eq(CALL(SYS_rename, "/usr/lib", "/usr/moved", 0, 0), 0);
	cr_assert_eq(stat_of("/usr/moved/12345678/file2", &st), 0);
	cr_assert_eq(stat_of("/usr/moved/12345678/file1", &st), -ENOENT);
	cr_assert_eq(stat_of("/usr/lib", &st), -ENOENT);
	cr_assert_eq(CALL(SYS_mkdir, "/new", 0755, 0, 0), 0);
	cr_assert_eq(CALL(SYS_rename, "/new", "/usr/moved", 0, 0), -ENOTEMPTY);
}

Test(mote_index, says_when_memory_is_short)
{
	struct stat st;

	fake_pages_limit(fake_pages_used());
	while (CALL(SYS_mkdir, "/usr/a", 0755, 0, 0) == 0)
		cr_assert_eq(CALL(SYS_rename, "/usr/a", "/usr/b", 0, 0), 0);
	cr_assert_eq(stat_of("/usr/lib/12345678", &st), -ENOMEM);
	fake_pages_limit(4096);
	cr_assert_eq(stat_of("/usr/lib/12345678", &st), 0);
}

/* In a child, because a machine can be started once. */
static void look_up_all(void)
{
	char path[64];
	struct stat st;

	fake_start(archive, archive_bytes);
	for (int i = 0; i < FILES; i += 50) {
		snprintf(path, sizeof(path), "/usr/lib/12345678/file%d", i);
		(void)stat_of(path, &st);
	}
	(void)stat_of("/usr/lib/12345678", &st);
	(void)stat_of("/usr", &st);
	(void)stat_of("/", &st);
	_exit(0);
}

/* A word of the index at a time gets a value that leads astray. */
Test(mote_index, survives_any_index, .init = pack)
{
	static const uint32_t wrong[] = {0, 1, 5, 310, 0x7fffffff, UINT32_MAX};
	size_t words = (sizeof(*head) + 4ul * head->buckets +
			head->records * sizeof(struct initrd_record)) /
		       4;

	for (size_t n = 0; n < words; n += n < 8 ? 1 : 7) {
		uint32_t *word = (uint32_t *)head + n, old = *word;
		int status;
		pid_t pid;

		*word = wrong[n % 6];
		pid = fork();
		cr_assert_geq(pid, 0);
		if (!pid)
			look_up_all();
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert_eq(status, 0, "word %zu", n);
		*word = old;
	}
}
