/* SPDX-License-Identifier: Apache-2.0 */
/* procpid.c - /proc itself and /proc/PID/task: directories whose names are
 * numbers of processes and threads. A directory is made when somebody asks for
 * it; those whose process is gone go when the next one is made. */
#include <linux/errno.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/fs/proctree.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/process.h"

#define NUMBER_MAX 12u /* digits, NUL and a name's slack not counted */

bool proc_subject(const struct inode *inode, struct process **ret_process,
		  struct task **ret_task)
{
	struct task *t = task_find((int)inode->owner);
	struct process *p = t ? t->process : process_find((int)inode->owner);

	if (!p)
		return false;
	*ret_process = p;
	*ret_task = t;
	return true;
}

void proc_adopt(struct inode *inode, const struct inode *dir)
{
	if (!(dir->flags & INODE_PROCESS))
		return;
	inode->flags |= INODE_PROCESS;
	inode->owner = dir->owner;
	inode->uid = dir->uid;
	inode->gid = dir->gid;
}

/* Numbers of what has ended. */
static void remove_dead(struct inode *dir)
{
	for (struct dentry *e = dir->dir.first, *next; e; e = next) {
		struct process *p;
		struct task *t;

		next = e->next;
		if (!(e->inode->flags & INODE_PROCESS) ||
		    proc_subject(e->inode, &p, &t))
			continue;
		dir_remove_below(e->inode);
		dir_remove(e);
	}
}

/* The number a name is; 0: none that can be a thread's. */
static int number_of(const struct name *name)
{
	int n = 0;

	if (name->bytes > 9 || *name->text == '0')
		return 0;
	for (uint32_t i = 0; i < name->bytes; i++) {
		if (name->text[i] < '0' || name->text[i] > '9')
			return 0;
		n = 10 * n + (name->text[i] - '0');
	}
	return n;
}

/* The directory of thread @tid of @p in @dir. */
static void make_number(struct inode *dir, int tid, const struct process *p)
{
	char text[NUMBER_MAX + 1 + NAME_SLACK] = "";
	struct dentry *e;
	struct inode *inode;
	struct name name;

	ksnprintf(text, NUMBER_MAX, "%d", tid);
	name = name_scan(text);
	e = dir_find_raw(dir, &name);
	inode = e ? e->inode : dir_new(0555);
	if (!inode)
		return;
	inode->uid = p->uid; /* may have changed */
	inode->gid = p->gid;
	if (e)
		return;
	remove_dead(dir);
	inode->ops = &proctree_dir_ops;
	inode->flags |= INODE_PROCESS;
	inode->owner = (uint32_t)tid;
	proctree_plant(inode);
	/* A thread has what its process has, but no threads: the last row. */
	if (dir->flags & INODE_PROCESS)
		inode->id -= 1u << 8;
	mount_add(dir, text, inode);
}

static void root_refresh(struct inode *dir, const struct name *wanted)
{
	int pid = wanted ? number_of(wanted) : 0;

	if (!wanted) {
		remove_dead(dir);
		LIST_EACH(at, process_all()) {
			struct process *p =
				container_of(at, struct process, in_all);

			make_number(dir, p->pid, p);
		}
	} else if (pid) {
		struct process *p = process_find(pid);

		if (p)
			make_number(dir, pid, p);
		else
			remove_dead(dir);
		return;
	}
	proctree_refresh(dir, wanted);
}

const struct inode_ops proc_root_dir_ops = {.file_ops = &dir_file_ops,
					    .refresh = root_refresh};

static void task_refresh(struct inode *dir, const struct name *wanted)
{
	struct process *p;
	struct task *t;

	remove_dead(dir);
	if (!proc_subject(dir, &p, &t))
		return;
	LIST_EACH(at, &p->threads) {
		t = container_of(at, struct task, in_process);
		if (!wanted || number_of(wanted) == t->tid)
			make_number(dir, t->tid, p);
	}
}

const struct inode_ops proc_task_dir = {.file_ops = &dir_file_ops,
					.refresh = task_refresh};

static long self_text(struct inode *link, char *dst, uint64_t cap)
{
	return (long)ksnprintf(dst, cap, "%d", current_process()->pid);
}

static long thread_self_text(struct inode *link, char *dst, uint64_t cap)
{
	return (long)ksnprintf(dst, cap, "%d/task/%d", current_process()->pid,
			       current()->tid);
}

const struct inode_ops proc_self_link = {.readlink = self_text};
const struct inode_ops proc_thread_self_link = {.readlink = thread_self_text};
