/* SPDX-License-Identifier: Apache-2.0 */
/* stat.c - cases of what is known about files, and of changing it. */
#include "say.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <time.h>
#include <utime.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif
#ifndef AT_EACCESS
#define AT_EACCESS 0x200
#endif

static void show(const struct stat *st)
{
	if (S_ISDIR(st->st_mode))
		say("mode %o uid %d gid %d", st->st_mode, st->st_uid,
		    st->st_gid);
	else
		say("mode %o links %d uid %d gid %d size %lld block %d rdev "
		    "%d:%d",
		    st->st_mode, (int)st->st_nlink, st->st_uid, st->st_gid,
		    (long long)st->st_size, (int)st->st_blksize,
		    major(st->st_rdev), minor(st->st_rdev));
}

static void test_stat(void)
{
	struct stat st = {0}, other = {0};

	make_file("f", "12345");
	S(symlink, "f", "l");
	S(mkdir, "d", 0751);
	S(stat, "f", &st);
	show(&st);
	S(stat, "l", &other);
	say("same inode %d",
	    st.st_ino == other.st_ino && st.st_dev == other.st_dev);
	S(lstat, "l", &st);
	show(&st);
	S(stat, "d", &st);
	show(&st);
	S(stat, "d/..", &other);
	S(stat, ".", &st);
	say("same inode %d", st.st_ino == other.st_ino);
	S(stat, "none", &st);
	S(stat, "f/", &st);
	S(lstat, "l/", &st);
	S(stat, "", &st);
	S(stat, "f", BAD);
	S(stat, BAD, &st);
	S(open, "f", O_RDONLY);
	S(fstat, 3, &st);
	show(&st);
	S(fstat, 9, &st);
	S(newfstatat, AT_FDCWD, "l", &st, AT_SYMLINK_NOFOLLOW);
	show(&st);
	S(newfstatat, 3, "", &st, AT_EMPTY_PATH);
	show(&st);
	S(newfstatat, 3, "x", &st, 0);
	S(newfstatat, 3, "", &st, 0);
	S(newfstatat, AT_FDCWD, "f", &st, 0x40000000);
	S(stat, "/dev/null", &st);
	show(&st);
	S(stat, "/dev/zero", &st);
	show(&st);
}

static void test_statx(void)
{
	struct statx stx;

	memset(&stx, 0, sizeof(stx));
	make_file("f", "123456");
	S(symlink, "f", "l");
	S(statx, AT_FDCWD, "f", 0, STATX_BASIC_STATS, &stx);
	say("mode %o links %u size %llu uid %u has %x", stx.stx_mode,
	    stx.stx_nlink, (unsigned long long)stx.stx_size, stx.stx_uid,
	    stx.stx_mask & STATX_BASIC_STATS);
	S(statx, AT_FDCWD, "l", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &stx);
	say("mode %o size %llu", stx.stx_mode,
	    (unsigned long long)stx.stx_size);
	S(statx, AT_FDCWD, "none", 0, STATX_ALL, &stx);
	S(statx, AT_FDCWD, "f", 0x40000000, STATX_ALL, &stx);
	S(statx, AT_FDCWD, "f", 0, 0x80000000, &stx);
	S(statx, AT_FDCWD, "f", 0, STATX_ALL, BAD);
	S(open, "f", O_PATH);
	S(statx, 3, "", AT_EMPTY_PATH, STATX_SIZE, &stx);
	say("size %llu", (unsigned long long)stx.stx_size);
}

static void test_statfs(void)
{
	struct statfs fs;

	memset(&fs, 0, sizeof(fs));
	OK(statfs, ".", &fs);
	say("name length %ld", (long)fs.f_namelen);
	S(statfs, "none", &fs);
	S(open, ".", O_RDONLY);
	S(fstatfs, 3, &fs);
	S(fstatfs, 9, &fs);
	S(statfs, ".", BAD);
}

static void test_access(void)
{
	make_file("f", "");
	S(chmod, "f", 0400);
	S(access, "f", F_OK);
	S(access, "f", R_OK);
	S(access, "f", W_OK);
	S(access, "f", X_OK);
	S(chmod, "f", 0100);
	S(access, "f", X_OK);
	S(access, "none", F_OK);
	S(access, "f", 8);
	S(access, "f/x", F_OK);
	S(faccessat, AT_FDCWD, "f", R_OK);
	S(faccessat, 9, "f", R_OK);
	S(faccessat2, AT_FDCWD, "f", R_OK, 0);
	S(faccessat2, AT_FDCWD, "f", R_OK, AT_EACCESS);
	S(faccessat2, AT_FDCWD, "f", R_OK, 0x40000000);
	S(symlink, "none", "l");
	S(faccessat2, AT_FDCWD, "l", F_OK, 0);
	S(faccessat2, AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW);
}

static void show_mode(const char *name)
{
	struct stat st;

	if (stat(name, &st) == 0)
		say("%s: mode %o uid %d gid %d", name, st.st_mode, st.st_uid,
		    st.st_gid);
}

