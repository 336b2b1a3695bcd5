/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c - stands in the VMM's place: started by the real command and the real
 * jailer, it puts the real policies on and does what a captured VMM would try.
 * What to do is the VM's name, ROLE.MODE[.CALL]:
 *
 *	vcpu.calls         every call by number, and the table of probe_calls.c;
 *	                   one line each on stdout: what, and what became of it
 *	vcpu.guard.openat  one forbidden call under the VMM's own guard
 *	vcpu.once          a handler that gets away: the second call must kill
 *	vcpu.x32.getpid    through the x32 table; vcpu.int80: through i386's */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/plan.h"
#include "base/report.h"
#include "policies/policy_bpf.h"
#include "runner/vmm/guard.h"
#include "tests/hostile/probe_calls.h"

#define X32_BIT   0x40000000l
#define CALLS_MAX 600
/* The kernel's own way back from probes: passes seccomp by, and kills whoever
 * makes them by hand. */
#define URETPROBE 335
#define UPROBE    336

static struct plan plan;
static enum policy_role role;
static sigjmp_buf back;
static char mode[32], call[32];

/** on_sigsys() - back to where the call was tried. Without sigreturn, which no
 * policy allows. */
static void on_sigsys(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static void catch_sigsys(int flags)
{
	struct sigaction sa = {.sa_handler = on_sigsys};

	sa.sa_flags = flags | SA_NODEFER;
	sigaction(SIGSYS, &sa, NULL);
}

static void say(const char *what, const char *outcome)
{
	char line[96];
	int n = snprintf(line, sizeof(line), "%s %s\n", what, outcome);
	struct iovec iov = {line, (size_t)n};

	if (fd_writev(plan.fd[PLAN_FD_STDOUT], &iov, 1) < 0)
		_exit(99);
}

/** try() - make a call and say what became of it. */
static void try(const char *what, long nr, const uint64_t a[6])
{
	const char *volatile outcome = "trapped";

	if (!sigsetjmp(back, 0)) {
		long n = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);

		outcome = n < 0 && errno == ENOSYS ? "refused" : "made";
	}
	say(what, outcome);
}

/** try_all() - but for those that would end or stop us. The arguments are
 * such that a call which is made fails. */
static void try_all(void)
{
	static const uint64_t bad[6] = {~0ull, ~0ull, ~0ull,
					~0ull, ~0ull, ~0ull};
	const struct probe_call *c;
	size_t count;
	char what[16];

	for (long nr = 0; nr < CALLS_MAX; nr++) {
		if (nr == SYS_exit_group || nr == SYS_pause ||
		    nr == URETPROBE || nr == UPROBE)
			continue;
		(void)snprintf(what, sizeof(what), "%ld", nr);
		try(what, nr, bad);
	}
	c = probe_calls(&count);
	for (size_t i = 0; i < count; i++)
		try(c[i].what, c[i].nr, c[i].arg);
}

/** forbidden() - the calls that a test asks for by name. */
static void forbidden(const char *name)
{
	static const struct {
		const char *name;
		long nr;
	} calls[] = {
		{"openat", SYS_openat}, {"socket", SYS_socket},
		{"execve", SYS_execve}, {"ptrace", SYS_ptrace},
		{"getpid", SYS_getpid}, {"unshare", SYS_unshare},
	};
	long high = strcmp(mode, "x32") ? 0 : X32_BIT;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!strcmp(calls[i].name, name))
			syscall(calls[i].nr | high, 0, 0, 0, 0, 0, 0);
	}
}

static void int80_getpid(void)
{
	long nr = 20; /* i386's getpid */

	__asm__ volatile("int $0x80" : "+a"(nr)::"memory");
}

static _Noreturn void finish(void)
{
	struct report_msg msg = {
		.version = REPORT_VERSION,
		.type = REPORT_EXIT,
	};

	report_send(plan.fd[PLAN_FD_REPORT], &msg);
	_exit(0);
}

static void *work(void *arg)
{
	(void)arg;
	if (!strcmp(mode, "guard")) {
		if (role != POLICY_START && guard_thread(role, "probe"))
			_exit(98);
		forbidden(call);
		finish();
	}
	if (role != POLICY_START && policy_install(role))
		_exit(97);
	if (!strcmp(mode, "calls")) {
		try_all();
	} else if (!strcmp(mode, "once")) {
		if (!sigsetjmp(back, 0))
			forbidden("openat");
		say("still", "here");
		forbidden("openat");
	} else if (!strcmp(mode, "int80")) {
		int80_getpid();
	} else {
		forbidden(call);
	}
	finish();
}

/** parse_name() - ROLE.MODE[.CALL] */
static void parse_name(void)
{
	char *at = plan.name, *word;

	for (word = strsep(&at, "."); role < POLICY_ROLES; role++) {
		if (!strcmp(word, policy_filters[role].role))
			break;
	}
	word = strsep(&at, ".");
	(void)snprintf(mode, sizeof(mode), "%s", word ? word : "");
	(void)snprintf(call, sizeof(call), "%s", at ? at : "");
	if (role == POLICY_ROLES)
		_exit(96);
}

int main(void)
{
	const char *why;
	pthread_t thread;

	if (plan_read(PLAN_FD_NUMBER, &plan, &why))
		_exit(95);
	parse_name();
	if (!strcmp(mode, "guard")) {
		if (guard_start())
			_exit(94);
	} else {
		catch_sigsys(strcmp(mode, "once") ? 0 : (int)SA_RESETHAND);
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (policy_install(POLICY_START))
			_exit(93);
	}
	if (pthread_create(&thread, NULL, work, NULL))
		_exit(92);
	for (;;)
		pause();
}
