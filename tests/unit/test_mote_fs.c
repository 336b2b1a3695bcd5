/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_fs.c - the guest kernel's files, called as a program calls them,
 * over fake pages and memory (mote_fake.h). Every test starts with a tree of
 * its own: Criterion gives each a process. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/mm/page.h"
#include "tests/unit/mote_fake.h"

#define CALL FAKE_CALL

static struct fake_cpio archive __attribute__((aligned(4096)));
static char page_of_a[4096];

static void start(void)
{
	memset(page_of_a, 'a', sizeof(page_of_a));
	fake_cpio_add(&archive, "usr", 0040755, "", 0, 0);
	fake_cpio_add(&archive, "usr/lib/deep/x.so", 0100755, "library", 7, 0);
	fake_cpio_add(&archive, "usr/lib/deep/y.so", 0100644, "other", 5, 0);
	fake_cpio_add(&archive, "usr/big", 0100644, page_of_a, 4096, 1);
	fake_cpio_add(&archive, "lib", 0120777, "usr/lib", 7, 0);
	fake_cpio_add(&archive, "./etc/motd", 0100600, "hello\n", 6, 0);
	fake_cpio_add(&archive, "a/../../b", 0100644, "no", 2, 0);
	fake_cpio_end(&archive);
	fake_start(archive.bytes, archive.used);
}

TestSuite(mote_fs, .init = start);

static long open_file(const char *path, int flags)
{
	return CALL(SYS_open, path, flags, 0644, 0);
}

static long write_text(long fd, const char *text)
{
	return CALL(SYS_write, fd, text, strlen(text), 0);
}

static void expect_content(const char *path, const char *want, size_t bytes)
{
	static char got[1 << 16];
	long fd = open_file(path, O_RDONLY);

	cr_assert_geq(fd, 0, "%s: %ld", path, fd);
	cr_assert_eq(CALL(SYS_read, fd, got, sizeof(got), 0), (long)bytes);
	cr_assert_arr_eq(got, want, bytes);
	CALL(SYS_close, fd, 0, 0, 0);
}

Test(mote_fs, reads_initrd_files_through_links_and_made_directories)
{
	expect_content("/usr/lib/deep/x.so", "library", 7);
	expect_content("/lib/deep/y.so", "other", 5);
	expect_content("/etc/motd", "hello\n", 6);
	cr_assert_eq(open_file("/b", O_RDONLY), -ENOENT);
}

Test(mote_fs, decodes_ids_and_times_of_the_archive_when_asked)
{
	struct stat st;

	cr_assert_eq(CALL(SYS_stat, "/etc/motd", &st, 0, 0), 0);
	cr_assert_eq(st.st_uid, 1000);
	cr_assert_eq(st.st_gid, 100);
	cr_assert_eq(st.st_mtime, 0x5f000000);
	cr_assert_eq(st.st_mode, S_IFREG | 0600);
	cr_assert_eq(st.st_size, 6);
}

Test(mote_fs, writes_hide_the_archive_but_leave_it_alone)
{
	long fd = open_file("/usr/big", O_RDWR);
	char want[4096];

	memcpy(want, page_of_a, sizeof(want));
	want[10] = 'b';
	cr_assert_eq(CALL(SYS_pwrite64, fd, "b", 1, 10), 1);
	expect_content("/usr/big", want, sizeof(want));
	cr_assert_eq(memmem(archive.bytes, archive.used, "aab", 3), NULL);
}

Test(mote_fs, maps_archive_pages_in_place_and_others_once)
{
	uint64_t pa, again, used = fake_pages_used();
	struct file *f;

	cr_assert_eq(file_open_kernel("/usr/big", &f), 0);
	cr_assert_eq(f->ops->map_page(f, 0, false, &pa), 0);
	cr_assert_eq(fake_pages_used(), used);
	cr_assert_arr_eq((char *)pa_to_va(pa), page_of_a, 4096);
	cr_assert_eq(f->ops->map_page(f, 1, false, &pa), -EIO);
	file_unref(f);
	cr_assert_eq(file_open_kernel("/etc/motd", &f), 0);
	cr_assert_eq(f->ops->map_page(f, 0, false, &pa), 0);
	cr_assert_eq(f->ops->map_page(f, 0, true, &again), 0);
	cr_assert_eq(pa, again);
	cr_assert_eq(((char *)pa_to_va(pa))[6], 0, "zero past the end");
}

