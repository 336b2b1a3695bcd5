/* SPDX-License-Identifier: Apache-2.0 */
/* group.c - processes: the list of them, and the first. */
#include "kernels/mote/proc/process.h"

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/time.h"

#define FIRST_PID 1
#define UMASK     022

static struct process first_process;
static struct task first_task = {.process = &first_process};

static struct list processes = {&processes, &processes};

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

bool process_group_exists(int pgid, int sid)
{
	LIST_EACH(at, &processes) {
		const struct process *p =
			container_of(at, struct process, in_all);

		if (p->pgid == pgid && (!sid || p->sid == sid))
			return true;
	}
	return false;
}

bool process_group_is_orphaned(int pgid)
{
	LIST_EACH(at, &processes) {
		const struct process *p =
			container_of(at, struct process, in_all);

		if (p->pgid == pgid && p->state == PROCESS_LIVES && p->parent &&
		    p->parent->pgid != pgid && p->parent->sid == p->sid)
			return false;
	}
	return true;
}

static void init_lists(struct process *p)
{
	list_init(&p->children);
	list_init(&p->sibling);
	list_init(&p->in_all);
	list_init(&p->threads);
}

void task_start(uint32_t uid, uint32_t gid)
{
	static struct fs fs = {.refs = 1, .umask = UMASK};
	struct process *p = &first_process;
	struct task *t = &first_task;

	init_lists(p);
	list_init(&t->in_queue);
	p->pid = p->sid = p->pgid = t->tid = FIRST_PID;
	p->uid = uid;
	p->gid = gid;
	p->dumpable = 1;
	p->fs = &fs;
	p->actions = signal_actions_new(NULL);
	t->signals = signals_new();
	t->since_tsc = rdtsc();
	if (!p->actions || !t->signals || context_first(&t->context) < 0)
		panic("no memory for the first process");
	kstack_top()->task = t;
	t->cpu = this_cpu();
	task_list(t);
	process_list(p, NULL);
}

struct process *process_new(const struct process *parent)
{
	struct process *p = kzalloc(sizeof(*p));

	if (!p)
		return NULL;
	init_lists(p);
	p->pgid = parent->pgid;
	p->sid = parent->sid;
	p->uid = parent->uid;
	p->gid = parent->gid;
	memcpy(p->groups, parent->groups, sizeof(p->groups));
	p->group_count = parent->group_count;
	p->start_ns = clock_monotonic_ns();
	p->user_arg_start = parent->user_arg_start;
	p->user_arg_end = parent->user_arg_end;
	p->user_env_start = parent->user_env_start;
	p->user_env_end = parent->user_env_end;
	memcpy(p->auxv, parent->auxv, sizeof(p->auxv));
	p->nice = parent->nice;
	p->dumpable = parent->dumpable;
	p->no_new_privs = parent->no_new_privs;
	memcpy(p->limit, parent->limit, sizeof(p->limit));
	return p;
}

void process_list(struct process *p, struct process *parent)
{
	p->parent = parent;
	list_push(&processes, &p->in_all);
	if (parent)
		list_push(&parent->children, &p->sibling);
}

void process_free(struct process *p)
{
	list_remove(&p->in_all);
	list_remove(&p->sibling);
	vm_unref(p->vm);
	files_unref(p->files);
	fs_unref(p->fs);
	inode_unref(p->exe);
	signal_actions_unref(p->actions);
	waitq_close(&p->signal_wait); /* epolls with a signalfd */
	kfree(p);
}

void process_kill_others(struct process *p)
{
	LIST_EACH(at, &p->threads) {
		struct task *t = container_of(at, struct task, in_process);

		if (t != current())
			task_kill(t);
	}
}

static void add_thread(struct usage *u, const struct task *t)
{
	u->ran_ns += sched_ran_ns(t);
	u->slept += t->slept;
	u->preempted += t->preempted;
}

struct usage process_used(const struct process *p)
{
	struct usage u = p->ended;

	LIST_EACH(at, &p->threads)
		add_thread(&u, container_of(at, struct task, in_process));
	if (p->vm)
		u.peak_pages = MAX(u.peak_pages, p->vm->peak);
	return u;
}

struct fs *fs_copy(const struct fs *from)
{
	struct fs *fs = kmalloc(sizeof(*fs));

	if (!fs)
		return NULL;
	*fs = *from;
	fs->refs = 1;
	inode_ref(fs->cwd);
	return fs;
}

void fs_unref(struct fs *fs)
{
	if (!fs || --fs->refs)
		return;
	inode_unref(fs->cwd);
	kfree(fs); /* the first one never gets here: pid 1 ends the VM */
}
