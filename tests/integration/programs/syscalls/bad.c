/* SPDX-License-Identifier: Apache-2.0 */
/* bad.c - cases of bad descriptors and bad addresses, as tables: the kernel
 * must say EBADF or EFAULT, and never believe the program. */
#include "say.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>

struct call {
	const char *name;
	long number;
	long arg[6];
};

#define CALL(name, ...)                                                        \
	{                                                                      \
#name "(" #__VA_ARGS__ ")", SYS_##name,                        \
		{                                                              \
			__VA_ARGS__                                            \
		}                                                              \
	}

static char buf[4096];
#define B ((long)buf)

static void run(const struct call *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct call *c = &calls[i];

		say_result(c->name,
			   syscall(c->number, c->arg[0], c->arg[1], c->arg[2],
				   c->arg[3], c->arg[4], c->arg[5]));
	}
}

static void test_bad_fds(void)
{
	const struct call calls[] = {
		CALL(read, -1, B, 1),
		CALL(read, 99, B, 1),
		CALL(read, 1l << 40 | 99, B, 1),
		CALL(write, 99, B, 1),
		CALL(close, -1),
		CALL(close, 1 << 30),
		CALL(fstat, 99, B),
		CALL(lseek, 99, 0, 0),
		CALL(pread64, 99, B, 1, 0),
		CALL(pwrite64, 99, B, 1, 0),
		CALL(readv, 99, B, 1),
		CALL(writev, 99, B, 1),
		CALL(preadv, 99, B, 1, 0, 0),
		CALL(pwritev, 99, B, 1, 0, 0),
		CALL(dup, -1),
		CALL(fcntl, 99, F_GETFL, 0),
		CALL(ioctl, 99, 0x5401, B),
		CALL(fsync, 99),
		CALL(fdatasync, 99),
		CALL(ftruncate, 99, 0),
		CALL(fchdir, 99),
		CALL(fchmod, 99, 0),
		CALL(fchown, 99, 0, 0),
		CALL(fstatfs, 99, B),
		CALL(getdents64, 99, B, 100),
		CALL(sendfile, 99, 0, 0, 1),
		CALL(sendfile, 1, 99, 0, 1),
		CALL(copy_file_range, 99, 0, 1, 0, 1, 0),
		CALL(fallocate, 99, 0, 0, 1),
		CALL(fadvise64, 99, 0, 1, 0),
		CALL(sync_file_range, 99, 0, 1, 0),
		CALL(syncfs, 99),
		CALL(mkdirat, 99, (long)"x", 0700),
		CALL(unlinkat, 99, (long)"x", 0),
		CALL(renameat, 99, (long)"x", 99, (long)"y"),
		CALL(linkat, 99, (long)"x", 99, (long)"y", 0),
		CALL(symlinkat, (long)"x", 99, (long)"y"),
		CALL(readlinkat, 99, (long)"x", B, 10),
		CALL(fchmodat, 99, (long)"x", 0),
		CALL(fchownat, 99, (long)"x", 0, 0, 0),
		CALL(faccessat, 99, (long)"x", 0),
		CALL(mknodat, 99, (long)"x", 0600, 0),
		CALL(newfstatat, 99, (long)"x", B, 0),
		CALL(utimensat, 99, (long)"x", 0, 0),
		CALL(openat, 99, (long)"x", 0, 0),
		CALL(execveat, 99, (long)"x", 0, 0, 0),
	};

	run(calls, sizeof(calls) / sizeof(*calls));
}

#define P 16 /* an address in the never mapped first page */

static void test_bad_paths(void)
{
	const struct call calls[] = {
		CALL(open, P, 0, 0),
		CALL(open, -1, 0, 0),
		CALL(openat, AT_FDCWD, P, 0, 0),
		CALL(creat, P, 0600),
		CALL(stat, P, B),
		CALL(lstat, P, B),
		CALL(newfstatat, AT_FDCWD, P, B, 0),
		CALL(access, P, 0),
		CALL(faccessat, AT_FDCWD, P, 0),
		CALL(faccessat2, AT_FDCWD, P, 0, 0),
		CALL(mkdir, P, 0700),
		CALL(rmdir, P),
		CALL(unlink, P),
		CALL(unlinkat, AT_FDCWD, P, 0),
		CALL(rename, P, (long)"x"),
		CALL(rename, (long)".", P),
		CALL(link, P, (long)"x"),
		CALL(symlink, P, (long)"x"),
		CALL(symlink, (long)"x", P),
		CALL(readlink, P, B, 10),
		CALL(chmod, P, 0600),
		CALL(chown, P, 0, 0),
		CALL(lchown, P, 0, 0),
		CALL(truncate, P, 0),
		CALL(chdir, P),
		CALL(chroot, P),
		CALL(mknod, P, 0600, 0),
		CALL(statfs, P, B),
		CALL(utimes, P, 0),
		CALL(utime, P, 0),
		CALL(execve, P, 0, 0),
		CALL(memfd_create, P, 0),
	};

	run(calls, sizeof(calls) / sizeof(*calls));
}

static void test_bad_outputs(void)
{
	long end = (long)mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) +
		   4096;
	long last = end - 4;
	const struct call calls[] = {
		CALL(stat, (long)".", P),
		CALL(stat, (long)".", last),
		CALL(lstat, (long)".", P),
		CALL(fstat, 1, P),
		CALL(fstat, 1, last),
		CALL(statfs, (long)".", P),
		CALL(getcwd, P, 100),
		CALL(readlink, (long)"/proc/self/exe", P, 100),
		CALL(pipe, last),
		CALL(pipe2, P, 0),
		CALL(uname, last),
		CALL(sysinfo, last),
		CALL(getrlimit, 0, last - 4),
		CALL(getrusage, 0, last),
		CALL(gettimeofday, last - 4, 0),
		CALL(clock_gettime, 1, last - 4),
		CALL(clock_getres, 1, P),
		CALL(time, P),
		CALL(times, last),
		CALL(nanosleep, last - 4, 0),
		CALL(rt_sigaction, 10, P, 0, 8),
		CALL(rt_sigprocmask, 0, P, 0, 8),
		CALL(rt_sigpending, P, 8),
		CALL(sigaltstack, P, 0),
		CALL(getresuid, P, P, P),
		CALL(getrandom, P, 10, 0),
		CALL(getcpu, P, 0, 0),
		CALL(sched_getparam, 0, P),
		CALL(sched_getaffinity, 0, 128, P),
		CALL(getitimer, 0, P),
		CALL(poll, P, 1, 0),
		CALL(select, 1, P, 0, 0, 0),
		CALL(arch_prctl, 0x1003, P),
		CALL(prctl, 15, P, 0, 0, 0),
		CALL(read, 0, P, 0),
		CALL(write, 1, P, 1),
		CALL(write, 1, -1, 1),
		CALL(write, 1, last, 0),
		CALL(writev, 1, P, 1),
	};

	munmap((void *)end, 4096); /* NOLINT: an address is made up here */
	run(calls, sizeof(calls) / sizeof(*calls));
}

const struct group bad_groups[] = {
	{"bad_fds", test_bad_fds},
	{"bad_paths", test_bad_paths},
	{"bad_outputs", test_bad_outputs},
	{NULL, NULL},
};
