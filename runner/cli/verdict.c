/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c - how a run ended. First the reports count, then how the VMM's
 * process ended. */
#include "runner/cli/verdict.h"

#include "policies/syscall_names.h"
#include "runner/cli/oomkill.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"
#include "runner/cli/supervise.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

/** signal_word() - "SIGSEGV"; real-time signals by number. */
static const char *signal_word(unsigned signal, char buf[24])
{
	const char *abbrev = sigabbrev_np((int)signal);

	if (abbrev)
		(void)snprintf(buf, 24, "SIG%s", abbrev);
	else
		(void)snprintf(buf, 24, "signal %u", signal);
	return buf;
}

static bool ends_with_core(unsigned signal)
{
	switch (signal) {
	case SIGSEGV:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGTRAP:
	case SIGABRT:
	case SIGSYS:
	case SIGQUIT:
		return true;
	default:
		return false;
	}
}

/** crash_line() - signals that a program gets for a mistake of its own. */
static void crash_line(const struct verdict_input *in, struct problem *line)
{
	const struct outcome *o = &in->supervise->outcome;
	unsigned signal = (unsigned)WTERMSIG(o->wait_status);
	char word[24];

	signal_word(signal, word);
	if (o->crashed && o->signal == signal && signal != SIGABRT)
		problem_set(line, 0,
			    "%s ended by %s at address 0x%llx, instruction "
			    "0x%llx",
			    in->program, word, (unsigned long long)o->address,
			    (unsigned long long)o->rip);
	else if (ends_with_core(signal))
		problem_set(line, 0, "%s ended by %s", in->program, word);
}

static void oom_line(const struct verdict_input *in, struct problem *line)
{
	const struct outcome *o = &in->supervise->outcome;

	problem_set(line, 0,
		    "%s ended by SIGKILL: out of memory (%llu MiB in the VM, "
		    "%llu KiB free); give it more with --mem",
		    in->program, (unsigned long long)o->pages_total >> 8,
		    (unsigned long long)o->pages_free << 2);
}

/** killed() - SIGKILL, and not by us: a person, or the host's kernel for want
 * of memory. It cannot say so itself; the cgroup's counter may. */
static int killed(const struct supervise *s, struct problem *line)
{
	long mib = s->usage.ru_maxrss >> 10;

	if (s->oom_killed || oomkill_happened())
		problem_set(line, EXIT_AMPOULE,
			    "the VM was killed (SIGKILL, at %ld MiB), most "
			    "likely because the host ran out of memory for "
			    "it: give it less with --mem, raise the limit of "
			    "the memory cgroup, or free memory on the host",
			    mib);
	else
		problem_set(line, EXIT_AMPOULE,
			    "the VM was killed from outside (SIGKILL, at %ld "
			    "MiB): by somebody, or by a host out of memory; "
			    "dmesg tells which",
			    mib);
	return EXIT_AMPOULE;
}

/** died() - the VMM is gone without a word about the program. */
static int died(const struct verdict_input *in, struct problem *line)
{
	const struct supervise *s = in->supervise;
	int status = s->child_status;
	char word[24];

	if (!WIFSIGNALED(status)) {
		problem_set(line, EXIT_AMPOULE,
			    "the VMM ended with code %d and no result; please "
			    "report this with the output of -v --log-level "
			    "debug",
			    WEXITSTATUS(status));
		return EXIT_AMPOULE;
	}
	/* A signal passed on before the VMM could take it. */
	if (WTERMSIG(status) < 32 && s->forwarded & (1u << WTERMSIG(status)))
		return 128 + WTERMSIG(status);
	if (WTERMSIG(status) == SIGKILL && in->killed)
		return 128 + SIGKILL; /* whoever asked for it knows */
	if (WTERMSIG(status) == SIGKILL)
		return killed(s, line);
	if (WTERMSIG(status) == SIGSYS) {
		problem_set(line, EXIT_AMPOULE,
			    "the VM was ended: the VMM asked the host for a "
			    "system call that its policy forbids, and did not "
			    "report it; the host's kernel log may name it");
		return EXIT_AMPOULE;
	}
	problem_set(line, EXIT_AMPOULE,
		    "the VMM was ended from outside by %s, and the VM with it",
		    signal_word((unsigned)WTERMSIG(status), word));
	return EXIT_AMPOULE;
}

int verdict(const struct verdict_input *in, struct problem *line)
{
	const struct supervise *s = in->supervise;
	const struct outcome *o = &s->outcome;
	int code = outcome_exit_code(o);

	*line = (struct problem){0};
	if (o->failed) {
		problem_set(line, code, "%s", o->text);
		return code;
	}
	if (s->timed_out && !o->ended) {
		problem_set(line, EXIT_TIME_LIMIT,
			    "%s reached its time limit; the VM did not answer "
			    "and was killed",
			    in->program);
		return EXIT_TIME_LIMIT;
	}
	if (code < 0)
		return died(in, line);
	if (o->oom && code == 128 + SIGKILL)
		oom_line(in, line);
	else if (WIFSIGNALED(o->wait_status))
		crash_line(in, line);
	return code;
}
