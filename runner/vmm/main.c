/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the VMM: one process, one virtual machine. Trusts: the host's KVM
 * and its own checks of the plan. Must not: open anything, parse text, or
 * outlive the VM.
 *
 * Phases, in the order of the table at the end of this file:
 *   set-up   under the policy `start`: read the plan, build the VM; may fail
 *            loudly, with one line. The threads are there from early on; each
 *            puts on the policy of its role and waits at a barrier
 *   run      threads "loop" and "vcpuN" work, this one sleeps
 *   stop     any thread, stop.h: report and end the process
 * Nothing is torn down by hand: the end of the process is the tear-down. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/plan.h"
#include "base/report.h"
#include "devices-virtio/console.h"
#include "devices-virtio/net.h"
#include "runner/vmm/acpi.h"
#include "runner/vmm/boot.h"
#include "runner/vmm/control.h"
#include "runner/vmm/devices.h"
#include "runner/vmm/gate.h"
#include "runner/vmm/guard.h"
#include "runner/vmm/guest.h"
#include "runner/vmm/msr.h"
#include "runner/vmm/own_pages.h"
#include "runner/vmm/place.h"
#include "runner/vmm/platform.h"
#include "runner/vmm/pmem_map.h"
#include "runner/vmm/requests.h"
#include "runner/vmm/stop.h"
#include "runner/vmm/thread.h"
#include "runner/vmm/timeline.h"
#include "runner/vmm/vcpu.h"
#include "runner/vmm/vm.h"

#define EXIT_FAILED 125u

struct vmm {
	const char *why; /* of the step that fails: what to do about it */
	struct plan plan;
	struct timeline timeline;
	struct stop stop;
	struct vm vm;
	struct guest guest;
	struct bus bus;
	struct loop *loop;
	struct platform platform;
	struct devices devices;
	struct requests requests;
	struct control control;
	struct vcpu_env env;
	struct vcpu vcpu[PLAN_CPUS_MAX];
};

/** log_to_report() - log lines travel to the control plane, which writes them
 * where the user asked. */
static void log_to_report(void *ctx, enum log_level level, const char *line)
{
	const struct stop *stop = ctx;
	struct report_msg msg = {
		.version = REPORT_VERSION,
		.type = REPORT_LOG,
		.value = level,
	};

	strncpy(msg.u.text, line, sizeof(msg.u.text) - 1);
	report_send(stop->report_fd, &msg);
}

static int fd_is(int fd, mode_t type)
{
	struct stat st;

	if (fd < 0)
		return -EBADF;
	if (fstat(fd, &st) < 0)
		return -errno;
	return (st.st_mode & S_IFMT) == type ? 0 : -EINVAL;
}

/** hide_memory() - nobody of our own id may trace us or read our memory. The
 * jailer cannot do it for us: an exec undoes it. */
static int hide_memory(struct vmm *m)
{
	(void)m;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : 0;
}

static int put_policy_on(struct vmm *m)
{
	m->why = "the host's kernel needs seccomp filters; see ampoule doctor";
	return guard_start();
}

static int read_plan(struct vmm *m)
{
	struct plan *plan = &m->plan;
	int err = plan_read(PLAN_FD_NUMBER, plan, &m->why);
	char comm[16];

	if (err)
		return err;
	close(PLAN_FD_NUMBER);
	if (plan->fd[PLAN_FD_REPORT] >= 0) {
		m->why = "fd REPORT is not a socket";
		err = fd_is(plan->fd[PLAN_FD_REPORT], S_IFSOCK);
		if (err)
			return err;
		m->stop.report_fd = plan->fd[PLAN_FD_REPORT];
		log_set_sink(log_to_report, &m->stop);
	}
	m->why = "fd KVM is not a device";
	err = fd_is(plan->fd[PLAN_FD_KVM], S_IFCHR);
	if (err)
		return err;
	m->stop.trace = plan->flags & PLAN_FLAG_TRACE;
	log_set_level((enum log_level)plan->log_level);
	snprintf(comm, sizeof(comm), "vm:%.12s", plan->name);
	prctl(PR_SET_NAME, comm);
	return 0;
}

static int prepare_process(struct vmm *m)
{
	int err = requests_block_signals();

	return err ? err : stop_catch_sigbus(&m->stop);
}

