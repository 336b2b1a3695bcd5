/* SPDX-License-Identifier: Apache-2.0 */
/* vcpu.c - one virtual CPU: its thread and the loop around KVM_RUN. Set-up is
 * vcpu_setup.c; what ends it abnormally is told by vcpu_fault.c. */
#include "runner/vmm/vcpu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "base/error.h"
#include "runner/vmm/guard.h"
#include "runner/vmm/platform.h"
#include "runner/vmm/thread.h"
#include "runner/vmm/vcpu_fault.h"
#include "runner/vmm/vcpu_setup.h"

/** count() - one writer, so no atomic addition is needed. */
static void count(_Atomic uint64_t *counter)
{
	uint64_t n = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, n + 1, memory_order_relaxed);
}

static void handle_mmio(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	gpa_t at = gpa(run->mmio.phys_addr);

	count(&v->exits_mmio);
	if (run->mmio.len > sizeof(run->mmio.data))
		return;
	if (run->mmio.is_write)
		bus_write(v->env->bus, at, run->mmio.data, run->mmio.len);
	else
		bus_read(v->env->bus, at, run->mmio.data, run->mmio.len);
}

/** handle_io() - ports are the platform's; `rep ins` and `rep outs` come as
 * several items. */
static void handle_io(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	size_t item = run->io.size, bytes = item * run->io.count;

	count(&v->exits_io);
	if (run->io.data_offset > v->env->vm->run_bytes ||
	    bytes > v->env->vm->run_bytes - run->io.data_offset)
		return;
	for (size_t at = 0; at < bytes; at += item) {
		if (run->io.direction == KVM_EXIT_IO_IN)
			platform_in(v->env->platform, run->io.port, data + at,
				    item);
		else
			platform_out(v->env->platform, run->io.port, data + at,
				     item);
	}
}

/** handle_rare() - exits that are no device access. */
static void handle_rare(struct vcpu *v)
{
	count(&v->exits_other);
	switch (v->run->exit_reason) {
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SET_TPR:
	case KVM_EXIT_IOAPIC_EOI: /* ours has edges only */
		return;
	case KVM_EXIT_SYSTEM_EVENT:
		if (v->run->system_event.type != KVM_SYSTEM_EVENT_CRASH)
			guest_shut_down(v->env->guest);
		break;
	default:
		break;
	}
	vcpu_fault_exit(v);
}

static void handle_exit(struct vcpu *v)
{
	switch (v->run->exit_reason) {
	case KVM_EXIT_MMIO:
		handle_mmio(v);
		break;
	case KVM_EXIT_IO:
		handle_io(v);
		break;
	case KVM_EXIT_HLT:
		count(&v->exits_hlt);
		break;
	default:
		handle_rare(v);
	}
}

static _Noreturn void run(struct vcpu *v)
{
	if (v->index == 0)
		timeline_mark(v->env->timeline, STAMP_FIRST_RUN);
	for (;;) {
		if (ioctl(v->fd, KVM_RUN, 0) == 0)
			handle_exit(v);
		else if (errno == EINTR)
			/* Stopped and continued: spare the guest's watchdogs.
			 * KVM refuses it while the guest has no kvmclock. */
			(void)ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0);
		else if (errno != EAGAIN)
			vcpu_fault_errno(v, errno);
	}
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	char name[16];
	int err;

	(void)snprintf(name, sizeof(name), "vcpu%u", v->index);
	prctl(PR_SET_NAME, name);
	vcpu_set_up(v);
	err = guard_thread(POLICY_VCPU, name);
	if (err)
		stop_fail(v->env->stop, 125, "cannot put %s's policy on: %s",
			  name, error_text(err));
	pthread_barrier_wait(&v->env->ready);
	run(v);
}

int vcpu_start(struct vcpu *v, struct vcpu_env *env, uint32_t index)
{
	v->env = env;
	v->index = index;
	return thread_start(&v->thread, vcpu_main, v);
}

void vcpu_add_usage(const struct vcpu *v, struct report_msg *msg)
{
	msg->u.usage.exits_mmio += atomic_load(&v->exits_mmio);
	msg->u.usage.exits_io += atomic_load(&v->exits_io);
	msg->u.usage.exits_hlt += atomic_load(&v->exits_hlt);
	msg->u.usage.exits_other += atomic_load(&v->exits_other);
}
