/* SPDX-License-Identifier: Apache-2.0 */
/* jail_limit.c - how much of the host the VMM may use. */
#include "jailer/jail.h"

#include "base/abi/overlay.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#ifndef PR_SET_MDWE /* Linux 6.3 */
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#define RING_BYTES (64u << 10) /* of blk_uring.c, and some */

static int limit(__rlimit_resource_t what, rlim_t most)
{
	struct rlimit now;

	if (getrlimit(what, &now) < 0)
		return -errno;
	if (now.rlim_max > most)
		now.rlim_max = most;
	if (now.rlim_cur > now.rlim_max)
		now.rlim_cur = now.rlim_max;
	return setrlimit(what, &now) < 0 ? -errno : 0;
}

/** writes_file() - is output redirected to a file, which may grow? */
static bool writes_file(const struct plan *plan)
{
	for (int i = PLAN_FD_STDOUT; i <= PLAN_FD_STDERR; i++) {
		struct stat st;

		if (plan->fd[i] >= 0 && fstat(plan->fd[i], &st) == 0 &&
		    S_ISREG(st.st_mode))
			return true;
	}
	return false;
}

/** file_most() - the longest file it may have to write: guest memory is one,
 * and a disk or what lies over it. */
static rlim_t file_most(const struct plan *plan)
{
	rlim_t most = plan->mem_bytes;

	for (uint32_t i = 0; i < plan->device_count; i++) {
		const struct plan_block *block = &plan->device[i].u.block;
		rlim_t bytes = block->bytes;

		if (plan->device[i].kind != PLAN_DEVICE_BLOCK)
			continue;
		if (block->overlay == PLAN_OVERLAY_FILE)
			bytes += overlay_layout(bytes).data_offset;
		most = bytes > most ? bytes : most;
	}
	return most;
}

/** locked_most() - the rings of disks count as locked memory on some kernels
 * (Linux 6.13). Where the id is not the VM's own, the user's other rings do,
 * too. */
static rlim_t locked_most(const struct plan *plan)
{
	rlim_t disks = 0;

	for (uint32_t i = 0; i < plan->device_count; i++)
		disks += plan->device[i].kind == PLAN_DEVICE_BLOCK;
	if (disks && !(plan->flags & PLAN_FLAG_OWN_ID))
		return RLIM_INFINITY;
	return disks * RING_BYTES;
}

int jail_limit_resources(struct jail *jail)
{
	const struct plan *plan = &jail->plan;
	const struct {
		__rlimit_resource_t what;
		rlim_t most;
	} limits[] = {
		{RLIMIT_CORE, 0}, /* a core would hold the guest's memory */
		{RLIMIT_NOFILE, plan->files_max},
		{RLIMIT_MSGQUEUE, 0},
		{RLIMIT_MEMLOCK, locked_most(plan)},
		{RLIMIT_RTPRIO, 0},
		{RLIMIT_NICE, 0},
	};
	int err = 0;

	for (size_t i = 0; !err && i < sizeof(limits) / sizeof(limits[0]); i++)
		err = limit(limits[i].what, limits[i].most);
	if (!err && !writes_file(plan))
		err = limit(RLIMIT_FSIZE, file_most(plan));
	/* Elsewhere the user's other processes count. */
	if (!err && plan->flags & (PLAN_FLAG_NAMESPACES | PLAN_FLAG_OWN_ID))
		err = limit(RLIMIT_NPROC, plan->pids_max);
	return err;
}

/** jail_limit_speculation() - for good, as the plan says, where the kernel
 * leaves the choice to a process. */
int jail_limit_speculation(struct jail *jail)
{
	static const struct {
		uint32_t flag;
		int what, how;
	} controls[] = {
		{PLAN_FLAG_NO_STORE_BYPASS, PR_SPEC_STORE_BYPASS,
		 PR_SPEC_FORCE_DISABLE},
		{PLAN_FLAG_NO_INDIRECT_BRANCH, PR_SPEC_INDIRECT_BRANCH,
		 PR_SPEC_FORCE_DISABLE},
		{PLAN_FLAG_L1D_FLUSH, PR_SPEC_L1D_FLUSH, PR_SPEC_ENABLE},
	};

	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		int now = prctl(PR_GET_SPECULATION_CTRL, controls[i].what, 0, 0,
				0);

		if (!(jail->plan.flags & controls[i].flag) || now < 0 ||
		    !((unsigned)now & PR_SPEC_PRCTL))
			continue;
		/* -EPERM: the kernel was started without it. */
		if (prctl(PR_SET_SPECULATION_CTRL, controls[i].what,
			  controls[i].how, 0, 0) < 0 &&
		    errno != EPERM)
			return -errno;
	}
	return 0;
}

/** jail_deny_new_code() - no memory is ever writable and executable at once,
 * nor becomes executable later, where the kernel can promise it: the same that
 * the VMM's policies say. Stays through the exec. */
int jail_deny_new_code(struct jail *jail)
{
	(void)jail;
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) < 0)
		return errno == EINVAL ? 0 : -errno;
	return 0;
}

/** jail_own_core() - a cookie that no other process has: while a thread of ours
 * runs, the other thread of its core runs ours, or nothing. A kernel without
 * it, or cores of one thread: 'ampoule doctor' tells. */
int jail_own_core(struct jail *jail)
{
	if (!(jail->plan.flags & PLAN_FLAG_OWN_CORE))
		return 0;
	if (prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0,
		  PR_SCHED_CORE_SCOPE_THREAD_GROUP, 0) < 0 &&
	    errno != EINVAL && errno != ENODEV)
		return -errno;
	return 0;
}
