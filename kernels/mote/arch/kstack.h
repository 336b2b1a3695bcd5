/* SPDX-License-Identifier: Apache-2.0 */
/* kstack.h - kernel stacks, each with unmapped memory below it. */
#pragma once
#include <stdint.h>

struct kstack_top;

#define KSTACKS_MAX 4096u

/** kstack_new() - a stack; returns its top. NULL: no memory, or KSTACKS_MAX
 * are in use. */
struct kstack_top *kstack_new(void);
/** kstack_free() - never the one in use. */
void kstack_free(struct kstack_top *top);
