/* SPDX-License-Identifier: Apache-2.0 */
/* conform.h - small cases of what a program may expect of Linux, each in a
 * process and a directory of its own. They only print; what is right is what
 * the same program prints on a Linux kernel, so no line may differ between two
 * runs: no addresses, no ids, no times. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Prints `expression = value` or `expression = -1, errno N`. */
#define T(expr) tell_result(#expr, (long)(expr))
/* Of a call whose good result differs from run to run: `= ok`. */
#define OK(expr) tell_success(#expr, (long)(expr))
/* Of a pointer, NULL or MAP_FAILED being bad. */
#define PTR(expr) tell_pointer(#expr, (expr))
/* Of a function of pthreads, which returns its error. */
#define E(expr) tell_error(#expr, (expr))
/* Not worth a line, but not to be ignored: a case that cannot be set up. */
#define DO(expr) must(#expr, (long)(expr))

/* An address that is never mapped. */
#define BAD ((void *)16)

struct test {
	const char *name;
	void (*run)(void);
};

struct area {
	const char *name;
	const struct test *tests; /* ended by one without a name */
};

long tell_result(const char *what, long result);
long tell_success(const char *what, long result);
void *tell_pointer(const char *what, void *result);
int tell_error(const char *what, int error);
long must(const char *what, long result);

/** say() - one line about what was seen. */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);

/** say_status() - what wait told of a child. */
void say_status(int status);

/** child() - fork; the child calls fn() and ends with status 0. */
pid_t child(void (*fn)(void));

/** reap() - wait for a child and print how it ended. */
void reap(pid_t pid);

/** make() - a file with a text; content() prints one. */
void make(const char *name, const char *text);
void content(const char *name);

/** start() - a thread; join() prints whether it could be waited for. Return:
 * the thread, its result. */
pthread_t start(void *(*fn)(void *), void *arg);
void *join(pthread_t thread);

/** nap() - sleep for some milliseconds, whatever signals come. */
void nap(int ms);

/** handle() - sigaction() of a handler that counts into `caught`. */
void handle(int number, int flags);
extern volatile int caught, caught_last;

/** own_path() - this program, to be executed again. */
const char *own_path(void);

extern const struct test process_tests[], exec_tests[], group_tests[];
extern const struct test signal_tests[], thread_tests[], sync_tests[];
extern const struct test timer_tests[], event_tests[], pipe_tests[];
extern const struct test unix_tests[], inet_tests[], memory_tests[];
extern const struct test file_tests[], procfs_tests[];
extern const struct test clone_tests[], cancel_tests[];
extern const struct test limit_tests[], fault_tests[];
