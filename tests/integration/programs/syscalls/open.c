/* SPDX-License-Identifier: Apache-2.0 */
/* open.c - cases of opening and closing files. */
#include "say.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

static void test_open(void)
{
	char name[300];

	S(open, "none", O_RDONLY);
	S(open, "f", O_RDWR | O_CREAT, 0640);
	S(open, "f", O_RDWR | O_CREAT | O_EXCL, 0640);
	S(open, "f", O_RDONLY | O_DIRECTORY);
	S(open, "f/", O_RDONLY);
	S(open, "f/x", O_RDONLY);
	S(open, "f/../f", O_RDONLY);
	S(open, ".", O_RDONLY);
	S(open, ".", O_RDWR);
	S(open, ".", O_RDONLY | O_DIRECTORY);
	S(open, "", O_RDONLY);
	S(open, "none/", O_RDWR | O_CREAT, 0600);
	S(open, "none/x", O_RDWR | O_CREAT, 0600);
	S(open, "//././/f", O_RDONLY);
	S(open, ".///f", O_RDONLY);
	S(close, 3);
	S(open, "again", O_WRONLY | O_CREAT, 0600);
	S(close, 3);
	S(close, 3);
	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	S(open, name, O_RDWR | O_CREAT, 0600);
	name[255] = '\0';
	S(open, name, O_RDWR | O_CREAT, 0600);
	S(creat, "c", 0600);
	S(creat, ".", 0600);
	S(write, 8, "abc", 3);
	S(creat, "c", 0600);
	say_file("c");
}

static void test_open_flags(void)
{
	char buf[8];

	make_file("f", "content");
	S(open, "f", O_RDONLY);
	S(write, 3, "x", 1);
	S(open, "f", O_WRONLY);
	S(read, 4, buf, 1);
	S(open, "f", O_WRONLY | O_APPEND);
	S(write, 5, "+", 1);
	S(lseek, 5, 0, SEEK_SET);
	S(write, 5, "-", 1);
	say_file("f");
	S(open, "f", O_WRONLY | O_TRUNC);
	say_file("f");
	S(open, "f", O_PATH);
	S(read, 7, buf, 1);
	S(fcntl, 7, F_GETFL);
	S(open, "f", O_RDONLY | O_CLOEXEC);
	S(fcntl, 8, F_GETFD);
	S(fcntl, 8, F_GETFL);
	S(open, ".", O_TMPFILE | O_RDWR, 0600);
	S(write, 9, "temp", 4);
	S(open, ".", O_TMPFILE | O_RDONLY, 0600);
	S(open, "f", O_RDWR | O_NONBLOCK | O_NOCTTY | O_SYNC);
	S(fcntl, 10, F_GETFL);
}

static void test_open_links(void)
{
	make_file("f", "target");
	S(symlink, "f", "link");
	S(symlink, "none", "dangling");
	S(symlink, "loop", "loop");
	S(symlink, ".", "here");
	S(open, "link", O_RDONLY);
	S(open, "link", O_RDONLY | O_NOFOLLOW);
	S(open, "link", O_PATH | O_NOFOLLOW);
	S(open, "dangling", O_RDONLY);
	S(open, "dangling", O_RDWR | O_CREAT | O_EXCL, 0600);
	S(open, "dangling", O_RDWR | O_CREAT, 0600);
	S(open, "none", O_RDONLY);
	S(open, "loop", O_RDONLY);
	S(open, "loop", O_RDONLY | O_CREAT, 0600);
	S(open, "here/here/here/f", O_RDONLY);
	S(open, "here", O_RDONLY | O_NOFOLLOW);
	S(open, "here", O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
	S(open, "here/", O_RDONLY | O_NOFOLLOW);
}

static void test_openat(void)
{
	S(mkdir, "d", 0755);
	make_file("d/f", "in d");
	S(open, "d", O_RDONLY | O_DIRECTORY);
	S(openat, 3, "f", O_RDONLY, 0);
	S(openat, 3, "none", O_RDONLY, 0);
	S(openat, 3, "../d/f", O_RDONLY, 0);
	S(openat, 4, "f", O_RDONLY, 0);
	S(openat, 99, "f", O_RDONLY, 0);
	S(openat, 99, "/", O_RDONLY, 0);
	S(openat, AT_FDCWD, "d/f", O_RDONLY, 0);
	S(openat, 3, "new", O_RDWR | O_CREAT, 0600);
	S(openat, 3, "", O_RDONLY, 0);
}

static void test_openat2(void)
{
	struct open_how how = {.flags = O_RDONLY};

	make_file("f", "x");
	S(symlink, "f", "l");
	S(openat2, AT_FDCWD, "f", &how, sizeof(how));
	S(openat2, AT_FDCWD, "f", &how, 0);
	how.resolve = RESOLVE_NO_SYMLINKS;
	S(openat2, AT_FDCWD, "l", &how, sizeof(how));
	S(openat2, AT_FDCWD, "f", &how, sizeof(how));
	how.resolve = RESOLVE_BENEATH;
	S(openat2, AT_FDCWD, "../openat2/f", &how, sizeof(how));
	S(openat2, AT_FDCWD, "/", &how, sizeof(how));
	how.resolve = 1ull << 40;
	S(openat2, AT_FDCWD, "f", &how, sizeof(how));
	how.resolve = 0;
	how.mode = 0600;
	S(openat2, AT_FDCWD, "f", &how, sizeof(how));
}

static void test_close_range(void)
{
	S(open, ".", O_RDONLY);
	S(dup2, 3, 10);
	S(dup2, 3, 11);
	S(dup2, 3, 12);
	S(close_range, 11, 12, 0);
	S(fcntl, 10, F_GETFD);
	S(fcntl, 11, F_GETFD);
	S(close_range, 10, 9, 0);
	S(close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */);
	S(fcntl, 10, F_GETFD);
	S(close_range, 3, ~0u, 0);
	S(fcntl, 3, F_GETFD);
	S(close_range, 3, 4, 64);
}

static void test_devices(void)
{
	char buf[16];

	S(open, "/dev/null", O_RDWR);
	S(read, 3, buf, 16);
	S(write, 3, buf, 16);
	S(lseek, 3, 0, SEEK_END);
	S(open, "/dev/zero", O_RDWR);
	memset(buf, 'x', sizeof(buf));
	S(read, 4, buf, 8);
	say_bytes("zero", buf, 10);
	S(write, 4, buf, 16);
	S(open, "/dev/full", O_RDWR);
	S(write, 5, buf, 16);
	S(read, 5, buf, 2);
	S(open, "/dev/urandom", O_RDONLY);
	S(read, 6, buf, 16);
	S(open, "/dev/random", O_RDONLY);
	S(read, 7, buf, 16);
	S(open, "/dev/no-such-device", O_RDONLY);
}

const struct group open_groups[] = {
	{"open", test_open},
	{"open_flags", test_open_flags},
	{"open_links", test_open_links},
	{"openat", test_openat},
	{"openat2", test_openat2},
	{"close_range", test_close_range},
	{"devices", test_devices},
	{NULL, NULL},
};
