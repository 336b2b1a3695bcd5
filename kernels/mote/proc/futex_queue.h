/* SPDX-License-Identifier: Apache-2.0 */
/* futex_queue.h - who waits for which futex word. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/lib/list.h"
#include "kernels/mote/proc/waitq.h"

struct vm;

/* Names a word: by address in one address space, or, where the mapping is
 * shared, by what is mapped, so that two address spaces find each other. */
struct futex_key {
	const void *what; /* struct vm or struct inode; NULL: physical */
	uint64_t where;   /* user address, place in the file, or address */
};

/* A sleeping thread; lies on its stack. */
struct futex_waiter {
	struct futex_key key;
	uint32_t bitset; /* of FUTEX_WAIT_BITSET */
	bool woken;
	struct list in_bucket;
	struct waitq waitq;
};

/** futex_word() - where the word at user address @addr is, now. @write: it is
 * going to be changed. Valid until the next wait. 0, -EINVAL, -EFAULT. */
int futex_word(struct vm *vm, uint64_t addr, bool write, uint32_t **ret);
/** futex_key_get() - the name of the word at @addr. @private: the caller knows
 * that no other address space has it. 0, -EINVAL, -EFAULT. */
int futex_key_get(struct vm *vm, uint64_t addr, bool private,
		  struct futex_key *ret);
/** futex_sleep() - until somebody wakes @w (its key and bitset are set).
 * 0, -EINTR, -ETIMEDOUT. */
int futex_sleep(struct futex_waiter *w, uint64_t deadline_ns);
/** futex_wake_key() - wake up to @count whose bitset meets @bitset. Return: how
 * many. */
int futex_wake_key(const struct futex_key *key, int count, uint32_t bitset);
/** futex_move() - of those who wait for @from wake the first @wake, and let
 * the next @move wait for @to instead. Return: how many in all. */
int futex_move(const struct futex_key *from, const struct futex_key *to,
	       int wake, int move);
