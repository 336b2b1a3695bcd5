/* SPDX-License-Identifier: Apache-2.0 */
/* oom.h - when memory runs out, the largest process is ended, not the VM. */
#pragma once
#include <stdbool.h>

/** oom_is_near() - so little is left that somebody has to go. The pages below
 * this mark are for the kernel's own needs on the way there. */
bool oom_is_near(void);
/** oom_make_room() - end the largest process, if need be the current one, until
 * there is room. Sleeps; on the way back to the program only. */
void oom_make_room(void);
