/* SPDX-License-Identifier: Apache-2.0 */
/* stackguard.c - what compiled code calls when a stack frame was overwritten.
 * The guard itself is set in boot.S. */
#include "kernels/mote/lib/lib.h"

/* Calls to it appear after the whole-program pass has looked for them. */
_Noreturn __attribute__((used)) void __stack_chk_fail(void);

void __stack_chk_fail(void)
{
	panic("kernel stack overwritten, found in %p",
	      __builtin_return_address(0));
}
