/* SPDX-License-Identifier: Apache-2.0 */
/* vm_state.c - how a VM of the registry is doing. */
#include "runner/cli/vm_state.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#define START_NS (10 * NS_PER_SEC) /* packing a large program takes a while */
#define NAP_NS   (5 * (long)NS_PER_MS)

enum vm_state vm_look(const struct vm_entry *vm, struct process_stat *ret_stat)
{
	*ret_stat = (struct process_stat){0};
	if (!vm->held)
		return vm->record.exited ? VM_EXITED : VM_LOST;
	if (vm->record.exited)
		return VM_ENDING;
	if (!vm->record.vm.pid)
		return VM_STARTING;
	if (process_look(&vm->record.vm, ret_stat))
		return VM_ENDING;
	return ret_stat->state == 'T' ? VM_PAUSED : VM_RUNNING;
}

const char *vm_state_text(const struct vm_entry *vm, enum vm_state state,
			  char buf[24])
{
	static const char *const words[] = {
		[VM_STARTING] = "starting", [VM_RUNNING] = "running",
		[VM_PAUSED] = "paused",     [VM_ENDING] = "ending",
		[VM_LOST] = "lost",
	};

	if (state != VM_EXITED)
		return words[state];
	(void)snprintf(buf, 24, "exited %d", vm->record.exit_code);
	return buf;
}

static void nap(void)
{
	const struct timespec time = {.tv_nsec = NAP_NS};

	nanosleep(&time, NULL);
}

/** look_again() - the lock, and the record. */
static int look_again(struct vm_entry *vm)
{
	vm->held = flock(vm->record_fd, LOCK_SH | LOCK_NB) < 0;
	if (!vm->held)
		(void)flock(vm->record_fd, LOCK_UN);
	return vm_entry_reread(vm);
}

int vm_await_start(struct vm_entry *vm)
{
	uint64_t end = clock_now_ns() + START_NS;

	while (vm->held && !vm->record.vm.pid && clock_now_ns() < end) {
		nap();
		if (look_again(vm))
			return -ESRCH;
	}
	return vm->held && vm->record.vm.pid ? 0 : -ESRCH;
}

static int wait_ms(uint64_t deadline_ns)
{
	uint64_t now = clock_now_ns(), ms;

	if (!deadline_ns)
		return -1;
	if (now >= deadline_ns)
		return 0;
	ms = (deadline_ns - now) / NS_PER_MS + 1;
	return ms > 1000000 ? 1000000 : (int)ms;
}

/** await_process() - Return: 0: it is gone; -ETIME; -errno. */
static int await_process(const struct process_id *id, uint64_t deadline_ns)
{
	cleanup_fd int fd = process_open(id);
	struct pollfd end = {.fd = fd, .events = POLLIN};

	if (fd < 0)
		return fd == -ESRCH ? 0 : fd;
	for (;;) {
		int ms = wait_ms(deadline_ns), n = poll(&end, 1, ms);

		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0 && !ms)
			return -ETIME;
	}
}

int vm_await_end(struct vm_entry *vm, uint64_t deadline_ns)
{
	int err = 0;

	while (vm->held && !err) {
		if (vm->record.monitor.pid)
			err = await_process(&vm->record.monitor, deadline_ns);
		else if (deadline_ns && clock_now_ns() >= deadline_ns)
			err = -ETIME;
		if (!err)
			err = look_again(vm);
		if (!err && vm->held)
			nap();
	}
	return err;
}

int vm_signal(const struct vm_entry *vm, int signal)
{
	cleanup_fd int fd = process_open(&vm->record.vm);

	return fd < 0 ? fd : process_signal(fd, signal);
}
