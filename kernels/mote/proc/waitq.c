/* SPDX-License-Identifier: Apache-2.0 */
/* waitq.c - lists of watchers, and sleeping on them. */
#include "kernels/mote/proc/waitq.h"

#include <stddef.h>

#include "kernels/mote/proc/schedule.h"
#include "kernels/mote/proc/task.h"

void waitq_add(struct waitq *q, struct waiter *w)
{
	struct waiter **link = &q->first;

	while (*link)
		link = &(*link)->next;
	w->queue = q;
	w->next = NULL;
	w->link = link;
	*link = w;
}

void waitq_remove(struct waiter *w)
{
	if (!w->queue)
		return;
	*w->link = w->next;
	if (w->next)
		w->next->link = w->link;
	w->queue = NULL;
}

void waitq_close(struct waitq *q)
{
	while (q->first)
		waitq_remove(q->first);
}

void waitq_wake(struct waitq *q)
{
	struct waiter *next;

	for (struct waiter *w = q->first; w; w = next) {
		next = w->next;
		w->wake(w);
	}
}

static void wake_sleeper(struct waiter *w)
{
	sched_wake(w->private);
}

static struct waiter sleeper(void)
{
	return (struct waiter){.wake = wake_sleeper, .private = current()};
}

int waitq_wait(struct waitq *q, bool (*ready)(void *arg), void *arg,
	       uint64_t deadline_ns)
{
	struct waiter w;

	return waitq_wait_many(&q, &w, 1, ready, arg, deadline_ns);
}

void waitq_wait_device(struct waitq *q, bool (*ready)(void *arg), void *arg)
{
	struct waiter w = sleeper();

	if (ready(arg))
		return;
	waitq_add(q, &w);
	wait_uninterrupted(ready, arg);
	waitq_remove(&w);
}

int waitq_wait_many(struct waitq **q, struct waiter *waiters, uint32_t count,
		    bool (*ready)(void *arg), void *arg, uint64_t deadline_ns)
{
	int err;

	if (ready(arg))
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		waiters[i] = sleeper();
		if (q[i])
			waitq_add(q[i], &waiters[i]);
	}
	err = wait_until(ready, arg, deadline_ns);
	for (uint32_t i = 0; i < count; i++)
		waitq_remove(&waiters[i]);
	return err;
}
