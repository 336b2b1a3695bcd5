/* SPDX-License-Identifier: Apache-2.0 */
/* linuxfuzz.h - what the files of linuxfuzz share. */
#pragma once
#include <stdbool.h>

#include "whim.h"

/** msr_open() - ready to access MSRs. Return: false, the kernel has no way. */
bool msr_open(void);

/** msr_act() - read or write one, of any CPU. @gentle: do not write those that
 * the kernel lives by. Return: was anything tried? */
bool msr_act(struct whim *w, bool gentle);
