/* SPDX-License-Identifier: Apache-2.0 */
/* task.c - threads: numbers, the table of them, where they come from and where
 * they go. */
#include "kernels/mote/proc/task.h"

#include <errno.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"

#define BUCKETS 256u /* power of two */

static struct list tasks[BUCKETS]; /* by tid */
static struct list dead = {&dead, &dead};
static uint32_t count;
static int last_number;

static struct list *bucket(int tid)
{
	struct list *l = &tasks[(uint32_t)tid & (BUCKETS - 1)];

	if (!l->next)
		list_init(l);
	return l;
}

struct task *task_find(int tid)
{
	LIST_EACH(at, bucket(tid)) {
		struct task *t = container_of(at, struct task, in_hash);

		if (t->tid == tid)
			return t;
	}
	return NULL;
}

uint32_t tasks_count(void)
{
	return count;
}

/* A number is taken as long as anything goes by it. */
static bool is_taken(int number)
{
	if (task_find(number))
		return true;
	LIST_EACH(at, process_all()) {
		const struct process *p =
			container_of(at, struct process, in_all);

		if (p->pid == number || p->pgid == number || p->sid == number)
			return true;
	}
	return false;
}

static int next_number(void)
{
	do {
		last_number = last_number >= PID_MAX - 1 ? 2 : last_number + 1;
	} while (is_taken(last_number));
	return last_number;
}

/* Those whose stacks nobody stands on any more. */
static void free_dead(void)
{
	LIST_EACH(at, &dead) {
		struct task *t = container_of(at, struct task, in_hash);

		if (t->cpu) /* which idles there */
			continue;
		list_remove(at);
		task_free(t);
	}
}

int task_new(struct process *p, struct task **ret)
{
	struct task *t;

	free_dead();
	if (count >= TASKS_MAX)
		return -EAGAIN;
	t = kzalloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	count++;
	list_init(&t->in_hash);
	list_init(&t->in_process);
	list_init(&t->in_queue);
	t->process = p;
	t->signals = signals_new();
	if (!t->signals || context_new(&t->context) < 0) {
		task_free(t);
		return -ENOMEM;
	}
	t->tid = next_number();
	*ret = t;
	return 0;
}

void task_free(struct task *t)
{
	count--;
	context_free(&t->context);
	kfree(t->signals);
	/* The first one is not from the heap, and never ends. */
	kfree(t);
}

void task_list(struct task *t)
{
	list_push(&t->process->threads, &t->in_process);
	t->process->thread_count++;
	list_push(bucket(t->tid), &t->in_hash);
}

void task_unlist(struct task *t)
{
	list_remove(&t->in_process);
	t->process->thread_count--;
	list_remove(&t->in_hash);
}

void task_renumber(struct task *t, int tid)
{
	list_remove(&t->in_hash);
	t->tid = tid;
	list_push(bucket(tid), &t->in_hash);
}

void task_kill(struct task *t)
{
	t->killed = true;
	signals_recheck(t);
	sched_wake(t);
	sched_continue(t);
}

void task_bury(struct task *t)
{
	free_dead();
	list_push(&dead, &t->in_hash);
}
