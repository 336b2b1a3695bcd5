/* SPDX-License-Identifier: Apache-2.0 */
/* pipe.c - pipes, fifos, and the calls that move bytes between files. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int p[2];
static char buf[70000];

static void test_ends(void)
{
	DO(pipe(p));
	T(write(p[1], "abc", 3));
	T(read(p[1], buf, 1));
	T(write(p[0], "x", 1));
	T(read(p[0], buf, 2));
	T(read(p[0], buf, 0));
	close(p[1]);
	T(read(p[0], buf, 10));
	T(read(p[0], buf, 10));
}

static void test_broken(void)
{
	DO(pipe(p));
	close(p[0]);
	signal(SIGPIPE, SIG_IGN);
	T(write(p[1], "x", 1));
	T(write(p[1], "x", 0));
	handle(SIGPIPE, 0);
	T(write(p[1], "x", 1));
	say("caught %d", caught);
	if (fork() == 0) {
		signal(SIGPIPE, SIG_DFL);
		write(p[1], "x", 1);
		_exit(1);
	}
	reap(-1);
}

static void test_nonblock(void)
{
	int total = 0, n;

	T(pipe2(p, O_NONBLOCK | O_CLOEXEC));
	T(read(p[0], buf, 1));
	while ((n = (int)write(p[1], buf, 4096)) > 0)
		total += n;
	say("%d, errno %d", total, errno);
	T(write(p[1], buf, 1));
	T(read(p[0], buf, 4095));
	T(write(p[1], buf, 4096));
	T(read(p[0], buf, 1));
	T(write(p[1], buf, 4096));
	T(write(p[1], buf, 8192));
	T(fcntl(p[0], F_GETFD));
	T(pipe2(p, 1));
	T(pipe(BAD));
}

static void test_size(void)
{
	int n;

	DO(pipe(p));
	T(fcntl(p[0], F_GETPIPE_SZ));
	T(fcntl(p[0], F_SETPIPE_SZ, 4096));
	T(fcntl(p[1], F_GETPIPE_SZ));
	T(fcntl(p[0], F_SETPIPE_SZ, 100000));
	T(fcntl(p[0], F_SETPIPE_SZ, -1));
	T(write(p[1], buf, 500));
	T(ioctl(p[0], FIONREAD, &n));
	say("%d", n);
	T(fcntl(1, F_GETPIPE_SZ) > 0 || errno);
}

static void feed(void)
{
	for (int i = 0; i < 20; i++)
		if (write(p[1], buf, 10000) != 10000)
			_exit(1);
}

static void test_blocking(void)
{
	long total = 0, n;
	pid_t pid;

	DO(pipe(p));
	pid = child(feed);
	close(p[1]);
	while ((n = read(p[0], buf, 777)) > 0)
		total += n;
	say("%ld", total);
	reap(pid);
}

static void test_writers_together(void)
{
	int counts[3] = {0, 0, 0};
	bool mixed = false;

	DO(pipe(p));
	for (int i = 0; i < 3; i++) {
		if (fork() != 0)
			continue;
		memset(buf, 'a' + i, 512);
		for (int j = 0; j < 50; j++)
			write(p[1], buf, 512);
		_exit(0);
	}
	close(p[1]);
	while (read(p[0], buf, 512) == 512) {
		counts[buf[0] - 'a']++;
		for (int i = 1; i < 512; i++)
			mixed |= buf[i] != buf[0];
	}
	say("%d %d %d mixed %d", counts[0], counts[1], counts[2], mixed);
}

static void test_vectors(void)
{
	char a[3] = "", b[5] = "";
	struct iovec out[2] = {{"one", 3}, {"twotwo", 6}};
	struct iovec in[2] = {{a, 2}, {b, 4}};

	DO(pipe(p));
	T(writev(p[1], out, 2));
	T(readv(p[0], in, 2));
	say("%s %s", a, b);
	T(writev(p[1], out, -1));
	T(writev(p[1], out, 2000));
	T(writev(p[1], BAD, 1));
	T(pwrite(p[1], "x", 1, 0));
	T(pread(p[0], a, 1, 0));
	T(lseek(p[0], 0, SEEK_CUR));
}

static void test_stat(void)
{
	struct stat st;
	char name[64] = "";

	DO(pipe(p));
	T(fstat(p[0], &st));
	say("%o links %d size %d", st.st_mode, (int)st.st_nlink,
	    (int)st.st_size);
	DO(readlink("/proc/self/fd/3", name, 63));
	say("%.5s", name);
	T(fcntl(p[0], F_GETFL));
	T(fcntl(p[1], F_GETFL));
	T(fsync(p[1]));
	T(ftruncate(p[1], 0));
}

static void open_write(void)
{
	int fd = open("fifo", O_WRONLY);

	_exit(write(fd, "hello", 5) == 5 ? 0 : 1);
}

static void test_fifo(void)
{
	pid_t pid;
	int fd;

	T(mkfifo("fifo", 0644));
	T(mkfifo("fifo", 0644));
	T(open("fifo", O_WRONLY | O_NONBLOCK));
	pid = child(open_write);
	fd = (int)T(open("fifo", O_RDONLY));
	T(read(fd, buf, 10));
	reap(pid);
	T(read(fd, buf, 10));
	close(fd);
	fd = (int)T(open("fifo", O_RDONLY | O_NONBLOCK));
	T(read(fd, buf, 10));
	close(fd);
	fd = (int)T(open("fifo", O_RDWR));
	T(write(fd, "ab", 2));
	T(read(fd, buf, 10));
	T(unlink("fifo"));
}

static void test_splice(void)
{
	int in, out, q[2];
	off_t at = 2;

	make("in", "abcdefgh");
	in = (int)DO(open("in", O_RDONLY));
	out = (int)DO(open("out", O_RDWR | O_CREAT, 0644));
	DO(pipe2(p, O_NONBLOCK));
	DO(pipe2(q, O_NONBLOCK));
	T(splice(in, NULL, p[1], NULL, 4, 0));
	T(splice(in, &at, p[1], NULL, 2, SPLICE_F_MOVE));
	say("%ld", (long)at);
	T(tee(p[0], q[1], 100, 0));
	T(splice(p[0], NULL, out, NULL, 100, 0));
	content("out");
	T(read(q[0], buf, 100));
	say("%.6s", buf);
	T(splice(in, NULL, out, NULL, 4, 0));
	T(splice(p[0], &at, out, NULL, 4, 0));
	T(splice(in, NULL, p[1], NULL, 4, 0x100));
	T(splice(99, NULL, p[1], NULL, 4, 0));
	T(splice(p[0], NULL, p[1], NULL, 4, 0));
	T(tee(in, p[1], 4, 0));
	T(splice(p[0], NULL, q[1], NULL, 0, 0));
}

static void test_splice_empty(void)
{
	int out = (int)DO(open("out", O_RDWR | O_CREAT, 0644));

	DO(pipe2(p, O_NONBLOCK));
	T(splice(p[0], NULL, out, NULL, 10, SPLICE_F_NONBLOCK));
	close(p[1]);
	T(splice(p[0], NULL, out, NULL, 10, 0));
}

static void test_vmsplice(void)
{
	struct iovec v[2] = {{"abc", 3}, {"def", 3}};

	DO(pipe2(p, O_NONBLOCK));
	T(vmsplice(p[1], v, 2, 0));
	T(read(p[0], buf, 10));
	say("%.6s", buf);
	make("f", "");
	T(vmsplice((int)DO(open("f", O_RDWR)), v, 1, 0));
}

static void test_sendfile(void)
{
	int in, out, s[2];
	off_t at = 3;

	make("in", "abcdefgh");
	in = (int)DO(open("in", O_RDONLY));
	out = (int)DO(open("out", O_WRONLY | O_CREAT, 0644));
	T(sendfile(out, in, NULL, 2));
	T(sendfile(out, in, &at, 100));
	say("%ld %ld", (long)at, (long)lseek(in, 0, SEEK_CUR));
	content("out");
	DO(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	at = 0;
	T(sendfile(s[0], in, &at, 5));
	T(read(s[1], buf, 10));
	T(sendfile(in, out, NULL, 5));
	T(sendfile(out, s[0], NULL, 5));
	at = -1;
	T(sendfile(out, in, &at, 5));
}

static void test_copy_range(void)
{
	int in, out;
	off_t a = 1, b = 5;

	make("in", "abcdefgh");
	in = (int)DO(open("in", O_RDONLY));
	out = (int)DO(open("out", O_RDWR | O_CREAT, 0644));
	T(copy_file_range(in, &a, out, &b, 3, 0));
	say("%ld %ld", (long)a, (long)b);
	T(copy_file_range(in, NULL, out, NULL, 100, 0));
	T(copy_file_range(in, NULL, out, NULL, 100, 0));
	content("out");
	T(copy_file_range(in, NULL, out, NULL, 1, 1));
	T(copy_file_range(out, NULL, in, NULL, 1, 0));
	DO(pipe(p));
	T(copy_file_range(in, NULL, p[1], NULL, 1, 0));
}

static void test_direct(void)
{
	T(pipe2(p, O_DIRECT));
	T(write(p[1], "abc", 3));
	T(write(p[1], "de", 2));
	T(read(p[0], buf, 10));
	T(read(p[0], buf, 1));
	T(fcntl(p[0], F_GETFL));
}

static void test_reopen(void)
{
	char name[64];
	int fd;

	DO(pipe(p));
	write(p[1], "abc", 3);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", p[0]);
	fd = (int)T(open(name, O_RDONLY | O_NONBLOCK));
	T(read(fd, buf, 10));
	T(read(fd, buf, 10));
	snprintf(name, sizeof(name), "/dev/fd/%d", p[1]);
	fd = (int)T(open(name, O_WRONLY));
	T(write(fd, "x", 1));
	T(read(p[0], buf, 10));
}

const struct test pipe_tests[] = {
	{"ends", test_ends},
	{"broken", test_broken},
	{"nonblock", test_nonblock},
	{"size", test_size},
	{"blocking", test_blocking},
	{"writers_together", test_writers_together},
	{"vectors", test_vectors},
	{"stat", test_stat},
	{"fifo", test_fifo},
	{"splice", test_splice},
	{"splice_empty", test_splice_empty},
	{"vmsplice", test_vmsplice},
	{"sendfile", test_sendfile},
	{"copy_range", test_copy_range},
	{"direct", test_direct},
	{"reopen", test_reopen},
	{NULL, NULL},
};
