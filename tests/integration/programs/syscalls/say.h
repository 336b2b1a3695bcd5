/* SPDX-License-Identifier: Apache-2.0 */
/* say.h - the system-call table: each case is one line of output that must be
 * the same outside and inside a VM. A line starts with the call's name, so
 * that a test can tell which calls are covered. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* S(openat, AT_FDCWD, "f", O_RDONLY, 0) makes the call and prints
 * `openat(AT_FDCWD, "f", O_RDONLY, 0) = 3` or `... = ENOENT`. */
#define S(name, ...)                                                           \
	say_result(#name "(" #__VA_ARGS__ ")",                                 \
		   syscall(SYS_##name, ##__VA_ARGS__))

/* The same for calls whose good result differs from run to run: prints `ok`
 * for everything that is not an error. */
#define OK(name, ...)                                                          \
	say_success(#name "(" #__VA_ARGS__ ")",                                \
		    syscall(SYS_##name, ##__VA_ARGS__))

/** say_result() - print a call and what it returned. Return: @result. */
long say_result(const char *call, long result);
long say_success(const char *call, long result);

/** say() - one more line about what a call did: `  text`. */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);

/** say_bytes() - like say(), of bytes: printable ones as they are. */
void say_bytes(const char *what, const void *bytes, long len);

/** say_file() - the size and content of a file by its name. */
void say_file(const char *name);

/** make_file() - a file with a text, without a word about it. */
void make_file(const char *name, const char *text);

/* An address that is never mapped, and one of the kernel's. */
#define BAD    ((void *)16)
#define KERNEL ((void *)0xffff888000000000)

struct group {
	const char *name;
	void (*run)(void);
};

/* What each file has to offer, ended by a group without a name. */
extern const struct group open_groups[];
extern const struct group rw_groups[];
extern const struct group stat_groups[];
extern const struct group dir_groups[];
extern const struct group fd_groups[];
extern const struct group mem_groups[];
extern const struct group signal_groups[];
extern const struct group time_groups[];
extern const struct group proc_groups[];
extern const struct group bad_groups[];
extern const struct group event_groups[];
extern const struct group child_groups[];
extern const struct group thread_groups[];
extern const struct group job_groups[];
extern const struct group lock_groups[], pty_groups[];
extern const struct group unix_groups[];
extern const struct group sockmsg_groups[];
extern const struct group inet_groups[];
extern const struct group timer_groups[], sockfork_groups[], fpu_groups[];
extern const struct group turn_groups[];
