/* SPDX-License-Identifier: Apache-2.0 */
/* mote_fake.c - what the kernel's files stand on, as a test program has it: one
 * process of one thread, a clock that moves, nobody to wait for. */
#include "tests/unit/mote_fake.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kernels/mote/arch/apic.h"
#include "kernels/mote/arch/clock.h"
#include "kernels/mote/arch/smp.h"
#include "kernels/mote/drv/vsock.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/net/vsock.h"
#include "kernels/mote/proc/clocks.h"
#include "kernels/mote/proc/limits.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/random.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/signal_state.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/waitq.h"
#include "tests/unit/mote_fake_internal.h"

static int last_signal;
static uint64_t armed = UINT64_MAX;
static struct vm address_space;
static struct fs fs;
static struct process process;
static struct task task = {.process = &process};
struct kstack_top hosted_top = {.task = &task};

size_t strscpy(char *dst, const char *src, size_t cap)
{
	size_t n = strnlen(src, cap - 1);

	memcpy(dst, src, n);
	dst[n] = '\0';
	return n;
}

size_t kvsnprintf(char *dst, size_t cap, const char *fmt, va_list ap)
{
	int n = vsnprintf(dst, cap, fmt, ap);

	return MIN((size_t)n, cap - 1);
}

size_t ksnprintf(char *dst, size_t cap, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = kvsnprintf(dst, cap, fmt, ap);
	va_end(ap);
	return n;
}

void kprintf(const char *fmt, ...)
{
}

void panic(const char *fmt, ...)
{
	abort();
}

void random_bytes(void *dst, size_t bytes)
{
	memset(dst, 0x42, bytes);
}

uint64_t clock_monotonic_ns(void)
{
	static uint64_t ns = 1000000000;

	return ns += 1000000;
}

uint64_t clock_realtime_ns(void)
{
	return 1700000000000000000ull + clock_monotonic_ns();
}

uint64_t deadline_after(uint64_t ns)
{
	return clock_monotonic_ns() + ns;
}

/* Nobody else is there to make anything ready. */
int wait_until(bool (*ready)(void *arg), void *arg, uint64_t deadline_ns)
{
	if (ready(arg))
		return 0;
	return deadline_ns == WAIT_FOREVER ? -EINTR : -ETIMEDOUT;
}

void wait_uninterrupted(bool (*ready)(void *arg), void *arg)
{
	if (!ready(arg))
		abort();
}

void wait_for_device(bool (*ready)(void *arg), void *arg)
{
	wait_uninterrupted(ready, arg);
}

uint64_t sched_ran_ns(const struct task *t)
{
	return 0;
}

uint64_t sched_idle_ns(void)
{
	return 0;
}

uint32_t sched_runnable(void)
{
	return 1;
}

uint64_t sched_switches(void)
{
	return 0;
}

uint32_t smp_possible(void)
{
	return 1;
}

uint64_t clock_tsc_at(uint64_t ns)
{
	return 2 * ns;
}

/* One process of one thread. */
static struct list processes;

struct list *process_all(void)
{
	return &processes;
}

struct process *process_find(int pid)
{
	return pid == process.pid ? &process : NULL;
}

struct task *task_find(int tid)
{
	return tid == task.tid ? &task : NULL;
}

void limit_get(const struct process *p, uint32_t which,
	       struct process_limit *ret)
{
	*ret = (struct process_limit){.soft = 1, .hard = 2};
}

void sched_wake(struct task *t)
{
}

uint64_t wait_deadline(uint64_t fresh_ns)
{
	return fresh_ns;
}

int wait_interrupted(uint64_t deadline_ns)
{
	return -EINTR;
}

uint64_t signals_pending(const struct task *t)
{
	return last_signal ? signal_bit(last_signal) : 0;
}

bool signals_take(struct task *t, uint64_t set, struct signal_info *ret)
{
	if (!(signals_pending(t) & set))
		return false;
	*ret = (struct signal_info){.signo = last_signal};
	last_signal = 0;
	return true;
}

void apic_timer_set(uint64_t deadline_ns)
{
	armed = deadline_ns;
}

uint64_t fake_timer_armed(void)
{
	return armed;
}

int clock_find(uint32_t id, struct clock *ret)
{
	ret->kind = id ? CLOCK_OF_MACHINE : CLOCK_OF_WORLD;
	return id > 11 ? -EINVAL : 0;
}

uint64_t clock_now(const struct clock *c)
{
	return clock_monotonic_ns();
}

void signal_send(int signal)
{
	last_signal = signal;
}

void signal_mask_push(uint64_t mask)
{
}

void signal_mask_pop(bool interrupted)
{
}

void signal_stats(const struct task *t, struct signal_stats *ret)
{
	*ret = (struct signal_stats){0};
}

int fake_last_signal(void)
{
	int signal = last_signal;

	last_signal = 0;
	return signal;
}

void fake_ids(uint32_t uid, uint32_t gid)
{
	process.uid = uid;
	process.gid = gid;
}

void fake_start(const void *initrd, uint64_t bytes)
{
	fake_pages_start();
	fs = (struct fs){.refs = 1, .umask = 022};
	process = (struct process){.pid = 1, .fs = &fs};
	process.vm = &address_space;
	list_init(&processes);
	list_init(&process.threads);
	list_init(&process.children);
	task = (struct task){.tid = 1, .process = &process, .comm = "test"};
	task.vm = &address_space;
	process.thread_count = 1;
	list_push(&processes, &process.in_all);
	list_push(&process.threads, &task.in_process);
	fs_init(initrd, bytes);
	if (fs_start_task("/"))
		abort();
}

/* The calls that are not the files' own exist only by name. */
#define SYSCALL(number, name)                                                  \
	__attribute__((weak)) extern syscall_fn sys_##name;
#include "kernels/mote/proc/syscall.tbl"
#undef SYSCALL

#define SYSCALL(number, name) [number] = sys_##name,
static syscall_fn *const table[512] = {
#include "kernels/mote/proc/syscall.tbl"
};
#undef SYSCALL

long fake_call(unsigned number, uint64_t a0, uint64_t a1, uint64_t a2,
	       uint64_t a3, uint64_t a4, uint64_t a5)
{
	struct regs r = {.rdi = a0,
			 .rsi = a1,
			 .rdx = a2,
			 .r10 = a3,
			 .r8 = a4,
			 .r9 = a5,
			 .vector = REGS_SYSCALL,
			 .error = number};

	return number < 512 && table[number] ? table[number](&r) : -ENOSYS;
}

/* Sockets are not part of this kernel; the node of theirs is. */
const struct inode_ops vsock_inode_ops = {0};

bool vsock_exists(void)
{
	return true;
}
