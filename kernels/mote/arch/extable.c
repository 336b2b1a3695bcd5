/* SPDX-License-Identifier: Apache-2.0 */
/* extable.c - where to go on after an expected fault at CPL 0. The table is a
 * handful of entries, made by EXTABLE() and put together by the linker. */
#include "kernels/mote/arch/extable.h"

extern const struct extable_entry __ex_table_start[], __ex_table_end[];

static uint64_t target(const int32_t *field)
{
	return (uint64_t)field + (uint64_t)(int64_t)*field;
}

uint64_t extable_find(uint64_t rip)
{
	for (const struct extable_entry *e = __ex_table_start;
	     e < __ex_table_end; e++)
		if (target(&e->insn) == rip)
			return target(&e->fixup);
	return 0;
}
