/* SPDX-License-Identifier: Apache-2.0 */
/* problem.c - the lines a person reads. */
#include "runner/cli/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/** is_raw() - is stderr a terminal that a VM has made raw? There a newline
 * alone does not go to the left margin. */
static bool is_raw(void)
{
	struct termios modes;

	return tcgetattr(STDERR_FILENO, &modes) == 0 &&
	       !(modes.c_oflag & OPOST);
}

static void say_line(const char *text)
{
	char line[PROBLEM_TEXT_BYTES + 16];
	int n = snprintf(line, sizeof(line) - 2, "ampoule: %s", text);
	size_t len = n < 0 ? 0 : (size_t)n;

	if (len > sizeof(line) - 3)
		len = sizeof(line) - 3;
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	}
	if (is_raw())
		line[len++] = '\r';
	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; /* nobody listens, nothing to tell */
}

int problem_set(struct problem *p, int exit_code, const char *fmt, ...)
{
	va_list ap;

	p->exit_code = exit_code;
	va_start(ap, fmt);
	(void)vsnprintf(p->text, sizeof(p->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int problem_say(const struct problem *p)
{
	say_line(p->text);
	return p->exit_code;
}

void say(const char *fmt, ...)
{
	char text[PROBLEM_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say_line(text);
}
