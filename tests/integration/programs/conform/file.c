/* SPDX-License-Identifier: Apache-2.0 */
/* file.c - files, names, directories, permissions, times, mounts. */
#include "conform.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static char buf[5000];

static void test_tmpfile(void)
{
	char name[64];
	struct stat st;
	int fd = (int)T(open(".", O_TMPFILE | O_RDWR, 0600));

	T(write(fd, "x", 1));
	T(fstat(fd, &st));
	say("%o links %d", st.st_mode, (int)st.st_nlink);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	T(linkat(AT_FDCWD, name, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
	content("named");
	fd = (int)T(open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600));
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	T(linkat(AT_FDCWD, name, AT_FDCWD, "other", AT_SYMLINK_FOLLOW));
	T(open(".", O_TMPFILE | O_RDONLY, 0600));
	T(open("named", O_TMPFILE | O_RDWR, 0600));
}

static void test_open_flags(void)
{
	make("f", "abc");
	DO(mkdir("d", 0755));
	DO(symlink("f", "l"));
	DO(symlink("loop", "loop"));
	T(open("f", O_CREAT | O_EXCL | O_RDWR, 0644));
	T(open("l", O_CREAT | O_EXCL | O_RDWR, 0644));
	T(open("l", O_NOFOLLOW | O_RDONLY));
	T(open("f", O_DIRECTORY));
	T(open("d", O_RDWR));
	T(open("d", O_CREAT, 0644));
	T(open("loop", O_RDONLY));
	T(open("f/x", O_RDONLY));
	T(open("", O_RDONLY));
	T(open("missing/x", O_CREAT | O_RDWR, 0644));
	T(close((int)T(open("f", O_PATH))));
	T(open("d/", O_CREAT | O_RDWR, 0644));
	T(open("new/", O_CREAT | O_RDWR, 0644));
	memset(buf, 'n', 300);
	buf[300] = 0;
	T(open(buf, O_RDONLY));
	memset(buf, '/', 4500);
	buf[4500] = 0;
	T(open(buf, O_RDONLY));
}

static void test_path_descriptor(void)
{
	struct stat st;
	int fd;

	make("f", "abc");
	fd = (int)T(open("f", O_PATH));
	T(read(fd, buf, 1));
	T(write(fd, buf, 1));
	T(fstat(fd, &st));
	T(fchmod(fd, 0600));
	T(fcntl(fd, F_GETFL));
	T(dup(fd));
	T(lseek(fd, 0, SEEK_SET));
	T(openat(fd, "x", O_RDONLY));
}

static void test_append(void)
{
	int a, b;

	make("f", "abc");
	a = (int)DO(open("f", O_WRONLY | O_APPEND));
	b = (int)DO(open("f", O_WRONLY));
	T(write(a, "d", 1));
	T(write(b, "X", 1));
	T(write(a, "e", 1));
	T(lseek(a, 0, SEEK_CUR));
	T(pwrite(a, "P", 1, 0));
	content("f");
	T(fcntl(a, F_SETFL, 0));
	T(pwrite(a, "Q", 1, 1));
	content("f");
}

static void test_holes(void)
{
	int fd = (int)DO(open("f", O_RDWR | O_CREAT, 0644));
	struct stat st;

	T(pwrite(fd, "x", 1, 100000));
	T(pread(fd, buf, 10, 50000));
	say("%d", buf[3]);
	T(lseek(fd, 0, SEEK_END));
	T(lseek(fd, 100001, SEEK_DATA));
	T(lseek(fd, 100001, SEEK_HOLE));
	T(lseek(fd, 100000, SEEK_HOLE));
	T(lseek(fd, -1, SEEK_SET));
	T(lseek(fd, 0, 99));
	T(ftruncate(fd, 5));
	T(fstat(fd, &st));
	say("%ld", (long)st.st_size);
	T(ftruncate(fd, -1));
	T(ftruncate(fd, 10));
	T(pread(fd, buf, 20, 0));
	T(truncate("missing", 0));
	T(truncate(".", 0));
}

static void test_fallocate(void)
{
	int fd = (int)DO(open("f", O_RDWR | O_CREAT, 0644));
	struct stat st;

	T(fallocate(fd, 0, 0, 10000));
	T(fstat(fd, &st));
	say("%ld", (long)st.st_size);
	T(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 20000));
	T(fstat(fd, &st));
	say("%ld", (long)st.st_size);
	T(pwrite(fd, "abc", 3, 5000));
	T(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096,
		    4096));
	T(pread(fd, buf, 3, 5000));
	say("%d", buf[0]);
	T(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 10));
	T(fallocate(fd, 0, -1, 10));
	T(fallocate(fd, 0, 0, 0));
	T(fallocate(fd, 0x1000, 0, 10));
	T(posix_fallocate(fd, 0, 30000));
	T(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
	T(posix_fadvise(fd, 0, 0, 99));
}

