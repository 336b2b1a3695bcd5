/* SPDX-License-Identifier: Apache-2.0 */
/* problem.h - why something cannot be done, as the one line a person reads:
 * what failed, on what, why, and what to do. Filled where the cause is known,
 * printed once by the command. */
#pragma once

#define PROBLEM_TEXT_BYTES 1024

enum exit_code { /* the container convention, and timeout(1)'s 124 */
	EXIT_TIME_LIMIT = 124,
	EXIT_AMPOULE = 125,
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
};

struct problem {
	int exit_code;
	char text[PROBLEM_TEXT_BYTES];
};

/** problem_set() - describe a failure (a later description replaces it).
 * Return: always -EINVAL, for `return problem_set(...)`. */
__attribute__((format(printf, 3, 4))) int
problem_set(struct problem *p, int exit_code, const char *fmt, ...);

/** problem_say() - print it on stderr. Return: its exit code. */
int problem_say(const struct problem *p);

/** say() - one line "ampoule: ..." on stderr, in one write(2). Control
 * characters become '?': names in it may be anybody's. */
__attribute__((format(printf, 1, 2))) void say(const char *fmt, ...);