static void *loop_main(void *arg)
{
	struct vmm *m = arg;
	int err;

	prctl(PR_SET_NAME, "loop");
	err = guard_thread(POLICY_LOOP, "loop");
	if (err)
		stop_fail(&m->stop, EXIT_FAILED,
			  "cannot put the loop's policy on: %s",
			  error_text(err));
	pthread_barrier_wait(&m->env.ready);
	err = loop_run(m->loop);
	stop_fail(&m->stop, EXIT_FAILED, "the event loop ended: %s",
		  error_text(err));
}

static int start_threads(struct vmm *m)
{
	/* All vCPUs, the loop, and this thread. */
	int err = -pthread_barrier_init(&m->env.ready, NULL, m->plan.cpus + 2);
	pthread_t thread;

	m->guest.stop = &m->stop;
	m->guest.timeline = &m->timeline;
	m->guest.vm = &m->vm;
	m->env.kvm_fd = m->plan.fd[PLAN_FD_KVM];
	m->env.entry_gpa = m->plan.entry_gpa;
	m->env.cpus = m->plan.cpus;
	m->env.pvh = m->plan.flags & PLAN_FLAG_PVH;
	m->env.foreign = m->plan.flags & PLAN_FLAG_ACPI;
	m->env.cpuid_mask = m->plan.cpuid;
	m->env.cpuid_masks = m->plan.cpuid_count;
	m->env.vm = &m->vm;
	m->env.bus = &m->bus;
	m->env.platform = &m->platform;
	m->env.guest = &m->guest;
	m->env.stop = &m->stop;
	m->env.timeline = &m->timeline;
	for (uint32_t i = 0; !err && i < m->plan.cpus; i++)
		err = vcpu_start(&m->vcpu[i], &m->env, i);
	return err ? err : thread_start(&thread, loop_main, m);
}

static int create_vm(struct vmm *m)
{
	int err = vm_create(&m->vm, m->plan.fd[PLAN_FD_KVM], &m->why);

	if (err)
		return err;
	timeline_mark(&m->timeline, STAMP_VM_CREATED);
	if (m->plan.cpus > m->vm.vcpus_max) {
		m->why = "the host's KVM allows fewer CPUs in a VM";
		return -E2BIG;
	}
	gate_open(&m->env.vm_created);
	msr_filter_counters(m->vm.fd); /* beside the vCPUs' set-up */
	return 0;
}

static int add_memory(struct vmm *m)
{
	m->why = "is --mem larger than the host allows?";
	return vm_add_ram(&m->vm, m->plan.mem_bytes,
			  m->plan.flags & PLAN_FLAG_ACPI);
}

static int place_kernel(struct vmm *m)
{
	int err = place_segments(&m->vm, &m->plan);

	if (err)
		return err;
	m->why = "KVM refused the memory slots";
	return vm_add_slots(&m->vm);
}

static int map_files(struct vmm *m)
{
	return pmem_map(&m->vm, &m->plan, &m->stop, &m->why);
}

/** sum_usage() - called by stop.c on whatever thread ends the VM. */
static void sum_usage(void *ctx, struct report_msg *msg)
{
	struct vmm *m = ctx;

	platform_flush(&m->platform);
	for (uint32_t i = 0; i < m->plan.cpus; i++)
		vcpu_add_usage(&m->vcpu[i], msg);
	if (m->devices.console) {
		struct console_usage bytes = console_usage(m->devices.console);

		msg->u.usage.bytes_in = bytes.bytes_in;
		msg->u.usage.bytes_out = bytes.bytes_out;
	}
}

static bool count_packets(void *ctx, struct report_msg *msg)
{
	struct vmm *m = ctx;

	if (!m->devices.net)
		return false;
	msg->u.network = net_usage(m->devices.net);
	return true;
}

static int build_devices(struct vmm *m)
{
	struct device_env env = {.plan = &m->plan, .guest = &m->guest};
	int err = loop_new(&m->loop);

	if (err)
		return err;
	err = platform_init(&m->platform, &m->plan, &m->guest, &m->bus);
	if (err)
		return err;
	env.loop = m->loop;
	env.why = &m->why;
	env.ioapic = platform_ioapic(&m->platform);
	err = devices_build(&m->devices, &env, &m->bus);
	if (m->plan.flags & PLAN_FLAG_ACPI)
		m->guest.console = m->devices.console;
	m->stop.usage = sum_usage;
	m->stop.network = count_packets;
	m->stop.usage_ctx = m;
	return err;
}