static void test_rename(void)
{
	make("a", "a");
	make("b", "b");
	DO(mkdir("d", 0755));
	DO(mkdir("d/e", 0755));
	T(rename("a", "b"));
	content("b");
	T(rename("b", "d"));
	T(rename("d", "b"));
	T(rename("d", "d/e/x"));
	T(rename("missing", "x"));
	T(rename("b", "b"));
	T(rename("b", "d/e/b"));
	T(rename("d/e", "d"));
	T(rename("d/e", "e"));
	T(rename(".", "x"));
	make("c", "c");
	T(renameat2(AT_FDCWD, "c", AT_FDCWD, "e/b", RENAME_NOREPLACE));
	T(renameat2(AT_FDCWD, "c", AT_FDCWD, "e/b", RENAME_EXCHANGE));
	content("c");
	T(renameat2(AT_FDCWD, "c", AT_FDCWD, "e/b", 77));
}

static void test_links(void)
{
	struct stat st;

	make("a", "a");
	T(link("a", "b"));
	T(stat("a", &st));
	say("links %d", (int)st.st_nlink);
	T(link("a", "b"));
	T(link("missing", "c"));
	T(link(".", "c"));
	T(unlink("a"));
	content("b");
	T(symlink("b", "s"));
	T(linkat(AT_FDCWD, "s", AT_FDCWD, "t", 0));
	T(readlink("t", buf, 10));
	T(readlink("b", buf, 10));
	T(readlink("s", buf, 0));
	T(symlink("", "e"));
	T(unlink("."));
	T(unlink("missing"));
	T(rmdir("b"));
}

static void test_open_unlinked(void)
{
	struct stat st;
	int fd;

	make("f", "abc");
	fd = (int)DO(open("f", O_RDWR));
	T(unlink("f"));
	T(fstat(fd, &st));
	say("links %d", (int)st.st_nlink);
	T(write(fd, "xyz", 3));
	T(pread(fd, buf, 10, 0));
	snprintf(buf, 100, "/proc/self/fd/%d", fd);
	T(readlink(buf, buf + 100, 1000) > 10);
	say("%s", strrchr(buf + 100, '/'));
}

static void test_directories(void)
{
	struct stat st;

	T(mkdir("d", 0777));
	T(stat("d", &st));
	say("%o links %d", st.st_mode, (int)st.st_nlink);
	T(mkdir("d", 0777));
	T(mkdir("d/e", 0777));
	T(stat("d", &st));
	say("links %d", (int)st.st_nlink);
	T(rmdir("d"));
	T(rmdir("d/e/."));
	T(rmdir("d/e"));
	T(rmdir("d/"));
	T(rmdir("."));
	T(rmdir("missing"));
	T(mkdir("a/b", 0777));
	T(mkdir("slash/", 0777));
	T(unlink("slash"));
}

static void test_removed_directory(void)
{
	DO(mkdir("d", 0777));
	DO(chdir("d"));
	T(rmdir("../d"));
	PTR(getcwd(buf, 100));
	T(open("x", O_CREAT | O_RDWR, 0644));
	T(open(".", O_RDONLY) >= 0);
	T(chdir(".."));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void test_read_directory(void)
{
	struct dirent **list;
	int n;

	make("file", "");
	DO(mkdir("dir", 0755));
	DO(symlink("x", "link"));
	DO(mkfifo("fifo", 0600));
	n = (int)T(scandir(".", &list, NULL, by_name));
	for (int i = 0; i < n; i++)
		say("%s %d", list[i]->d_name, list[i]->d_type);
	T(syscall(SYS_getdents64, 1, buf, 100));
	int fd = (int)DO(open(".", O_RDONLY));
	T(syscall(SYS_getdents64, fd, buf, 10));
	T(syscall(SYS_getdents64, fd, BAD, 1000));
	T(read(fd, buf, 10));
}

static void test_many_names(void)
{
	char name[32];
	DIR *dir;
	int n = 0;

	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		close((int)DO(open(name, O_CREAT | O_RDWR, 0644)));
	}
	dir = opendir(".");
	for (struct dirent *e; (e = readdir(dir));) {
		n++;
		if (e->d_name[0] != '.')
			unlink(e->d_name);
	}
	say("%d", n);
	rewinddir(dir);
	for (n = 0; readdir(dir);)
		n++;
	say("%d", n);
}

