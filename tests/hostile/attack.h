/* SPDX-License-Identifier: Apache-2.0 */
/* attack.h - what a captured VMM would try, as tables of attempts. Each one is
 * made with raw system calls: seccomp's signal jumps out of the middle, and
 * nothing of libc may hold a lock then. */
#pragma once
#include <stddef.h>

#include "base/plan.h"

/* What an attempt may give, as a list of words with blanks around each: errno
 * names, "trapped" (refused by the thread's policy), "made" (it was done). */
#define TRAPPED " trapped "
/* A wall of Landlock's fourth version, Linux 6.7; before it, policies are the
 * only one there: a socket of a namespace in which nobody else is. */
#define BY_TCP_RULES "tcp-rules"

struct attack {
	const char *name;
	/* 0 or more: it was done. Below: -errno of the last step. */
	long (*run)(const struct plan *plan, long arg);
	long arg;
	const char *walls;  /* expected without policies; NULL: not tried, as
			     * policies are the only wall there */
	const char *policy; /* expected with them; NULL: TRAPPED */
};

struct attack_table {
	const char *topic;
	const struct attack *attack;
	size_t count;
};

extern const struct attack_table attack_files, attack_root, attack_memory,
	attack_net, attack_others, attack_power, attack_kvm, attack_limits,
	attack_ring;

/** attack_ring_make() - the ring that attack_ring is about, over @file, while
 * there is no policy. Return: 0 or -errno. */
int attack_ring_make(int file);

/** call() - a raw system call, with up to six numbers or pointers.
 * Return: its result or -errno. */
#define call(...) CALL_PADDED(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)
#define CALL_PADDED(nr, a, b, c, d, e, f, ...)                                 \
	call_raw(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e),    \
		 (long)(f))
long call_raw(long nr, long a, long b, long c, long d, long e, long f);
