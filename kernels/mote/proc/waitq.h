/* SPDX-License-Identifier: Apache-2.0 */
/* waitq.h - who waits for what. A waitq belongs to a thing that changes (a
 * pipe, a socket, a futex word's page); whoever changes it calls
 * waitq_wake(). A zeroed waitq is empty and valid.
 *
 * The kernel is not preemptible, so a condition tested false and the sleep
 * that follows are one step: no wake-up is lost. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/proc/wait.h"

struct waiter;

struct waitq {
	struct waiter *first;
};

/* One watcher in one queue; lies on the stack of who sleeps, or in an object
 * (epoll) that wants to be told. */
struct waiter {
	struct waitq *queue; /* NULL: in none */
	struct waiter *next, **link;
	void (*wake)(struct waiter *w); /* may remove @w; never sleeps */
	void *private;
};

/** waitq_add()/waitq_remove() - begin and end to watch. Removing one that is
 * in no queue is fine. */
void waitq_add(struct waitq *q, struct waiter *w);
void waitq_remove(struct waiter *w);

/** waitq_close() - @q goes away: nobody watches it any more. */
void waitq_close(struct waitq *q);

static inline bool waitq_is_empty(const struct waitq *q)
{
	return !q->first;
}

/** waitq_wake() - tell all who watch @q, in order of arrival. */
void waitq_wake(struct waitq *q);

/** waitq_wait() - sleep on @q until @ready(@arg), a signal or a deadline; the
 * condition is looked at again after every wake of @q. As wait_until(). */
int waitq_wait(struct waitq *q, bool (*ready)(void *arg), void *arg,
	       uint64_t deadline_ns);
/** waitq_wait_device() - the same without signals or a deadline: for a transfer
 * that holds pages of the program and has to end first. */
void waitq_wait_device(struct waitq *q, bool (*ready)(void *arg), void *arg);
/** waitq_wait_many() - the same on @count queues (NULL entries are skipped).
 * @waiters: room for @count. */
int waitq_wait_many(struct waitq **q, struct waiter *waiters, uint32_t count,
		    bool (*ready)(void *arg), void *arg, uint64_t deadline_ns);