static void test_modes(void)
{
	struct stat st;

	umask(027);
	make("f", "");
	T(stat("f", &st));
	say("%o", st.st_mode);
	T(chmod("f", 07777));
	T(stat("f", &st));
	say("%o", st.st_mode);
	T(chown("f", 5, 6));
	T(stat("f", &st));
	say("%o %d %d", st.st_mode, (int)st.st_uid, (int)st.st_gid);
	T(chown("f", (uid_t)-1, 7));
	T(lchown("f", 1, (gid_t)-1));
	T(stat("f", &st));
	say("%d %d", (int)st.st_uid, (int)st.st_gid);
	T(chmod("missing", 0));
	T(fchmodat(AT_FDCWD, "f", 0600, 0));
	T(umask(022));
}

static void test_user(void)
{
	make("mine", "x");
	make("secret", "x");
	DO(chmod("secret", 0600));
	DO(chmod(".", 0755));
	DO(mkdir("closed", 0700));
	DO(mkdir("open", 0777));
	DO(mkdir("sticky", 0777));
	DO(chmod("open", 0777) | chmod("sticky", 01777));
	make("sticky/f", "");
	make("open/f", "");
	DO(setgid(1000));
	DO(setuid(1000));
	T(open("mine", O_RDONLY));
	T(open("mine", O_WRONLY));
	T(open("secret", O_RDONLY));
	T(open("closed/x", O_RDONLY));
	T(open("new", O_CREAT | O_RDWR, 0644));
	T(open("open/new", O_CREAT | O_RDWR, 0644));
	T(chmod("mine", 0777));
	T(chown("mine", 1000, 1000));
	T(unlink("mine"));
	T(unlink("open/f"));
	T(unlink("sticky/f"));
	T(rename("sticky/f", "open/g"));
	T(access("secret", R_OK));
	T(access("mine", R_OK));
	T(access("mine", W_OK));
	T(truncate("mine", 0));
	T(utimensat(AT_FDCWD, "mine", NULL, 0));
	T(chdir("closed"));
	T(chroot("."));
	T(mount("none", "open", "tmpfs", 0, ""));
	T(mknod("open/n", S_IFCHR | 0600, 0x103));
}

