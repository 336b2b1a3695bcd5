/* SPDX-License-Identifier: Apache-2.0 */
/* cpulimit.c - RLIMIT_CPU. A process cannot use up its time before that much
 * time has gone by (on each CPU): the timer looks again then, not at every
 * tick. */
#include <asm/resource.h>
#include <asm/siginfo.h>
#include <linux/resource.h>
#include <linux/signal.h>

#include "kernels/mote/arch/smp.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/proc/limits.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/time.h"

static uint64_t to_ns(uint64_t seconds)
{
	return seconds >= UINT64_MAX / NS_PER_SEC ? UINT64_MAX
						  : seconds * NS_PER_SEC;
}

static void look(struct timer *timer)
{
	struct process *p = container_of(timer, struct process, cpu_limit);
	struct signal_info info = {.signo = SIGXCPU, .code = SI_KERNEL};
	uint64_t used = process_used(p).ran_ns, next;
	struct process_limit limit;

	limit_get(p, RLIMIT_CPU, &limit);
	if (used >= to_ns(limit.hard)) {
		info.signo = SIGKILL;
		signals_send_process(p, &info);
		return;
	}
	next = to_ns(limit.soft);
	if (used >= next) {
		signals_send_process(p, &info);
		next = MIN(used + NS_PER_SEC, to_ns(limit.hard));
	}
	timer_start(timer, deadline_after((next - used) / smp_possible() + 1));
}

void cpu_limit_start(struct process *p)
{
	p->cpu_limit.fire = look;
	if (limit_soft(p, RLIMIT_CPU) == RLIM64_INFINITY)
		timer_stop(&p->cpu_limit);
	else
		timer_start(&p->cpu_limit, deadline_after(1));
}

void cpu_limit_stop(struct process *p)
{
	timer_stop(&p->cpu_limit);
}
