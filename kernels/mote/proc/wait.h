/* SPDX-License-Identifier: Apache-2.0 */
/* wait.h - blocking. The kernel is not preemptible at CPL 0 and runs with
 * interrupts off; the only places it gives up the CPU are here. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define WAIT_FOREVER UINT64_MAX

/** wait_until() - sleep until @ready(@arg), a signal, or a deadline.
 * @deadline_ns: monotonic clock, WAIT_FOREVER for none.
 * Interrupt handlers run in between; every one re-evaluates @ready.
 * Return: 0 ready (tested first, before any signal), -EINTR a signal that
 * must be delivered is pending, -ETIMEDOUT. */
int wait_until(bool (*ready)(void *arg), void *arg, uint64_t deadline_ns);

/** wait_for_device() - the same without signals or a deadline: for a transfer
 * that holds pages of the program and has to end first. */
void wait_for_device(bool (*ready)(void *arg), void *arg);

/** wait_idle_ns() - how long the CPU had nothing to do, since boot. */
uint64_t wait_idle_ns(void);
