/* SPDX-License-Identifier: Apache-2.0 */
/* exec.h - replace the running program by another one. */
#pragma once
#include <stdint.h>

struct regs;

/* Arguments and environment as one block of NUL-terminated strings: argc
 * arguments, then envc entries. */
struct exec_strings {
	const char *text; /* kernel address */
	uint64_t bytes;
	uint32_t argc, envc;
};

#define EXEC_STRINGS_MAX (2u << 20) /* as Linux: a quarter of the stack */

/** exec_program() - load @path (a kernel string) into a fresh address space
 * and make it current; @r becomes its first frame. Scripts ("#!") start their
 * interpreter. @strings is only read. The first program's @r comes zeroed.
 * Return: 0; -errno as execve(2), and the old program is still there. After
 * the point of no return a failure ends the task by SIGKILL. */
int exec_program(const char *path, const struct exec_strings *strings,
		 struct regs *r);

/** exec_search() - where @name is: itself if there is a slash in it, otherwise
 * the first executable file of that name along the PATH among @strings.
 * Return: good until the next call; @name if there is none. */
const char *exec_search(const char *name, const struct exec_strings *strings);
