/* SPDX-License-Identifier: Apache-2.0 */
/* wait.h - blocking without a queue (waitq.h has them): until a time, a
 * signal, or an interrupt. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define WAIT_FOREVER UINT64_MAX

/** wait_until() - sleep until @ready(@arg), a signal, or a deadline. Somebody
 * has to wake the thread (sched_wake()) for @ready to be asked again.
 * @deadline_ns: monotonic clock, WAIT_FOREVER for none.
 * Return: 0 ready (tested first, before any signal), -EINTR a signal that
 * must be delivered is pending, -ETIMEDOUT. */
int wait_until(bool (*ready)(void *arg), void *arg, uint64_t deadline_ns);

/** wait_deadline() - the deadline of a call that waits for a time counted from
 * now: @fresh_ns, or what it was when this call had begun before a signal that
 * came to nothing interrupted it. */
uint64_t wait_deadline(uint64_t fresh_ns);
/** wait_interrupted() - such a call ends with -EINTR, which it returns. A
 * handler ends it for good, SA_RESTART or not (signal(7)). */
int wait_interrupted(uint64_t deadline_ns);

/** wait_uninterrupted() - the same without signals or a deadline: for what
 * has to end first. */
void wait_uninterrupted(bool (*ready)(void *arg), void *arg);

/** wait_for_device() - the same for what no queue tells of: asked after every
 * interrupt, and nobody else runs meanwhile. For the short. */
void wait_for_device(bool (*ready)(void *arg), void *arg);
