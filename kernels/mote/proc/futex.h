/* SPDX-License-Identifier: Apache-2.0 */
/* futex.h - what the end of a thread asks of futexes. */
#pragma once
#include <stdint.h>

struct task;
struct vm;

/** futex_wake() - wake at most @count (>= 1) threads that wait for the word at
 * user address @addr of @vm. Return: how many, or -EFAULT, -EINVAL. */
int futex_wake(struct vm *vm, uint64_t addr, int count);

/** futex_exit() - @t, which is current and still has its address space, ends:
 * the locks on its robust list get FUTEX_OWNER_DIED and one waiter of each is
 * woken (get_robust_list(2)). The list is the program's: a bad one is followed
 * as far as it goes, at most FUTEX_ROBUST_MAX entries. */
#define FUTEX_ROBUST_MAX 2048
void futex_exit(struct task *t);
