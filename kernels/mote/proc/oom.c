/* SPDX-License-Identifier: Apache-2.0 */
/* oom.c - whom to end when memory runs out: the process with the most of it,
 * which is most likely the one that goes astray, and whose end helps most. */
#include "kernels/mote/proc/oom.h"

#include <linux/signal.h>

#include "kernels/mote/drv/balloon.h"
#include "kernels/mote/drv/harness.h"
#include "kernels/mote/fs/lower.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/time.h"

#define MARK_PAGES  16u
#define MARK_SHARE  128u /* of all pages; files stop at twice that */
#define PATIENCE_NS 200000000ull

bool oom_is_near(void)
{
	return pages_free() < MARK_PAGES + pages_total() / MARK_SHARE;
}

/* One that is ending already counts before all others. */
static struct process *choose(void)
{
	struct process *worst = NULL;

	LIST_EACH(at, process_all()) {
		struct process *p = container_of(at, struct process, in_all);

		if (!p->vm)
			continue;
		if (p->exiting)
			return p;
		if (!worst || p->vm->resident > worst->vm->resident)
			worst = p;
	}
	return worst;
}

static void report(const struct process *p)
{
	const struct task *t =
		container_of(p->threads.next, struct task, in_process);

	if (p == process_init() && harness_present())
		harness_report_oom(pages_total(), pages_free(), t->comm);
	else
		kprintf("mote: out of memory: process %d (%s) is ended, it has "
			"%lu of %lu KiB\n",
			p->pid, t->comm, p->vm->resident * 4,
			pages_total() * 4);
}

struct departure {
	int pid;
};

static bool is_over(void *arg)
{
	const struct departure *d = arg;
	const struct process *p = process_find(d->pid);

	return !p || !p->vm || current()->killed;
}

/* It needs the CPU to end; what it waits for may take its time. */
static void see_off(struct process *p)
{
	struct departure d = {p->pid};

	waitq_wait(&p->thread_wait, is_over, &d, deadline_after(PATIENCE_NS));
}

void oom_make_room(void)
{
	const struct signal_info info = {.signo = SIGKILL, .code = SI_KERNEL};

	while (oom_is_near() && !current()->killed) {
		struct process *p;

		if (lower_shrink() || balloon_make_room())
			continue;
		p = choose();
		if (!p)
			return;
		if (!p->exiting) {
			report(p);
			signals_send_process(p, &info);
		}
		if (p == current_process())
			return;
		see_off(p);
	}
}
