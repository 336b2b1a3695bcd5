/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_share.c - what the kernel lets a process keep to itself: the controls
 * that profiles set, asked for without changing any. */
#include "runner/cli/doctor.h"

#include "base/cleanup.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <unistd.h>

enum answer {
	ANSWER_SELF,   /* a process decides for itself */
	ANSWER_NEEDED, /* the flaw is there, and the kernel decides */
	ANSWER_FINE,   /* not affected, or off for all */
};

static enum answer ask(int what)
{
	int got = prctl(PR_GET_SPECULATION_CTRL, what, 0, 0, 0);
	unsigned now = got < 0 ? 0 : (unsigned)got; /* 0: not affected */

	if (now & PR_SPEC_PRCTL)
		return ANSWER_SELF;
	return now & PR_SPEC_ENABLE ? ANSWER_NEEDED : ANSWER_FINE;
}

void doctor_probe_speculation(struct doctor_finding *f)
{
	enum answer store = ask(PR_SPEC_STORE_BYPASS);
	enum answer branch = ask(PR_SPEC_INDIRECT_BRANCH);
	const char *flush = ask(PR_SPEC_L1D_FLUSH) == ANSWER_SELF
				    ? "L1D flush can be had"
				    : "no L1D flush";

	if (store != ANSWER_NEEDED && branch != ANSWER_NEEDED)
		finding_set(f, DOCTOR_OK, NULL,
			    "store bypass and indirect branches can be "
			    "switched off for a VM, or need not; %s",
			    flush);
	else
		finding_set(f, DOCTOR_WARN,
			    "boot with spec_store_bypass_disable=prctl "
			    "spectre_v2_user=prctl l1d_flush=on",
			    "on for all, by the kernel's choice:%s%s; %s",
			    store == ANSWER_NEEDED ? " store bypass" : "",
			    branch == ANSWER_NEEDED ? " indirect branches" : "",
			    flush);
}

static bool has_smt(void)
{
	cleanup_fd int fd = open("/sys/devices/system/cpu/smt/active",
				 O_RDONLY | O_CLOEXEC);
	char active = '1'; /* unknown counts as yes */

	return fd < 0 || read(fd, &active, 1) != 1 || active != '0';
}

/** doctor_probe_core() - is there core scheduling, and is it needed? Reading
 * one's own cookie tells. */
void doctor_probe_core(struct doctor_finding *f)
{
	uint64_t cookie = 0;

	if (prctl(PR_SCHED_CORE, PR_SCHED_CORE_GET, 0,
		  PR_SCHED_CORE_SCOPE_THREAD, &cookie) == 0)
		finding_set(f, DOCTOR_OK, NULL, "available");
	else if (!has_smt())
		finding_set(f, DOCTOR_OK, NULL,
			    "not available, and not needed: a core has one "
			    "thread");
	else
		finding_set(f, DOCTOR_WARN,
			    "use a kernel with CONFIG_SCHED_CORE, or switch "
			    "SMT off; a profile that asks for it goes on "
			    "without",
			    "not available: %s", error_text(errno));
}