Test(mote_fs, reads_holes_as_zeros_and_finds_them)
{
	long fd = open_file("/tmp/sparse", O_CREAT | O_RDWR);
	char byte = 1;

	cr_assert_eq(CALL(SYS_pwrite64, fd, "x", 1, 1 << 30), 1);
	cr_assert_eq(CALL(SYS_pread64, fd, &byte, 1, 12345), 1);
	cr_assert_eq(byte, 0);
	cr_assert_eq(CALL(SYS_lseek, fd, 5, 3, 0), 1 << 30, "SEEK_DATA");
	cr_assert_eq(CALL(SYS_lseek, fd, 1 << 30, 4, 0), (1 << 30) + 1);
	cr_assert_eq(CALL(SYS_lseek, fd, 2ul << 30, 3, 0), -ENXIO);
}

Test(mote_fs, forgets_what_was_truncated)
{
	long fd = open_file("/etc/motd", O_RDWR);

	cr_assert_eq(CALL(SYS_ftruncate, fd, 2, 0, 0), 0);
	cr_assert_eq(CALL(SYS_ftruncate, fd, 6, 0, 0), 0);
	expect_content("/etc/motd", "he\0\0\0\0", 6);
}

Test(mote_fs, gives_pages_back_with_the_last_user)
{
	uint64_t used;
	long fd = open_file("/tmp/t", O_CREAT | O_RDWR);

	CALL(SYS_unlink, "/tmp/t", 0, 0, 0);
	used = fake_pages_used();
	for (int i = 0; i < 100; i++)
		CALL(SYS_write, fd, page_of_a, 4096, 0);
	cr_assert_geq(fake_pages_used(), used + 100);
	cr_assert_eq(CALL(SYS_close, fd, 0, 0, 0), 0);
	cr_assert_eq(fake_pages_used(), used);
}

Test(mote_fs, says_no_space_when_pages_run_out_and_goes_on)
{
	long fd = open_file("/tmp/t", O_CREAT | O_RDWR), n;

	fake_pages_limit(fake_pages_used() + 200);
	while ((n = CALL(SYS_write, fd, page_of_a, 4096, 0)) > 0)
		;
	cr_assert_eq(n, -ENOSPC);
	cr_assert_eq(CALL(SYS_ftruncate, fd, 0, 0, 0), 0);
	cr_assert_eq(CALL(SYS_pwrite64, fd, "x", 1, 0), 1);
}

Test(mote_fs, leaks_nothing_into_a_page_when_a_write_faults_midway)
{
	long fd = open_file("/tmp/t", O_CREAT | O_RDWR);
	struct iovec part[2] = {{page_of_a, 100}, {(void *)16, 3996}};
	char got[4096], zeros[4096] = {0};

	CALL(SYS_ftruncate, fd, 4096, 0, 0);
	cr_assert_eq(CALL(SYS_writev, fd, part, 2, 0), 100);
	cr_assert_eq(CALL(SYS_pread64, fd, got, 4096, 0), 4096);
	cr_assert_arr_eq(got + 100, zeros, 3996);
}

Test(mote_fs, lists_each_name_once_while_names_are_removed)
{
	char path[32], buffer[256];
	unsigned seen = 0;
	long fd, n;

	CALL(SYS_mkdir, "/tmp/d", 0755, 0, 0);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/tmp/d/%d", i);
		CALL(SYS_close, open_file(path, O_CREAT | O_WRONLY), 0, 0, 0);
	}
	fd = open_file("/tmp/d", O_RDONLY);
	while ((n = CALL(SYS_getdents64, fd, buffer, sizeof(buffer), 0)) > 0) {
		for (long at = 0; at < n;
		     at += *(uint16_t *)(buffer + at + 16)) {
			const char *name = buffer + at + 19;

			if (name[0] == '.')
				continue;
			snprintf(path, sizeof(path), "/tmp/d/%.8s", name);
			cr_assert_eq(CALL(SYS_unlink, path, 0, 0, 0), 0);
			seen++;
		}
	}
	cr_assert_eq(n, 0);
	cr_assert_eq(seen, 100);
	cr_assert_eq(CALL(SYS_rmdir, "/tmp/d", 0, 0, 0), 0);
}

Test(mote_fs, finds_three_thousand_names)
{
	char path[64];
	struct stat st;

	for (int i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), "/tmp/name-%d-of-many", i);
		cr_assert_eq(CALL(SYS_mkdir, path, 0755, 0, 0), 0);
	}
	for (int i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), "/tmp/name-%d-of-many", i);
		cr_assert_eq(CALL(SYS_stat, path, &st, 0, 0), 0);
	}
	cr_assert_eq(CALL(SYS_stat, "/tmp", &st, 0, 0), 0);
	cr_assert_eq(st.st_nlink, 3002);
}

static const struct {
	const char *path;
	long want;
} paths[] = {
	{"", -ENOENT},
	{"/usr/big/", -ENOTDIR},
	{"/usr/big/x", -ENOTDIR},
	{"/tmp/loop", -ELOOP},
	{"/tmp/dangling", -ENOENT},
	{"/../../etc/motd", 0},
	{"//etc///motd", 0},
	{"/lib/../lib/deep/./x.so", 0},
	{"/tmp/slash-link/", -ENOTDIR},
	{"/proc/self/fd/1", 0},
	{"/proc/self/fd/99", -ENOENT},
	{"/dev/stdin", 0},
};

