/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h - how a run ended: the exit code and the one line about it. */
#pragma once
#include <stdbool.h>

struct problem;
struct settings;
struct supervise;

struct verdict_input {
	const struct supervise *supervise;
	const struct settings *settings;
	const char *program; /* as the user named it */
	bool killed;         /* by `ampoule kill` or `ampoule rm` */
};

/** verdict() - decide. @ret_line: what to say; empty text: nothing.
 * Return: the exit code. */
int verdict(const struct verdict_input *in, struct problem *ret_line);
