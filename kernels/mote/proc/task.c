/* SPDX-License-Identifier: Apache-2.0 */
/* task.c - the tables of threads and processes, and the first of each. */
#include "kernels/mote/proc/task.h"

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/drv/harness.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/missing.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"

#define FIRST_PID 1
#define UMASK     022
#define BUCKETS   256u /* power of two */

static struct process first_process;
static struct task first_task = {.process = &first_process};
struct task *task_current = &first_task;

static struct list tasks[BUCKETS]; /* by tid */
static struct list processes;

static struct list *bucket(int tid)
{
	return &tasks[(uint32_t)tid & (BUCKETS - 1)];
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

struct list *process_all(void)
{
	return &processes;
}

struct process *process_init(void)
{
	return &first_process;
}

struct process *process_find(int pid)
{
	LIST_EACH(at, &processes) {
		struct process *p = container_of(at, struct process, in_all);

		if (p->pid == pid)
			return p;
	}
	return NULL;
}

void task_start(uint32_t uid, uint32_t gid)
{
	static struct fs fs = {.refs = 1, .umask = UMASK};
	struct process *p = &first_process;
	struct task *t = &first_task;

	for (uint32_t i = 0; i < BUCKETS; i++)
		list_init(&tasks[i]);
	list_init(&processes);
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->threads);
	p->pid = p->sid = p->pgid = t->tid = FIRST_PID;
	p->uid = uid;
	p->gid = gid;
	p->dumpable = 1;
	p->fs = &fs;
	p->actions = signal_actions_new(NULL);
	t->signals = signals_new();
	if (!p->actions || !t->signals || context_first(&t->context) < 0)
		panic("no memory for the first process");
	p->thread_count = 1;
	list_init(&t->in_queue);
	t->since_tsc = rdtsc();
	list_push(&p->threads, &t->in_process);
	list_push(&processes, &p->in_all);
	list_push(bucket(t->tid), &t->in_hash);
}

void task_exit(int status)
{
	missing_report();
	harness_exit(status);
}
