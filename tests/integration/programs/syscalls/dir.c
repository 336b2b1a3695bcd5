/* SPDX-License-Identifier: Apache-2.0 */
/* dir.c - cases of names: directories, links, renames. */
#include "say.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#endif

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct dirent64_raw {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

/* Lists a directory by getdents64 with a buffer of the given size. */
static void list(const char *path, size_t size)
{
	char buf[4096], *names[400];
	size_t count = 0;
	long got, fd = open(path, O_RDONLY | O_DIRECTORY);

	while ((got = syscall(SYS_getdents64, fd, buf, size)) > 0) {
		for (long at = 0; at < got && count < 400;) {
			struct dirent64_raw *d = (void *)(buf + at);
			char text[300];

			snprintf(text, sizeof(text), "%s/%d", d->name, d->type);
			names[count++] = strdup(text);
			at += d->reclen;
		}
	}
	close((int)fd);
	qsort(names, count, sizeof(*names), by_name);
	printf("  %s has %zu (last %ld):", path, count, got);
	for (size_t i = 0; i < count; i++) {
		if (count < 20)
			printf(" %s", names[i]);
		free(names[i]);
	}
	puts("");
}

static void test_mkdir(void)
{
	struct stat st;

	S(mkdir, "d", 0755);
	S(mkdir, "d", 0755);
	S(mkdir, "d/", 0755);
	S(mkdir, "none/d", 0755);
	S(mkdir, "d/e/", 0755);
	S(mkdir, "", 0755);
	S(mkdir, "/", 0755);
	S(mkdir, ".", 0755);
	S(mkdirat, AT_FDCWD, "d/g", 01777);
	S(stat, "d/g", &st);
	say("mode %o", st.st_mode);
	S(mkdirat, 9, "x", 0755);
	make_file("f", "");
	S(mkdir, "f/x", 0755);
	S(rmdir, "d");
	S(rmdir, "f");
	S(rmdir, "d/e/.");
	S(rmdir, "d/e/..");
	S(rmdir, "d/e/");
	S(rmdir, "d/g");
	S(rmdir, "d");
	S(rmdir, "d");
	S(rmdir, "/");
	S(rmdir, ".");
}

static void test_getdents(void)
{
	char name[32], buf[16];

	S(mkdir, "d", 0755);
	list("d", 4096);
	make_file("d/file", "");
	S(mkdir, "d/dir", 0755);
	S(symlink, "x", "d/link");
	S(mknod, "d/fifo", S_IFIFO | 0600, 0);
	list("d", 4096);
	list("d", 64);
	for (int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "d/file-%d", i);
		make_file(name, "");
	}
	list("d", 4096);
	list("d", 300);
	S(open, "d", O_RDONLY);
	S(getdents64, 3, buf, 10);
	S(getdents64, 3, BAD, 4096);
	S(getdents, 3, buf, 10);
	S(getdents64, 0x999, buf, 16);
	S(open, "d/file", O_RDONLY);
	S(getdents64, 4, buf, 16);
	S(lseek, 3, 0, SEEK_SET);
	S(mkdir, "gone", 0755);
	S(open, "gone", O_RDONLY);
	S(rmdir, "gone");
	S(getdents64, 5, buf, 16);
	S(openat, 5, "x", O_CREAT | O_RDWR, 0600);
}

static void test_link(void)
{
	struct stat st;

	make_file("f", "linked");
	S(link, "f", "g");
	S(stat, "f", &st);
	say("links %d", (int)st.st_nlink);
	S(link, "f", "g");
	S(link, "none", "h");
	S(mkdir, "d", 0755);
	S(link, "d", "e");
	S(link, "f", "none/x");
	S(link, "f", "d/");
	S(linkat, AT_FDCWD, "f", AT_FDCWD, "d/f", 0);
	S(unlink, "f");
	say_file("g");
	S(unlink, "f");
	S(unlink, "d");
	S(unlink, "d/f/");
	S(unlinkat, AT_FDCWD, "d/f", 0);
	S(unlinkat, AT_FDCWD, "d", 0);
	S(unlinkat, AT_FDCWD, "g", AT_REMOVEDIR);
	S(unlinkat, AT_FDCWD, "d", AT_REMOVEDIR);
	S(unlinkat, AT_FDCWD, "d", 0x40000000);
	S(symlink, "g", "l");
	S(linkat, AT_FDCWD, "l", AT_FDCWD, "l2", 0);
	S(lstat, "l2", &st);
	say("a link to the link %d", S_ISLNK(st.st_mode));
	S(linkat, AT_FDCWD, "l", AT_FDCWD, "l3", AT_SYMLINK_FOLLOW);
	S(lstat, "l3", &st);
	say("a link to its target %d", S_ISREG(st.st_mode));
}

/* A file without a name lives as long as it is open. */
static void test_unlinked(void)
{
	char buf[8] = "";
	struct stat st;

	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(unlink, "f");
	S(write, 3, "alive", 5);
	S(pread64, 3, buf, 5, 0);
	say_bytes("read", buf, 5);
	S(fstat, 3, &st);
	say("links %d", (int)st.st_nlink);
	S(open, "f", O_RDONLY);
}

static void test_symlink(void)
{
	char buf[64];

	S(symlink, "somewhere/else", "l");
	S(symlink, "x", "l");
	S(symlink, "", "m");
	S(symlink, "x", "none/m");
	S(symlinkat, "y", AT_FDCWD, "n");
	S(readlink, "l", buf, 64);
	say_bytes("target", buf, 14);
	S(readlink, "l", buf, 4);
	say_bytes("target", buf, 4);
	S(readlink, "l", buf, 0);
	S(readlink, "none", buf, 64);
	S(readlink, ".", buf, 64);
	S(readlinkat, AT_FDCWD, "n", buf, 64);
	say_bytes("target", buf, 1);
	S(readlink, "l", BAD, 64);
	S(mkdir, "d", 0755);
	S(symlink, "d", "to-d");
	make_file("to-d/f", "through");
	say_file("d/f");
	S(unlink, "to-d/");
	S(unlink, "to-d");
	S(rmdir, "n");
}

