/* SPDX-License-Identifier: Apache-2.0 */
/* sys.h - system calls of Linux on x86-64 without a C library: each returns
 * what the kernel returns, a value or -errno. */
#pragma once
#include <asm/unistd.h>
#include <stddef.h>
#include <stdint.h>

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
			   "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define sys0(nr)          sys6(nr, 0, 0, 0, 0, 0, 0)
#define sys1(nr, a)       sys6(nr, (long)(a), 0, 0, 0, 0, 0)
#define sys2(nr, a, b)    sys6(nr, (long)(a), (long)(b), 0, 0, 0, 0)
#define sys3(nr, a, b, c) sys6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define sys4(nr, a, b, c, d)                                                   \
	sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define sys5(nr, a, b, c, d, e)                                                \
	sys6(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

static inline long sys_open(const char *path, int flags)
{
	return sys3(__NR_open, path, flags, 0644);
}

static inline long sys_read(int fd, void *buf, size_t bytes)
{
	return sys3(__NR_read, fd, buf, bytes);
}

static inline long sys_write(int fd, const void *buf, size_t bytes)
{
	return sys3(__NR_write, fd, buf, bytes);
}

static inline long sys_close(int fd)
{
	return sys1(__NR_close, fd);
}
