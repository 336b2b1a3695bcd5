/* SPDX-License-Identifier: Apache-2.0 */
/* script.h - programs that begin with "#!". */
#pragma once
#include "kernels/mote/proc/exec.h"

struct file;

#define SCRIPT_LINE_MAX  256
#define SCRIPT_DEPTH_MAX 4

struct script {
	char interp[SCRIPT_LINE_MAX];
	char *text;                  /* owned; what strings.text points to */
	struct exec_strings strings; /* interpreter, its argument, path, ... */
};

/** script_parse() - is @f a script, and what runs it?
 * Return: 1 with @ret (script_done() after); 0 not a script; -ENOEXEC (empty
 * or cut line), -ENOMEM. */
int script_parse(struct file *f, const char *path,
		 const struct exec_strings *old, struct script *ret);
void script_done(struct script *s);
