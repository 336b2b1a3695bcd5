/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.c - the queue of threads that can run, and turns. */
#include "kernels/mote/proc/schedule.h"

#include "kernels/mote/arch/context.h"
#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/smp.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/task.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/timer.h"
#include "kernels/mote/proc/wait.h"

#define SLICE_NS  10000000ull
#define SPREAD_NS 200000ull

static struct list queue = {&queue, &queue};
static uint32_t waiting; /* threads in it */
static uint64_t idle_ticks, switches;

static void schedule(void);
static void slice_over(struct timer *t);
static struct timer slice = {.fire = slice_over};
static void spread_out(struct timer *t);
static struct timer spread = {.fire = spread_out};

/* The timer of slices runs only while somebody waits for a turn; it is left
 * alone until it fires: quick exchanges of the CPU touch no hardware. */
static void want_slice(void)
{
	if (!slice.running && waiting)
		timer_start(&slice, deadline_after(SLICE_NS));
}

/* Nothing to do if the CPU is idle: then the queue is looked at next. */
static void resched(struct task *t)
{
	if (t->state == TASK_RUNS && list_empty(&t->in_queue))
		context_set_work(&t->context, WORK_RESCHED);
}

static void slice_over(struct timer *timer)
{
	uint64_t now = rdtsc(), longest = 0;

	if (!waiting)
		return;
	for (uint32_t i = 0; i < smp_possible(); i++) {
		const struct pcpu *cpu = smp_cpu(i);
		struct task *t = cpu ? pcpu_top(cpu)->task : NULL;
		uint64_t ran = t ? clock_ticks_to_ns(now - t->since_tsc) : 0;

		if (ran >= SLICE_NS / 2)
			resched(t);
		else
			longest = MAX(longest, ran);
	}
	timer_start(timer, deadline_after(SLICE_NS - longest));
}

static void enqueue(struct task *t, bool first)
{
	t->state = TASK_RUNS;
	waiting++;
	if (first)
		list_push_first(&queue, &t->in_queue);
	else
		list_push(&queue, &t->in_queue);
}

static void wake_a_cpu(void)
{
	for (uint32_t i = 0; i < smp_possible(); i++) {
		struct pcpu *cpu = smp_cpu(i);

		if (cpu && cpu != this_cpu() && cpu->idle) {
			smp_kick(cpu);
			return;
		}
	}
	smp_want_cpu();
}

static void spread_out(struct timer *t)
{
	for (uint32_t n = 0; n < MIN(waiting, smp_possible()); n++)
		wake_a_cpu();
}

/* Somebody has to look at the queue because of @t: this CPU does if it idles,
 * and the one whose stack is @t's is the only one that can take it. Whoever
 * wakes another thread often sleeps at once, and then this CPU is free: only
 * if it goes on for a while is another one woken, which takes longer than a
 * switch. @soon: no such hope. */
static void find_cpu(const struct task *t, bool soon)
{
	if (t->cpu) {
		if (t->cpu != this_cpu() && t->cpu->idle)
			smp_kick(t->cpu);
		return;
	}
	if (current()->state != TASK_RUNS || smp_possible() == 1)
		return;
	if (soon)
		wake_a_cpu();
	else if (!spread.running)
		timer_start(&spread, deadline_after(SPREAD_NS));
}

/* Whoever an interrupt wakes has waited for the world outside and goes first;
 * whom a thread wakes waits until that one sleeps or its slice is over. */
static void make_ready(struct task *t)
{
	if (interrupt_is_served()) {
		resched(current());
		enqueue(t, true);
	} else {
		enqueue(t, false);
		want_slice();
	}
	find_cpu(t, interrupt_is_served());
}

void sched_wake(struct task *t)
{
	if (t->state == TASK_SLEEPS || t->state == TASK_WAITS)
		make_ready(t);
}

void sched_continue(struct task *t)
{
	if (t->state == TASK_STOPPED)
		make_ready(t);
}

void sched_start(struct task *t)
{
	list_init(&t->in_queue);
	enqueue(t, false);
	want_slice();
	find_cpu(t, true);
}

void sched_idle(uint64_t deadline_ns)
{
	uint64_t start;

	timer_set(TIMER_SLOT_WAIT, deadline_ns);
	start = rdtsc();
	cpu_idle();
	idle_ticks += rdtsc() - start;
}

/* The first in the queue whose stack no other CPU idles on. */
static struct task *first_for(const struct pcpu *cpu)
{
	LIST_EACH(at, &queue) {
		struct task *t = container_of(at, struct task, in_queue);

		if (!t->cpu || t->cpu == cpu)
			return t;
	}
	return NULL;
}

static struct task idle[CPUS_MAX]; /* what a CPU runs that has nothing to do */

_Noreturn static void idle_loop(void)
{
	for (;;)
		schedule();
}

static void idle_init(struct task *t)
{
	t->process = process_init();
	t->state = TASK_SLEEPS;
	list_init(&t->in_queue);
	t->context.top->task = t;
}

/* One CPU idles on the stack of the thread that ran last: that one is often the
 * next to run, and then nothing is switched. Of several each has a stack of
 * its own for that, so that any of them can take any thread. NULL: none. */
static struct task *idle_task(const struct pcpu *cpu)
{
	struct task *t = &idle[cpu->id];

	if (smp_possible() == 1 || t == current())
		return NULL;
	if (!t->context.top) {
		if (context_new(&t->context) < 0)
			return NULL;
		idle_init(t);
		context_begin_kernel(&t->context, idle_loop);
	}
	return t;
}

static struct task *next_task(void)
{
	struct task *t = first_for(this_cpu());

	if (!t) {
		t = idle_task(this_cpu());
		if (t)
			return t;
	}
	while (!t) {
		sched_idle(WAIT_FOREVER);
		t = first_for(this_cpu());
	}
	list_remove(&t->in_queue);
	waiting--;
	return t;
}

/* Leave the CPU to the next in the queue, which may be current() itself. */
static void schedule(void)
{
	struct task *prev = current(), *next;

	prev->ran_ticks += rdtsc() - prev->since_tsc;
	next = next_task();
	next->since_tsc = rdtsc();
	if (next == prev)
		return;
	switches++;
	want_slice();
	prev->cpu = NULL;
	next->cpu = this_cpu();
	next->context.top->task = next;
	context_switch(&prev->context, &next->context, next->vm);
}

void sched_run_cpu(void)
{
	struct task *t = &idle[this_cpu()->id];

	if (context_first(&t->context) < 0)
		panic("no memory for a CPU");
	idle_init(t);
	t->cpu = this_cpu();
	idle_loop();
}

void sched_sleep(enum task_state state)
{
	current()->slept++;
	current()->state = state;
	schedule();
}

void sched_yield(void)
{
	struct task *t = current();

	context_clear_work(&t->context, WORK_RESCHED);
	if (!waiting)
		return;
	t->preempted++;
	enqueue(t, false);
	schedule();
}

uint64_t sched_ran_ns(const struct task *t)
{
	uint64_t ticks = t->ran_ticks;

	if (t == current())
		ticks += rdtsc() - t->since_tsc;
	return clock_ticks_to_ns(ticks);
}

uint64_t sched_idle_ns(void)
{
	return clock_ticks_to_ns(idle_ticks);
}

uint32_t sched_runnable(void)
{
	return waiting + 1;
}

uint64_t sched_switches(void)
{
	return switches;
}
