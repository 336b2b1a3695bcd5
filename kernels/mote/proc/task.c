/* SPDX-License-Identifier: Apache-2.0 */
/* task.c - the task's beginning and end. */
#include "kernels/mote/proc/task.h"

#include <stdbool.h>

#include "kernels/mote/drv/harness.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/missing.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/time.h"

#define FIRST_PID 1
#define UMASK     022

static struct task first;
struct task *task_current = &first;

void task_start(uint32_t uid, uint32_t gid)
{
	struct task *t = current();

	t->pid = t->sid = t->pgid = FIRST_PID;
	t->uid = uid;
	t->gid = gid;
	t->umask = UMASK;
	t->dumpable = 1;
	t->signals = signals_new();
}

void task_exit(int status)
{
	missing_report();
	harness_exit(status);
}