static void test_chmod(void)
{
	make_file("f", "");
	S(chmod, "f", 04755);
	show_mode("f");
	S(chmod, "f", 0177777);
	show_mode("f");
	S(chmod, "none", 0755);
	S(open, "f", O_RDONLY);
	S(fchmod, 3, 0600);
	show_mode("f");
	S(fchmod, 9, 0600);
	S(fchmodat, AT_FDCWD, "f", 0640);
	show_mode("f");
	S(umask, 027);
	S(umask, 01777);
	S(umask, 022);
	S(umask, 077);
	make_file("masked", "");
	show_mode("masked");
	S(mkdir, "d", 0777);
	show_mode("d");
}

static void test_chown(void)
{
	make_file("f", "");
	S(symlink, "f", "l");
	S(chown, "f", 10, 20);
	show_mode("f");
	S(chown, "f", -1, 30);
	show_mode("f");
	S(lchown, "l", 40, 40);
	show_mode("l");
	S(open, "f", O_RDONLY);
	S(fchown, 3, 50, -1);
	show_mode("f");
	S(fchownat, AT_FDCWD, "f", 0, 0, 0);
	show_mode("f");
	S(fchownat, AT_FDCWD, "f", 0, 0, 0x40000000);
	S(chmod, "f", 06755);
	S(chown, "f", 1, 1);
	show_mode("f");
	S(chown, "none", 0, 0);
}

static void show_times(const char *name)
{
	struct stat st;

	if (lstat(name, &st) == 0)
		say("%s: access %lld.%09ld change %lld.%09ld", name,
		    (long long)st.st_atim.tv_sec, st.st_atim.tv_nsec,
		    (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

static void test_times(void)
{
	struct timespec both[2] = {{1000, 5}, {2000, 999999999}};
	struct timespec bad[2] = {{1, 1000000000}, {1, 0}};
	struct timespec omit[2] = {{3000, UTIME_OMIT}, {4000, 7}};
	struct timeval old[2] = {{500, 1}, {600, 2}};
	struct utimbuf older = {70, 80};

	make_file("f", "");
	S(symlink, "f", "l");
	S(utimensat, AT_FDCWD, "f", both, 0);
	show_times("f");
	S(utimensat, AT_FDCWD, "f", bad, 0);
	S(utimensat, AT_FDCWD, "f", omit, 0);
	show_times("f");
	S(utimensat, AT_FDCWD, "l", both, AT_SYMLINK_NOFOLLOW);
	show_times("l");
	S(utimes, "f", old);
	show_times("f");
	S(utime, "f", &older);
	show_times("f");
	S(futimesat, AT_FDCWD, "f", old);
	show_times("f");
	S(open, "f", O_RDONLY);
	S(utimensat, 3, NULL, both, 0);
	show_times("f");
	S(utimensat, AT_FDCWD, "none", NULL, 0);
	S(utimensat, AT_FDCWD, "f", NULL, 0);
	S(utimensat, AT_FDCWD, "f", both, 0x40000000);
}

/* No file system has this kind of name, and no file this name. */
static void test_xattrs(void)
{
	char buf[16];

	make_file("f", "");
	S(open, "f", O_RDWR);
	S(getxattr, "f", "bogus.name", buf, 16);
	S(lgetxattr, "f", "bogus.name", buf, 16);
	S(fgetxattr, 3, "bogus.name", buf, 16);
	S(setxattr, "f", "bogus.name", buf, 1, 0);
	S(lsetxattr, "f", "bogus.name", buf, 1, 0);
	S(fsetxattr, 3, "bogus.name", buf, 1, 0);
	S(removexattr, "f", "bogus.name");
	S(lremovexattr, "f", "bogus.name");
	S(fremovexattr, 3, "bogus.name");
	S(getxattr, "none", "user.x", buf, 16);
	S(setxattr, "none", "user.x", buf, 1, 0);
	S(removexattr, "none", "user.x");
	S(fgetxattr, 99, "user.x", buf, 16);
	S(fsetxattr, 99, "user.x", buf, 1, 0);
	S(fremovexattr, 99, "user.x");
	S(listxattr, "none", buf, 16);
	S(llistxattr, "none", buf, 16);
	S(flistxattr, 99, buf, 16);
}

/* The time stamps move as files are used. */
static void test_time_moves(void)
{
	struct timespec old[2] = {{1, 0}, {1, 0}};
	struct stat st;

	make_file("f", "x");
	S(utimensat, AT_FDCWD, "f", old, 0);
	S(open, "f", O_WRONLY);
	S(write, 3, "y", 1);
	S(fstat, 3, &st);
	say("changed by write %d", st.st_mtim.tv_sec > 1000000);
	S(mkdir, "d", 0755);
	S(utimensat, AT_FDCWD, "d", old, 0);
	make_file("d/f", "");
	S(stat, "d", &st);
	say("directory changed %d", st.st_mtim.tv_sec > 1000000);
}

const struct group stat_groups[] = {
	{"stat", test_stat},     {"statx", test_statx},
	{"statfs", test_statfs}, {"access", test_access},
	{"chmod", test_chmod},   {"chown", test_chown},
	{"times", test_times},   {"time_moves", test_time_moves},
	{"xattrs", test_xattrs}, {NULL, NULL},
};