static void test_rename(void)
{
	make_file("a", "a");
	make_file("b", "b");
	S(mkdir, "d", 0755);
	S(mkdir, "e", 0755);
	S(mkdir, "d/sub", 0755);
	S(rename, "a", "c");
	S(rename, "a", "c");
	S(rename, "b", "c");
	say_file("c");
	S(rename, "c", "c");
	S(rename, "c", "d");
	S(rename, "d", "c");
	S(rename, "d", "d/sub/x");
	S(rename, "e", "d");
	S(rename, "d", "e");
	S(rename, "c", "e/sub/c");
	say_file("e/sub/c");
	S(rename, "e/sub/c", "e/sub/c/");
	S(rename, ".", "x");
	S(rename, "e/..", "x");
	S(rename, "e", "none/x");
	S(renameat, AT_FDCWD, "e/sub/c", AT_FDCWD, "c");
	make_file("k", "k");
	S(renameat2, AT_FDCWD, "c", AT_FDCWD, "k", RENAME_NOREPLACE);
	S(renameat2, AT_FDCWD, "c", AT_FDCWD, "k", RENAME_EXCHANGE);
	say_file("c");
	say_file("k");
	S(renameat2, AT_FDCWD, "c", AT_FDCWD, "none", RENAME_EXCHANGE);
	S(renameat2, AT_FDCWD, "c", AT_FDCWD, "x",
	  RENAME_EXCHANGE | RENAME_NOREPLACE);
	S(renameat2, AT_FDCWD, "c", AT_FDCWD, "x", 64);
	S(link, "c", "same");
	S(rename, "c", "same");
	say_file("c");
	list(".", 4096);
}

static void test_cwd(void)
{
	char buf[4096], *base;
	long len;

	S(mkdir, "d", 0755);
	make_file("f", "");
	S(chdir, "none");
	S(chdir, "f");
	S(chdir, "d");
	len = syscall(SYS_getcwd, buf, sizeof(buf));
	base = strrchr(buf, '/');
	say("%s, length right %d", base, len == (long)strlen(buf) + 1);
	S(getcwd, buf, 1);
	S(getcwd, buf, 0);
	S(getcwd, BAD, 4096);
	S(open, "..", O_RDONLY);
	S(fchdir, 3);
	say_file("f");
	S(open, "f", O_RDONLY);
	S(fchdir, 4);
	S(fchdir, 9);
	S(chdir, "/");
	S(getcwd, buf, sizeof(buf));
	say_bytes("root", buf, 2);
	S(chdir, "..");
	S(getcwd, buf, sizeof(buf));
	S(fchdir, 3);
	S(chdir, "d");
	S(rmdir, "../d");
	S(getcwd, buf, sizeof(buf));
	S(open, "x", O_CREAT | O_RDWR, 0600);
	S(fchdir, 3);
}

static void test_mknod(void)
{
	struct stat st;

	S(mknod, "f", S_IFREG | 0644, 0);
	S(mknod, "f", S_IFREG | 0644, 0);
	S(mknod, "p", S_IFIFO | 0600, 0);
	S(mknodat, AT_FDCWD, "q", 0600, 0);
	S(stat, "p", &st);
	say("mode %o", st.st_mode);
	S(stat, "q", &st);
	say("mode %o", st.st_mode);
	S(mknod, "d", S_IFDIR | 0755, 0);
	S(open, "p", O_RDONLY | O_NONBLOCK);
	S(open, "p", O_WRONLY | O_NONBLOCK);
	S(write, 4, "fifo", 4);
	S(read, 3, &st, 10);
	S(open, "p", O_RDWR);
	S(unlink, "p");
}

/* A user who is not root meets permissions. Last: there is no way back. */
static void test_permissions(void)
{
	S(mkdir, "closed", 0700);
	make_file("closed/f", "");
	make_file("mine", "");
	make_file("readable", "");
	S(chmod, "readable", 0644);
	S(chmod, "mine", 0600);
	S(mkdir, "open", 0777);
	S(chmod, "open", 0777);
	S(setresgid, 1000, 1000, 1000);
	S(setresuid, 1000, 1000, 1000);
	S(getuid);
	S(geteuid);
	S(open, "mine", O_RDONLY);
	S(open, "readable", O_RDONLY);
	S(open, "readable", O_WRONLY);
	S(open, "closed/f", O_RDONLY);
	S(chdir, "closed");
	S(open, "new", O_CREAT | O_RDWR, 0600);
	S(open, "open/new", O_CREAT | O_RDWR, 0600);
	S(chmod, "readable", 0777);
	S(chmod, "open/new", 0644);
	S(chown, "open/new", 0, 0);
	S(unlink, "mine");
	S(unlink, "open/new");
	S(access, "mine", R_OK);
	S(access, "readable", R_OK);
	S(access, "readable", W_OK);
	S(truncate, "readable", 0);
	S(setuid, 0);
	S(setgid, 0);
	S(setresuid, 0, 0, 0);
	S(rename, "mine", "other");
	S(mkdir, "sub", 0755);
}

const struct group dir_groups[] = {
	{"mkdir", test_mkdir},
	{"getdents", test_getdents},
	{"link", test_link},
	{"unlinked", test_unlinked},
	{"symlink", test_symlink},
	{"rename", test_rename},
	{"cwd", test_cwd},
	{"mknod", test_mknod},
	{"permissions", test_permissions},
	{NULL, NULL},
};