static void test_times(void)
{
	struct timespec t[2] = {{1000, 5}, {2000, 7}};
	struct timespec omit[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
	struct stat st;

	make("f", "");
	T(utimensat(AT_FDCWD, "f", t, 0));
	T(stat("f", &st));
	say("%ld.%ld %ld.%ld", (long)st.st_atime, st.st_atim.tv_nsec,
	    (long)st.st_mtime, st.st_mtim.tv_nsec);
	T(utimensat(AT_FDCWD, "f", omit, 0));
	T(stat("f", &st));
	say("%ld %d", (long)st.st_atime, st.st_mtime > 1000000000);
	t[0].tv_nsec = -5;
	T(utimensat(AT_FDCWD, "f", t, 0));
	T(utimensat(AT_FDCWD, "missing", NULL, 0));
	t[0].tv_nsec = 0;
	T(utimensat(AT_FDCWD, "f", t, 0));
	int fd = (int)DO(open("f", O_RDWR));
	T(write(fd, "x", 1));
	T(stat("f", &st));
	say("%d", st.st_mtime > 1000000000);
}

static void test_descriptors(void)
{
	int fd = (int)T(dup(1));

	T(dup2(fd, 20));
	T(dup2(20, 20));
	T(dup3(20, 20, 0));
	T(dup3(20, 21, 1));
	T(dup2(99, 20));
	T(dup2(1, -1));
	T(fcntl(1, F_DUPFD, 30));
	T(fcntl(1, F_DUPFD_CLOEXEC, 30));
	T(fcntl(31, F_GETFD));
	T(fcntl(1, F_DUPFD, -1));
	T(fcntl(1, 9999, 0));
	T(syscall(SYS_close_range, 20, 25, 0));
	T(fcntl(20, F_GETFD));
	T(syscall(SYS_close_range, 25, 20, 0));
	T(syscall(SYS_close_range, 30, 30, 4));
	T(fcntl(30, F_GETFD));
	T(close(99));
	T(close(-1));
}

static void test_vectors(void)
{
	struct iovec v[3] = {{"ab", 2}, {NULL, 0}, {"cde", 3}};
	int fd = (int)DO(open("f", O_RDWR | O_CREAT, 0644));

	T(writev(fd, v, 3));
	T(pwritev(fd, v, 3, 1));
	content("f");
	v[0] = (struct iovec){buf, 3};
	v[2] = (struct iovec){BAD, 3};
	T(preadv(fd, v, 3, 0));
	v[2].iov_len = (size_t)-1;
	T(preadv(fd, v, 3, 0));
	T(preadv(fd, v, 3, -1));
	T(preadv2(fd, v, 1, 0, 0x4000));
	T(readv(fd, v, 1025));
}

static void test_attributes(void)
{
	make("f", "");
	T(getxattr("f", "user.x", buf, 10) == -1 &&
	  (errno == ENOTSUP || errno == ENODATA));
	T(getxattr("missing", "user.x", buf, 10));
	T(listxattr("f", buf, 100) >= 0 || errno == ENOTSUP);
}

static void test_mounts(void)
{
	struct stat a, b;

	DO(mkdir("m", 0755));
	DO(mkdir("n", 0755));
	T(mount("none", "m", "tmpfs", 0, "size=1m"));
	T(stat(".", &a));
	T(stat("m", &b));
	say("other device %d", a.st_dev != b.st_dev);
	make("m/f", "inside");
	T(mount("m", "n", NULL, MS_BIND, NULL));
	content("n/f");
	T(link("m/f", "g"));
	T(rename("m/f", "g"));
	T(rmdir("m"));
	T(umount("n"));
	int fd = (int)DO(open("m/f", O_RDONLY));
	T(umount("m"));
	close(fd);
	T(umount("m"));
	T(umount("m"));
	T(mount("none", "m", "nosuchfs", 0, ""));
	T(mount("none", "missing", "tmpfs", 0, ""));
	T(rmdir("m"));
}

static void test_read_only_mount(void)
{
	DO(mkdir("m", 0755));
	T(mount("none", "m", "tmpfs", 0, NULL));
	make("m/f", "x");
	T(mount(NULL, "m", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	T(open("m/f", O_RDWR));
	T(open("m/g", O_CREAT | O_RDWR, 0644));
	T(unlink("m/f"));
	T(chmod("m/f", 0));
	T(access("m/f", W_OK));
	T(umount("m"));
}

static void test_devices(void)
{
	int null = (int)DO(open("/dev/null", O_RDWR));
	int zero = (int)DO(open("/dev/zero", O_RDWR));
	int full = (int)DO(open("/dev/full", O_RDWR));
	struct stat st;

	T(read(null, buf, 10));
	T(write(null, buf, 10));
	memset(buf, 1, 10);
	T(read(zero, buf, 10));
	say("%d", buf[9]);
	T(read(full, buf, 10));
	T(write(full, buf, 10));
	T(stat("/dev/null", &st));
	say("%o %lx", st.st_mode, (unsigned long)st.st_rdev);
	T(stat("/dev/urandom", &st));
	say("%o %lx", st.st_mode, (unsigned long)st.st_rdev);
	T(lseek(null, 10, SEEK_SET));
	T(access("/dev/shm", W_OK));
	T(access("/dev/tty", F_OK));
	T(access("/dev/ptmx", F_OK));
}

static void test_no_space(void)
{
	int fd;
	long n, total = 0;

	DO(mkdir("m", 0755));
	T(mount("none", "m", "tmpfs", 0, "size=64k"));
	fd = (int)DO(open("m/f", O_CREAT | O_RDWR, 0644));
	while ((n = write(fd, buf, 4096)) > 0)
		total += n;
	say("%ld errno %d", total, errno);
	close(fd);
	T(umount("m"));
}

const struct test file_tests[] = {
	{"tmpfile", test_tmpfile},
	{"open_flags", test_open_flags},
	{"path_descriptor", test_path_descriptor},
	{"append", test_append},
	{"holes", test_holes},
	{"fallocate", test_fallocate},
	{"rename", test_rename},
	{"links", test_links},
	{"open_unlinked", test_open_unlinked},
	{"directories", test_directories},
	{"removed_directory", test_removed_directory},
	{"read_directory", test_read_directory},
	{"many_names", test_many_names},
	{"modes", test_modes},
	{"user", test_user},
	{"times", test_times},
	{"descriptors", test_descriptors},
	{"vectors", test_vectors},
	{"attributes", test_attributes},
	{"mounts", test_mounts},
	{"read_only_mount", test_read_only_mount},
	{"devices", test_devices},
	{"no_space", test_no_space},
	{NULL, NULL},
};
