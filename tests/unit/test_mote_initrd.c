/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_initrd.c - the guest kernel's tree while the initrd is not
 * unpacked yet: what is found without it, and what asks for it. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/initrd.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/process.h"
#include "tests/unit/mote_fake.h"

#define CALL  FAKE_CALL
#define FILES 100

static struct fake_cpio archive __attribute__((aligned(4096)));

/* As the packer writes it: run block, directories, program, the rest. */
static void start(void)
{
	static const char block[] = "12345678/usr/prog\0/usr/pro\0/usr/no";
	char name[32];

	fake_cpio_add(&archive, "ampoule.run", 0100400, block, sizeof(block),
		      0);
	fake_cpio_add(&archive, "usr", 0040750, "", 0, 0);
	fake_cpio_add(&archive, "usr/prog", 0100755, "program", 7, 0);
	fake_cpio_add(&archive, "dev/extra", 0100644, "x", 1, 0);
	fake_cpio_add(&archive, "tmp/file", 0100644, "y", 1, 0);
	fake_cpio_add(&archive, "link", 0120777, "usr", 3, 0);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		fake_cpio_add(&archive, name, 0100644, "z", 1, 0);
	}
	fake_cpio_end(&archive);
	fake_start(archive.bytes, archive.used);
	cr_assert(initrd_pending());
}

TestSuite(mote_initrd, .init = start);

static const char *path_in_block(const char *want)
{
	uint64_t bytes;
	const char *p = fs_runblock(&bytes);
	const char *found = p ? memmem(p, bytes, want, strlen(want) + 1) : NULL;

	cr_assert(found);
	return found;
}

static struct inode *run_program(void)
{
	struct file *f;

	cr_assert_eq(file_open_kernel(path_in_block("/usr/prog"), &f), 0);
	current_process()->exe = f->inode;
	inode_ref(f->inode);
	file_unref(f);
	return current_process()->exe;
}

static long stat_of(const char *path, struct stat *st)
{
	return CALL(SYS_stat, path, st, 0, 0);
}

Test(mote_initrd, finds_the_program_without_the_tree)
{
	char text[64] = "";
	struct stat st;

	run_program();
	cr_assert_eq(CALL(SYS_readlink, "/proc/self/exe", text, 64, 0), 9);
	cr_assert_str_eq(text, "/usr/prog");
	cr_assert_eq(CALL(SYS_readlink, "/proc/self/exe", text, 4, 0), 4);
	cr_assert_geq(CALL(SYS_open, "/dev/null", O_RDWR, 0, 0), 0);
	cr_assert_geq(CALL(SYS_open, "/proc/self/status", O_RDONLY, 0, 0), 0);
	cr_assert_eq(CALL(SYS_lstat, "/proc/self/exe", &st, 0, 0), 0);
	cr_assert(initrd_pending());
}

Test(mote_initrd, gives_the_program_its_name_later)
{
	struct stat exe, prog;
	char text[64] = "";

	run_program();
	cr_assert_eq(stat_of("/proc/self/exe", &exe), 0);
	cr_assert_not(initrd_pending());
	cr_assert_eq(stat_of("/usr/prog", &prog), 0);
	cr_assert_eq(exe.st_ino, prog.st_ino);
	cr_assert_eq(exe.st_nlink, 1);
	cr_assert_eq(CALL(SYS_readlink, "/proc/1/exe", text, 64, 0), 9);
	cr_assert_str_eq(text, "/usr/prog");
	cr_assert_eq(CALL(SYS_unlink, "/usr/prog", 0, 0, 0), 0);
	cr_assert_eq(stat_of("/proc/self/exe", &exe), 0);
	cr_assert_eq(exe.st_nlink, 0);
}

Test(mote_initrd, takes_no_other_file_for_the_program)
{
	struct file *f;

	cr_assert_eq(file_open_kernel(path_in_block("/usr/pro"), &f), -ENOENT);
	cr_assert_eq(file_open_kernel(path_in_block("/usr/no"), &f), -ENOENT);
}

Test(mote_initrd, asks_for_permission_on_the_way)
{
	struct file *f;

	fake_ids(500, 500);
	cr_assert_eq(file_open_kernel(path_in_block("/usr/prog"), &f), -EACCES);
}

struct lookup {
	const char path[24];
	long mode;
};

ParameterizedTestParameters(mote_initrd, shows_the_archive_everywhere)
{
	static struct lookup all[] = {
		{"/dev/extra", S_IFREG | 0644},
		{"/tmp/file", S_IFREG | 0644},
		{"/sys", S_IFDIR | 0555},
		{"/link", S_IFDIR | 0750},
		{"/many/99", S_IFREG | 0644},
		{"/", S_IFDIR | 0755},
		{"/proc/self/cwd/usr/prog", S_IFREG | 0755},
	};

	return cr_make_param_array(struct lookup, all,
				   sizeof(all) / sizeof(all[0]));
}

ParameterizedTest(struct lookup *l, mote_initrd, shows_the_archive_everywhere)
{
	struct stat st;

	cr_assert_eq(stat_of(l->path, &st), 0, "%s", l->path);
	cr_assert_eq(st.st_mode, l->mode, "%s: %o", l->path, st.st_mode);
}

Test(mote_initrd, lists_the_whole_root)
{
	static char text[4096];
	long fd = CALL(SYS_open, "/", O_RDONLY | O_DIRECTORY, 0, 0);
	long n = CALL(SYS_getdents64, fd, text, sizeof(text), 0);
	static const char *const names[] = {"usr", "many", "link",
					    "dev", "proc", "tmp"};

	cr_assert_gt(n, 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_assert(
			memmem(text, (size_t)n, names[i], strlen(names[i]) + 1),
			"%s", names[i]);
}

Test(mote_initrd, says_no_memory_and_goes_on_later)
{
	struct stat st;
	char name[32];

	fake_pages_limit(fake_pages_used() + 2);
	cr_assert_eq(stat_of("/many/99", &st), -ENOMEM);
	cr_assert(initrd_pending());
	cr_assert_eq(stat_of("/nothing", &st), -ENOMEM);
	fake_pages_limit(fake_pages_used() + 100);
	for (int i = 0; i < FILES; i++) {
		snprintf(name, sizeof(name), "/many/%d", i);
		cr_assert_eq(stat_of(name, &st), 0, "%s", name);
	}
	cr_assert_eq(stat_of("/nothing", &st), -ENOENT);
	cr_assert_not(initrd_pending());
}
