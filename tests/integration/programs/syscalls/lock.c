/* SPDX-License-Identifier: Apache-2.0 */
/* lock.c - cases of locks between files and processes, seals and mounts. */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct flock range(short type, long start, long bytes)
{
	return (struct flock){.l_type = type,
			      .l_whence = SEEK_SET,
			      .l_start = start,
			      .l_len = bytes};
}

/* What F_GETLK says, seen by a child: its own locks it would not see. */
static void ask(int fd, short type, long start, long bytes)
{
	pid_t child = fork(), parent = getppid();

	(void)parent;
	if (!child) {
		struct flock l = range(type, start, bytes);
		int r = fcntl(fd, F_GETLK, &l);

		if (r)
			say("asked: errno %d", errno);
		else
			say("asked for %d at %ld+%ld: type %d %ld+%ld, %s",
			    type, start, bytes, l.l_type, (long)l.l_start,
			    (long)l.l_len,
			    l.l_type == F_UNLCK    ? "nobody"
			    : l.l_pid == getppid() ? "its parent"
			    : l.l_pid == -1        ? "an open file"
						   : "somebody");
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void set_lock(int fd, short type, long start, long bytes)
{
	struct flock l = range(type, start, bytes);

	S(fcntl, fd, F_SETLK, &l);
}

static void test_lock_ranges(void)
{
	S(open, "f", O_RDWR | O_CREAT, 0600);
	set_lock(3, F_WRLCK, 10, 10);
	ask(3, F_RDLCK, 0, 0);
	ask(3, F_RDLCK, 0, 10);
	ask(3, F_WRLCK, 19, 1);
	ask(3, F_WRLCK, 20, 1);
	set_lock(3, F_UNLCK, 13, 3);
	ask(3, F_WRLCK, 0, 0);
	ask(3, F_WRLCK, 13, 3);
	ask(3, F_WRLCK, 14, 100);
	set_lock(3, F_RDLCK, 13, 3);
	ask(3, F_RDLCK, 13, 3);
	ask(3, F_WRLCK, 13, 3);
	set_lock(3, F_WRLCK, 0, 0);
	ask(3, F_RDLCK, 1000, 1);
	set_lock(3, F_UNLCK, 0, 0);
	ask(3, F_WRLCK, 0, 0);
	set_lock(3, F_WRLCK, 5, -5);
	ask(3, F_WRLCK, 0, 0);
	set_lock(3, F_WRLCK, 4, -5);
	set_lock(3, 77, 0, 0);
	S(fcntl, 3, F_SETLK, BAD);
	/* Closing any descriptor of the file gives them up. */
	S(open, "f", O_RDONLY, 0);
	ask(3, F_WRLCK, 0, 0);
	S(close, 4);
	ask(3, F_WRLCK, 0, 0);
}

static void test_lock_modes(void)
{
	S(open, "f", O_RDONLY | O_CREAT, 0600);
	S(open, "f", O_WRONLY, 0);
	set_lock(3, F_WRLCK, 0, 0);
	set_lock(4, F_RDLCK, 0, 0);
	set_lock(3, F_RDLCK, 0, 0);
	set_lock(4, F_WRLCK, 0, 0);
	set_lock(99, F_WRLCK, 0, 0);
}

static void test_lock_ofd(void)
{
	struct flock l = range(F_WRLCK, 0, 10), q = range(F_WRLCK, 0, 0);

	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(open, "f", O_RDWR, 0);
	S(fcntl, 3, F_OFD_SETLK, &l);
	S(fcntl, 4, F_OFD_SETLK, &l);
	S(fcntl, 4, F_SETLK, &l);
	S(fcntl, 4, F_OFD_GETLK, &q);
	say("type %d %ld+%ld pid %d", q.l_type, (long)q.l_start, (long)q.l_len,
	    q.l_pid);
	S(dup, 3);
	S(close, 3);
	S(fcntl, 4, F_OFD_SETLK, &l);
	S(close, 5);
	S(fcntl, 4, F_OFD_SETLK, &l);
	l.l_pid = 7;
	S(fcntl, 4, F_OFD_SETLK, &l);
}

static void test_flock_two(void)
{
	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(open, "f", O_RDWR, 0);
	S(flock, 3, LOCK_SH);
	S(flock, 4, LOCK_SH);
	S(flock, 4, LOCK_EX | LOCK_NB);
	S(flock, 3, LOCK_UN);
	S(flock, 4, LOCK_EX | LOCK_NB);
	S(flock, 3, LOCK_SH | LOCK_NB);
	S(close, 4);
	S(flock, 3, LOCK_EX | LOCK_NB);
	S(flock, 3, LOCK_SH | LOCK_NB);
	S(flock, 3, 0);
	S(flock, 3, LOCK_SH | LOCK_EX);
}

/* The child has the lock when the parent asks for it, and lets go. */
static void test_lock_waits(void)
{
	struct flock l = range(F_WRLCK, 0, 0);
	int ready[2], go[2];
	char c;

	S(open, "f", O_RDWR | O_CREAT, 0600);
	if (pipe(ready) || pipe(go))
		return;
	if (!fork()) {
		(void)!fcntl(3, F_SETLK, &l);
		(void)!write(ready[1], "", 1);
		(void)!read(go[0], &c, 1);
		usleep(20000);
		say("child lets go");
		_exit(0);
	}
	(void)!read(ready[0], &c, 1);
	S(fcntl, 3, F_SETLK, &l);
	(void)!write(go[1], "", 1);
	S(fcntl, 3, F_SETLKW, &l);
	wait(NULL);
}

/* Each has one byte and wants the other's: the second to ask is told. */
static void test_lock_deadlock(void)
{
	struct flock a = range(F_WRLCK, 0, 1), b = range(F_WRLCK, 1, 1);
	int ready[2];
	char c;

	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(fcntl, 3, F_SETLK, &a);
	if (pipe(ready))
		return;
	if (!fork()) {
		(void)!fcntl(3, F_SETLK, &b);
		(void)!write(ready[1], "", 1);
		_exit(fcntl(3, F_SETLKW, &a) ? errno : 0);
	}
	(void)!read(ready[0], &c, 1);
	usleep(50000);
	S(fcntl, 3, F_SETLKW, &b);
	S(close, 3);
	wait(NULL);
}

static void on_alarm(int signal)
{
}

static void test_lock_interrupted(void)
{
	const struct sigaction act = {.sa_handler = on_alarm};
	struct flock l = range(F_WRLCK, 0, 0);
	int ready[2];
	char c;
	pid_t child;

	sigaction(SIGALRM, &act, NULL);
	S(open, "f", O_RDWR | O_CREAT, 0600);
	if (pipe(ready))
		return;
	child = fork();
	if (!child) {
		(void)!fcntl(3, F_SETLK, &l);
		(void)!write(ready[1], "", 1);
		pause();
	}
	(void)!read(ready[0], &c, 1);
	ualarm(20000, 0);
	S(fcntl, 3, F_SETLKW, &l);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	S(fcntl, 3, F_SETLKW, &l);
}

/* The name goes while one waits for the other side. */
static void test_fifo_unlinked(void)
{
	const struct sigaction act = {.sa_handler = on_alarm};
	char name[8];

	sigaction(SIGALRM, &act, NULL);
	S(mknod, "p", S_IFIFO | 0600, 0);
	if (!fork()) {
		ualarm(100000, 0);
		S(open, "p", O_RDONLY, 0);
		_exit(0);
	}
	usleep(20000);
	S(unlink, "p");
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		make_file(name, name);
	}
	wait(NULL);
	say_file("f0");
	say_file("f99");
	S(open, "p", O_RDONLY, 0);
}

static void test_memfd_seals(void)
{
	S(memfd_create, "m", MFD_ALLOW_SEALING);
	S(memfd_create, "n", 0);
	S(fcntl, 3, F_GET_SEALS);
	S(fcntl, 4, F_GET_SEALS);
	S(fcntl, 4, F_ADD_SEALS, F_SEAL_GROW);
	S(write, 3, "0123456789", 10);
	S(fcntl, 3, F_ADD_SEALS, F_SEAL_GROW);
	S(write, 3, "0", 1);
	S(ftruncate, 3, 11);
	S(ftruncate, 3, 9);
	S(fcntl, 3, F_ADD_SEALS, F_SEAL_SHRINK);
	S(ftruncate, 3, 8);
	S(pwrite64, 3, "x", 1, 0);
	S(fcntl, 3, F_ADD_SEALS, F_SEAL_WRITE);
	S(pwrite64, 3, "x", 1, 0);
	S(fallocate, 3, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4);
	S(mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, 3, 0);
	OK(mmap, NULL, 4096, PROT_READ, MAP_SHARED, 3, 0);
	OK(mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, 3, 0);
	S(fcntl, 3, F_ADD_SEALS, F_SEAL_SEAL);
	S(fcntl, 3, F_ADD_SEALS, F_SEAL_WRITE);
	S(fcntl, 3, F_GET_SEALS);
	S(fcntl, 3, F_ADD_SEALS, 0x1000);
	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(fcntl, 5, F_ADD_SEALS, F_SEAL_SEAL);
	S(fcntl, 5, F_GET_SEALS);
}

static void test_mounts(void)
{
	make_file("x", "outside");
	S(mkdir, "m", 0755);
	make_file("m/under", "u");
	S(mount, "none", "m", "tmpfs", 0, "mode=700");
	S(access, "m/under", F_OK);
	make_file("m/over", "o");
	S(mkdir, "m/d", 0755);
	S(rename, "m/over", "over");
	S(link, "m/over", "over");
	S(rmdir, "m");
	S(rename, "m", "n");
	S(open, "m/over", O_RDONLY, 0);
	S(umount2, "m", 0);
	S(close, 3);
	S(umount2, "m/d", 0);
	S(umount2, "m", 0);
	say_file("m/under");
	S(access, "m/over", F_OK);
	S(umount2, "m", 0);
	S(umount2, "m", 0x100);
	S(mount, "none", "x", "tmpfs", 0, NULL);
	S(mount, "none", "nowhere", "tmpfs", 0, NULL);
	S(mount, "none", "m", "no such file system", 0, NULL);
	if (!fork()) {
		S(setuid, 1000);
		S(mount, "none", "m", "tmpfs", 0, NULL);
		S(umount2, "m", 0);
		_exit(0);
	}
	wait(NULL);
}

const struct group lock_groups[] = {
	{"lock_ranges", test_lock_ranges},
	{"lock_modes", test_lock_modes},
	{"lock_ofd", test_lock_ofd},
	{"flock_two", test_flock_two},
	{"lock_waits", test_lock_waits},
	{"lock_deadlock", test_lock_deadlock},
	{"lock_interrupted", test_lock_interrupted},
	{"fifo_unlinked", test_fifo_unlinked},
	{"memfd_seals", test_memfd_seals},
	{"mounts", test_mounts},
	{NULL, NULL},
};
