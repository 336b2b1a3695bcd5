/* SPDX-License-Identifier: Apache-2.0 */
/* extable.h - instructions at CPL 0 that may fault, and where to go on when
 * they do. A fault at any other place is a panic. */
#pragma once
#include <stdint.h>

/* In an asm statement: a fault at label @from continues at label @to. */
#define EXTABLE(from, to)                                                      \
	".pushsection __ex_table, \"a\"\n"                                     \
	".balign 4\n"                                                          \
	".long (" from ") - .\n"                                               \
	".long (" to ") - .\n"                                                 \
	".popsection\n"

struct extable_entry { /* both relative to the field's own address */
	int32_t insn, fixup;
};

/** extable_find() - where the instruction at @rip continues when it faults;
 * 0: it is not in the table. */
uint64_t extable_find(uint64_t rip);
