/* SPDX-License-Identifier: Apache-2.0 */
/* vm_state.h - how a VM of the registry is doing, from its record and from its
 * process, and waiting until that changes. */
#pragma once
#include "runner/cli/registry.h"

enum vm_state {
	VM_STARTING, /* there is no VMM yet */
	VM_RUNNING,
	VM_PAUSED, /* stopped, by `ampoule pause` or SIGSTOP */
	VM_ENDING, /* the VMM is gone, who waits for it is at work */
	VM_EXITED,
	VM_LOST, /* its monitor was killed, and it with that */
};

/** vm_look() - @ret_stat: of the VMM, zero if there is none. */
enum vm_state vm_look(const struct vm_entry *vm, struct process_stat *ret_stat);

/** vm_state_text() - "running", "exited 3". */
const char *vm_state_text(const struct vm_entry *vm, enum vm_state state,
			  char buf[24]);

/** vm_await_start() - until there is a VMM, or there will be none; the record
 * is read anew. Return: 0; -ESRCH. */
int vm_await_start(struct vm_entry *vm);

/** vm_await_end() - until nobody waits for the VM any more; the record is read
 * anew. @deadline_ns: CLOCK_MONOTONIC, 0: none. Return: 0; -ETIME; -errno. */
int vm_await_end(struct vm_entry *vm, uint64_t deadline_ns);

/** vm_signal() - the VMM, and no process but that.
 * Return: 0; -ESRCH: it is gone; -errno. */
int vm_signal(const struct vm_entry *vm, int signal);
