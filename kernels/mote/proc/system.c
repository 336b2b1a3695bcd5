/* SPDX-License-Identifier: Apache-2.0 */
/* system.c - what the system says about itself. */
#include <errno.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/uname.h"

long sys_uname(struct regs *r)
{
	struct new_utsname u = {
		.sysname = UNAME_SYSNAME,
		.nodename = UNAME_NODENAME,
		.release = UNAME_RELEASE,
		.version = UNAME_VERSION,
		.machine = UNAME_MACHINE,
		.domainname = "(none)",
	};

	return copy_to_user(ARG0(r), &u, sizeof(u));
}

long sys_sysinfo(struct regs *r)
{
	struct sysinfo s = {
		.uptime = (long)(clock_monotonic_ns() / NS_PER_SEC),
		.totalram = pages_total() * PAGE_SIZE,
		.freeram = pages_free() * PAGE_SIZE,
		.procs = 1,
		.mem_unit = 1,
	};

	return copy_to_user(ARG0(r), &s, sizeof(s));
}

/* The names are fixed when the kernel is built; what Linux checks before it
 * looks at the caller's rights is checked here too. */
static long refuse_name(uint64_t from, uint64_t bytes)
{
	char name[__NEW_UTS_LEN];

	if (current_process()->uid != 0)
		return -EPERM;
	if (bytes > sizeof(name))
		return -EINVAL;
	return copy_from_user(name, from, bytes) < 0 ? -EFAULT : -EPERM;
}

long sys_sethostname(struct regs *r)
{
	return refuse_name(ARG0(r), ARG1(r));
}

long sys_setdomainname(struct regs *r)
{
	return refuse_name(ARG0(r), ARG1(r));
}
