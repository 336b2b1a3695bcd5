/* SPDX-License-Identifier: Apache-2.0 */
/* attacker.c - stands in the VMM's place: started by the real command and the
 * real jailer, it attacks the host from a thread of each role. What to do is
 * the VM's name, ROLE.MODE:
 *
 *	policy   with the real policies on: the wall in front
 *	walls    without: the walls behind it, one after the other
 *	ring     with the policies, and only by the ring of a disk
 *	hog      walls; memory without end
 *	linger   walls; a process that wants to outlive its VM
 *
 * One line an attempt on stdout, with tabs: role, topic, attempt, expected,
 * got. */
#include "tests/hostile/attack.h"

#include <errno.h>
#include <linux/landlock.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/report.h"
#include "policies/policy_bpf.h"

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct attack_table *const tables[] = {
	&attack_files,  &attack_root,  &attack_memory, &attack_net,
	&attack_others, &attack_power, &attack_kvm,    &attack_limits,
};

static struct plan plan;
static enum policy_role role;
static bool policies, denies_new_code, has_tcp_rules;
static sigjmp_buf back;
static char mode[32];

long call_raw(long nr, long a, long b, long c, long d, long e, long f)
{
	long got = syscall(nr, a, b, c, d, e, f);

	return got == -1 ? -errno : got;
}

/** on_sigsys() - back to the attempt. Without sigreturn, which no policy
 * allows. */
static void on_sigsys(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

static void say(const char *line, int bytes)
{
	const struct iovec iov = {(void *)(uintptr_t)line, (size_t)bytes};

	if (fd_writev(plan.fd[PLAN_FD_STDOUT], &iov, 1) < 0)
		_exit(99);
}

/** outcome() - of one attempt, in a word. */
static const char *outcome(const struct attack *a)
{
	const char *name;
	long got;

	if (sigsetjmp(back, 0))
		return "trapped";
	got = a->run(&plan, a->arg);
	if (got >= 0)
		return "made";
	name = strerrorname_np((int)-got);
	return name ? name : "?";
}

/** behind_walls() - what @a may give without policies; NULL: this kernel has no
 * wall there. */
static const char *behind_walls(const char *topic, const struct attack *a)
{
	if (topic == attack_memory.topic && !denies_new_code)
		return NULL;
	if (a->walls && strstr(a->walls, BY_TCP_RULES) && !has_tcp_rules)
		return NULL;
	return a->walls;
}

static void try(const char *topic, const struct attack *a)
{
	const char *want = behind_walls(topic, a);
	char line[256];

	if (policies)
		want = a->policy ? a->policy : TRAPPED;
	say(line,
	    snprintf(line, sizeof(line), "%s\t%s\t%s\t%s\t%s\n",
		     policy_filters[role].role, topic, a->name,
		     want ? want : "-", want ? outcome(a) : "no other wall"));
}

static void try_table(const struct attack_table *table)
{
	for (size_t i = 0; i < table->count; i++)
		try(table->topic, &table->attack[i]);
}

static void try_all(void)
{
	if (!strcmp(mode, "ring")) {
		try_table(&attack_ring);
		return;
	}
	for (size_t t = 0; t < COUNT(tables); t++)
		try_table(tables[t]);
}

/** hog() - more than the cgroup has; nothing comes after it. */
static void hog(void)
{
	const size_t step = 8u << 20;

	for (;;) {
		char *at = mmap(NULL, step, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (at == MAP_FAILED)
			_exit(98);
		memset(at, 1, step);
	}
}

/** linger() - every known trick to be overlooked at the end. */
static void linger(void)
{
	char line[64];
	pid_t pid = fork();

	if (pid)
		say(line, snprintf(line, sizeof(line), "child %d\n", pid > 0));
	if (pid)
		return;
	setsid();
	prctl(PR_SET_PDEATHSIG, 0);
	prctl(PR_SET_NAME, "innocent");
	for (int number = 1; number < 65; number++)
		signal(number, SIG_IGN);
	if (fork())
		_exit(0);
	for (int fd = 0; fd < 256; fd++)
		close(fd);
	for (;;)
		pause();
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
	if (policies && role != POLICY_START && policy_install(role))
		_exit(97);
	if (!strcmp(mode, "hog"))
		hog();
	else if (!strcmp(mode, "linger"))
		linger();
	else
		try_all();
	finish();
}

/** parse_name() - ROLE.MODE */
static void parse_name(void)
{
	char *at = plan.name, *word = strsep(&at, ".");

	while (role < POLICY_ROLES && strcmp(word, policy_filters[role].role))
		role++;
	if (role == POLICY_ROLES)
		_exit(96);
	(void)snprintf(mode, sizeof(mode), "%s", at ? at : "");
	policies = !strcmp(mode, "policy") || !strcmp(mode, "ring");
}

int main(void)
{
	struct sigaction sa = {.sa_handler = on_sigsys};
	const char *why;
	pthread_t thread;

	if (plan_read(PLAN_FD_NUMBER, &plan, &why))
		_exit(95);
	parse_name();
	/* Linux 6.3; before it, policies are the only wall there. */
	denies_new_code = prctl(PR_GET_MDWE, 0, 0, 0, 0) >= 0;
	has_tcp_rules = call(SYS_landlock_create_ruleset, NULL, 0,
			     LANDLOCK_CREATE_RULESET_VERSION) >= 4;
	sa.sa_flags = (int)SA_NODEFER;
	sigaction(SIGSYS, &sa, NULL);
	if (!strcmp(mode, "ring") && attack_ring_make(plan.fd[PLAN_FD_DEVICE]))
		_exit(91);
	if (policies && policy_install(POLICY_START))
		_exit(93);
	if (pthread_create(&thread, NULL, work, NULL))
		_exit(92);
	for (;;)
		pause();
}