Test(mote_fs, resolves_paths_as_path_resolution_7_says)
{
	char deep[5000];
	struct stat st;

	CALL(SYS_symlink, "loop", "/tmp/loop", 0, 0);
	CALL(SYS_symlink, "nowhere", "/tmp/dangling", 0, 0);
	CALL(SYS_symlink, "/usr/big", "/tmp/slash-link", 0, 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		cr_expect_eq(CALL(SYS_stat, paths[i].path, &st, 0, 0),
			     paths[i].want, "%s", paths[i].path);
	memset(deep, '/', sizeof(deep));
	deep[4095] = '\0';
	cr_expect_eq(CALL(SYS_stat, deep, &st, 0, 0), 0);
	deep[4095] = '/';
	deep[4096] = '\0';
	cr_expect_eq(CALL(SYS_stat, deep, &st, 0, 0), -ENAMETOOLONG);
	memset(deep, 'n', 300);
	deep[256] = '\0';
	cr_expect_eq(CALL(SYS_stat, deep, &st, 0, 0), -ENAMETOOLONG);
	deep[255] = '\0';
	cr_expect_eq(CALL(SYS_stat, deep, &st, 0, 0), -ENOENT);
	cr_expect_eq(CALL(SYS_stat, 8, &st, 0, 0), -EFAULT);
}

Test(mote_fs, keeps_an_ordinary_user_out)
{
	long fd;

	CALL(SYS_mkdir, "/tmp/locked", 0700, 0, 0);
	CALL(SYS_close, open_file("/tmp/locked/f", O_CREAT), 0, 0, 0);
	CALL(SYS_close, open_file("/tmp/roots", O_CREAT), 0, 0, 0);
	fake_ids(7, 7);
	cr_expect_eq(open_file("/etc/motd", O_RDONLY), -EACCES);
	cr_expect_eq(open_file("/tmp/locked/f", O_RDONLY), -EACCES);
	cr_expect_eq(open_file("/usr/big", O_WRONLY), -EACCES);
	cr_expect_eq(open_file("/usr/new", O_CREAT), -EACCES);
	cr_expect_eq(CALL(SYS_chmod, "/usr/big", 0777, 0, 0), -EPERM);
	cr_expect_eq(CALL(SYS_chown, "/usr/big", 7, 7, 0), -EPERM);
	cr_expect_eq(CALL(SYS_unlink, "/tmp/roots", 0, 0, 0), -EPERM, "sticky");
	fd = open_file("/tmp/mine", O_CREAT | O_WRONLY);
	cr_expect_geq(fd, 0);
	cr_expect_eq(CALL(SYS_fchmod, fd, 0600, 0, 0), 0);
	cr_expect_eq(CALL(SYS_unlink, "/tmp/mine", 0, 0, 0), 0);
}

Test(mote_fs, keeps_directories_a_tree)
{
	CALL(SYS_mkdir, "/tmp/a", 0755, 0, 0);
	CALL(SYS_mkdir, "/tmp/a/b", 0755, 0, 0);
	cr_expect_eq(CALL(SYS_rename, "/tmp/a", "/tmp/a/b/c", 0, 0), -EINVAL);
	cr_expect_eq(CALL(SYS_rename, "/tmp/a/b", "/tmp/a", 0, 0), -ENOTEMPTY);
	cr_expect_eq(CALL(SYS_rmdir, "/tmp/a", 0, 0, 0), -ENOTEMPTY);
	cr_expect_eq(CALL(SYS_rmdir, "/proc", 0, 0, 0), -EBUSY);
	cr_expect_eq(CALL(SYS_unlink, "/proc/self", 0, 0, 0), -EPERM);
	cr_expect_eq(open_file("/proc/new", O_CREAT), -ENOENT);
}

Test(mote_fs, passes_bytes_through_a_pipe_and_knows_its_ends)
{
	struct pollfd p = {.events = POLLIN | POLLOUT};
	static char many[65537];
	int fd[2];

	cr_assert_eq(CALL(SYS_pipe2, fd, O_NONBLOCK, 0, 0), 0);
	cr_expect_eq(CALL(SYS_read, fd[0], many, 1, 0), -EAGAIN);
	cr_expect_eq(CALL(SYS_write, fd[1], many, sizeof(many), 0), 65536);
	cr_expect_eq(CALL(SYS_write, fd[1], many, 1, 0), -EAGAIN);
	p.fd = fd[1];
	cr_expect_eq(CALL(SYS_poll, &p, 1, 0, 0), 0);
	cr_expect_eq(CALL(SYS_read, fd[0], many, 5000, 0), 5000);
	cr_expect_eq(CALL(SYS_write, fd[1], "tail", 4, 0), 4);
	cr_expect_eq(CALL(SYS_read, fd[0], many, sizeof(many), 0), 60540);
	cr_expect_eq(memcmp(many + 60536, "tail", 4), 0);
	CALL(SYS_close, fd[1], 0, 0, 0);
	cr_expect_eq(CALL(SYS_read, fd[0], many, 1, 0), 0);
	p.fd = fd[0];
	cr_expect_eq(CALL(SYS_poll, &p, 1, 0, 0), 1);
	cr_expect_eq(p.revents, POLLHUP);
}

Test(mote_fs, raises_sigpipe_when_nobody_reads)
{
	int fd[2];

	cr_assert_eq(CALL(SYS_pipe, fd, 0, 0, 0), 0);
	CALL(SYS_close, fd[0], 0, 0, 0);
	cr_expect_eq(CALL(SYS_write, fd[1], "x", 1, 0), -EPIPE);
	cr_expect_eq(fake_last_signal(), SIGPIPE);
}

Test(mote_fs, gives_the_lowest_descriptor_and_grows_to_the_limit)
{
	long fd = open_file("/dev/null", O_RDWR), last = 0;

	cr_expect_eq(fd, 3);
	cr_expect_eq(CALL(SYS_dup2, fd, 1000, 0, 0), 1000);
	cr_expect_eq(CALL(SYS_dup2, fd, 1024, 0, 0), -EBADF);
	cr_expect_eq(CALL(SYS_dup, fd, 0, 0, 0), 4);
	CALL(SYS_close, 3, 0, 0, 0);
	cr_expect_eq(CALL(SYS_dup, 4, 0, 0, 0), 3);
	while ((fd = CALL(SYS_dup, 4, 0, 0, 0)) >= 0)
		last = fd;
	cr_expect_eq(fd, -EMFILE);
	cr_expect_eq(last, 1023);
	cr_expect_eq(CALL(SYS_close_range, 3, ~0u, 0, 0), 0);
	cr_expect_eq(open_file("/dev/null", O_RDWR), 3);
}

Test(mote_fs, closes_at_exec_what_asked_for_it)
{
	long kept = open_file("/dev/null", O_RDWR);
	long closed = open_file("/dev/null", O_RDWR | O_CLOEXEC);

	fs_after_exec();
	cr_expect_geq(CALL(SYS_fcntl, kept, F_GETFD, 0, 0), 0);
	cr_expect_eq(CALL(SYS_fcntl, closed, F_GETFD, 0, 0), -EBADF);
}

Test(mote_fs, sends_files_to_the_console_from_where_they_lie)
{
	long fd = open_file("/etc/motd", O_RDONLY);
	char out[16];

	cr_expect_eq(CALL(SYS_sendfile, 1, fd, 0, 100), 6);
	cr_expect_eq(fake_output(out, sizeof(out)), 6);
	cr_expect_eq(memcmp(out, "hello\n", 6), 0);
}

Test(mote_fs, follows_descriptors_that_have_no_path)
{
	long fd = open_file("/tmp", O_TMPFILE | O_RDWR), other;
	char path[32], byte;

	cr_assert_geq(fd, 0);
	write_text(fd, "x");
	snprintf(path, sizeof(path), "/proc/self/fd/%ld", fd);
	other = open_file(path, O_RDONLY);
	cr_assert_geq(other, 0);
	cr_expect_eq(CALL(SYS_read, other, &byte, 1, 0), 1);
	cr_expect_eq(byte, 'x');
	cr_expect_eq(fake_call(SYS_linkat, (uint64_t)AT_FDCWD, (uint64_t)path,
			       (uint64_t)AT_FDCWD, (uint64_t) "/tmp/named",
			       AT_SYMLINK_FOLLOW, 0),
		     0);
	expect_content("/tmp/named", "x", 1);
}

Test(mote_fs, says_what_proc_is_asked_most)
{
	char text[256] = "";
	long fd = open_file("/proc/self/comm", O_RDONLY);

	cr_expect_eq(CALL(SYS_read, fd, text, sizeof(text), 0), 5);
	cr_expect_eq(strcmp(text, "test\n"), 0);
	cr_expect_eq(CALL(SYS_chdir, "/usr/lib", 0, 0, 0), 0);
	cr_expect_eq(CALL(SYS_readlink, "/proc/self/cwd", text, 256, 0), 8);
	cr_expect_eq(memcmp(text, "/usr/lib", 8), 0);
	cr_expect_eq(CALL(SYS_getcwd, text, sizeof(text), 0, 0), 9);
	cr_expect_eq(CALL(SYS_getcwd, text, 8, 0, 0), -ERANGE);
}
