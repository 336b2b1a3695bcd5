/* SPDX-License-Identifier: Apache-2.0 */
/* stack.h - a new program's first stack: strings, argv, envp, auxv. */
#pragma once
#include <stdint.h>

struct exec_strings;
struct process;
struct vm;

struct stack_facts {                       /* what the auxiliary vector tells */
	uint64_t phdr, phnum, entry, base; /* AT_PHDR, _PHNUM, _ENTRY, _BASE */
	uint64_t vdso;                     /* AT_SYSINFO_EHDR */
	const uint8_t *random;             /* 16 bytes */
};

/** stack_build() - fill the pages below @top.
 * @p: takes the addresses of arguments and environment, and a copy of auxv.
 * @ret_rsp: where argc is. Return: 0, -E2BIG, -ENOMEM, -EBADMSG (fewer strings
 * than @strings counts). */
int stack_build(struct vm *vm, uint64_t top, const char *path,
		const struct exec_strings *strings,
		const struct stack_facts *facts, struct process *p,
		uint64_t *ret_rsp);