static int write_boot_data(struct vmm *m)
{
	struct boot_config config = {.plan = &m->plan};
	struct bootinfo info;
	int err;

	gate_wait(&m->env.cpuid_shaped);
	devices_describe(&m->devices, m->plan.cpus, &info);
	config.devices = &info;
	err = pmem_check_width(&m->plan, cpuid_address_bits(&m->env.cpuid),
			       &m->why);
	if (err)
		return err;
	config.gib_pages = cpuid_gib_pages(&m->env.cpuid);
	if (getrandom(config.seed, sizeof(config.seed), 0) !=
	    sizeof(config.seed))
		return -errno;
	config.rsdp_gpa = m->plan.flags & PLAN_FLAG_ACPI ? ACPI_GPA : 0;
	err = boot_write(&m->vm.gm, &config);
	explicit_bzero(config.seed, sizeof(config.seed));
	if (!err)
		err = platform_describe(&m->platform, &m->plan, &m->vm.gm);
	if (!err)
		timeline_mark(&m->timeline, STAMP_KERNEL_PLACED);
	return err;
}

/** close_inputs() - what set-up needed and the guest must never reach. */
static int close_inputs(struct vmm *m)
{
	static const enum plan_fd done[] = {PLAN_FD_KVM, PLAN_FD_VMM,
					    PLAN_FD_KERNEL, PLAN_FD_INITRD};

	for (size_t i = 0; i < sizeof(done) / sizeof(done[0]); i++) {
		if (m->plan.fd[done[i]] >= 0)
			close(m->plan.fd[done[i]]);
	}
	return 0;
}

static int watch_requests(struct vmm *m)
{
	return requests_start(&m->requests, &m->plan, &m->devices, &m->platform,
			      m->loop);
}

static int listen_to_commands(struct vmm *m)
{
	m->why = "fd CONTROL is not a socket";
	return control_start(&m->control, &m->plan, &m->devices, m->loop);
}

static int let_go_of_start(struct vmm *m)
{
	(void)m;
	return own_pages_let_go();
}

/** confirm() - to a monitor: from here on failures are the guest's. */
static int confirm(struct vmm *m)
{
	const struct report_msg msg = {
		.version = REPORT_VERSION,
		.type = REPORT_STARTED,
	};

	if (!(m->plan.flags & PLAN_FLAG_CONFIRM))
		return 0;
	return report_send(m->stop.report_fd, &msg);
}

static int let_run(struct vmm *m)
{
	int err = guard_thread(POLICY_WAIT, "main");

	if (!err)
		pthread_barrier_wait(&m->env.ready);
	return err;
}

static const struct step {
	const char *what; /* "cannot ..." */
	int (*run)(struct vmm *m);
} steps[] = {
	{"hide its memory", hide_memory},
	{"put the policy of the start on", put_policy_on},
	{"read the plan", read_plan},
	{"prepare the VMM's process", prepare_process},
	{"start the threads", start_threads},
	{"create a VM", create_vm},
	{"create the guest's memory", add_memory},
	{"place kernel and initrd", place_kernel},
	{"map the files of pmem devices", map_files},
	{"build the devices", build_devices},
	{"write the boot parameters", write_boot_data},
	{"close what set-up used", close_inputs},
	{"watch signals and timers", watch_requests},
	{"listen to commands", listen_to_commands},
	{"let go of what only the start needed", let_go_of_start},
	{"tell that it is ready", confirm},
	{"start the guest", let_run},
};

int main(void)
{
	static struct vmm vmm = {
		.stop = {.report_fd = -1, .taken = ATOMIC_FLAG_INIT}};

	vmm.stop.report_fd = -1;
	vmm.stop.timeline = &vmm.timeline;
	timeline_mark(&vmm.timeline, STAMP_VMM_START);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int err;

		vmm.why = NULL;
		err = steps[i].run(&vmm);
		if (err)
			stop_fail(&vmm.stop, EXIT_FAILED, "cannot %s: %s%s%s",
				  steps[i].what, error_text(err),
				  vmm.why ? "; " : "", vmm.why ? vmm.why : "");
	}
	for (;;)
		pause();
}
