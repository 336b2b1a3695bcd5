/* SPDX-License-Identifier: Apache-2.0 */
/* parser.c - a child that reads what strangers may have written. Trusts: the
 * child until it starts to work, and nothing of it from then on. Must not: let
 * the child keep more than it needs, or live longer than the command. */
#include "runner/cli/parser.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "policies/policy_bpf.h"
#include "policies/syscall_names.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESULT_MAX 65536u
#define FIRST_FREE 3

/* Shared with the child, and with nobody else. */
struct block {
	int32_t err;
	uint32_t done, forbidden; /* 0 or not */
	int32_t call;             /* the one that no policy allows */
	uint64_t offset;
	struct problem why;
	_Alignas(16) uint8_t result[];
};

/* A signal handler has no argument. Only set in the child. */
static struct block *shared;

/* Our own program file in memory; the name is the linker's. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-*) */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

/** on_forbidden() - as the VMM's handler (guard.c): once, then the kernel
 * kills. */
static void on_forbidden(int signal, siginfo_t *si, void *context)
{
	const greg_t *reg = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)signal;
	shared->call = si->si_syscall;
	shared->offset =
		(uint64_t)reg[REG_RIP] - (uint64_t)(uintptr_t)__ehdr_start;
	shared->forbidden = 1;
	_exit(EXIT_AMPOULE);
}

/** keep_reading() - of all capabilities the one to read the caller's files;
 * where a container withholds it, the next one: its other half, writing, is
 * forbidden by the policy. */
static int keep_reading(void)
{
	static const unsigned wanted[] = {CAP_DAC_READ_SEARCH,
					  CAP_DAC_OVERRIDE};
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct cap[_LINUX_CAPABILITY_U32S_3];
	uint32_t kept = 0;

	if (syscall(SYS_capget, &header, cap) < 0)
		return -errno;
	for (size_t i = 0; !kept && i < 2; i++)
		kept = cap[0].permitted & (1u << wanted[i]);
	memset(cap, 0, sizeof(cap));
	cap[0].permitted = kept;
	cap[0].effective = kept;
	return syscall(SYS_capset, &header, cap) < 0 ? -errno : 0;
}

static int take_id(uint32_t id)
{
	int err = 0;

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return -errno;
	if (id && (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 ||
		   setresuid(id, id, id) < 0))
		return -errno;
	err = keep_reading();
	if (!err && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		     prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0))
		err = -errno;
	return err;
}

/** place_fds() - those of the header, at their numbers. */
static int place_fds(const struct parser *p)
{
	/* Above the numbers they go to, so that none covers the other. */
	int output = p->output < 0 ? -1 : fcntl(p->output, F_DUPFD, FIRST_FREE);
	int input = p->input < 0 ? -1 : fcntl(p->input, F_DUPFD, FIRST_FREE);

	close(PARSER_OUTPUT);
	close(PARSER_INPUT);
	if ((p->output >= 0 && dup2(output, PARSER_OUTPUT) < 0) ||
	    (p->input >= 0 && dup2(input, PARSER_INPUT) < 0))
		return -errno;
	return syscall(SYS_close_range, FIRST_FREE, ~0u, 0) < 0 ? -errno : 0;
}

/** lock_in() - @parent: who has to live for us to live. */
static int lock_in(const struct parser *p, pid_t parent)
{
	const struct rlimit no_core = {0};
	struct sigaction sa = {.sa_sigaction = on_forbidden};
	int err = place_fds(p);

	if (!err)
		err = take_id(p->id);
	if (err)
		return err;
	/* After the id: a change of it would undo this. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    setrlimit(RLIMIT_CORE, &no_core) < 0)
		return -errno;
	if (getppid() != parent)
		return -ESRCH;
	sa.sa_flags = SA_SIGINFO | (int)SA_RESETHAND;
	if (sigaction(SIGSYS, &sa, NULL) < 0)
		return -errno;
	return policy_install(POLICY_PARSE);
}

static _Noreturn void child(const struct parser *p, pid_t parent,
			    parser_work *work, const void *context)
{
	int err = lock_in(p, parent);

	if (err)
		problem_set(&shared->why, EXIT_AMPOULE,
			    "cannot lock in the parser of files: %s",
			    error_text(err));
	else
		err = work(context, shared->result, &shared->why);
	shared->err = err;
	shared->done = 1;
	_exit(0);
}

/** await() - the child's end, or a signal for us, which ends the child.
 * Return: 0; the number of the signal; or -errno. */
static int await(pid_t pid, int *ret_status)
{
	static const int fatal[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	cleanup_fd int child_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	cleanup_fd int signals = -1;
	struct signalfd_siginfo si = {0};
	struct pollfd fds[2];
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaddset(&set, fatal[i]);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	fds[0] = (struct pollfd){.fd = child_fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = signals, .events = POLLIN};
	while (child_fd >= 0 && poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (child_fd >= 0 && !fds[0].revents && fds[1].revents) {
		kill(pid, SIGKILL);
		if (read(signals, &si, sizeof(si)) != sizeof(si))
			si.ssi_signo = SIGTERM;
	}
	while (waitpid(pid, ret_status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return (int)si.ssi_signo;
}

static int tell_forbidden(const struct block *b, struct problem *why)
{
	const char *name = syscall_name((uint32_t)b->call);
	char number[24];

	(void)snprintf(number, sizeof(number), "number %d", b->call);
	return problem_set(why, EXIT_AMPOULE,
			   "the parser of files (role parse) asked the host "
			   "for the system call %s, which its policy forbids, "
			   "at ampoule+0x%llx; the call was not made. One of "
			   "the files it read is an attack, or this is a "
			   "mistake of Ampoule's: please report it",
			   name ? name : number, (unsigned long long)b->offset);
}

/** tell() - how it ended. @b: our own copy, which still may say anything. */
static int tell(struct block *b, int status, struct problem *why)
{
	if (b->forbidden)
		return tell_forbidden(b, why);
	if (WIFSIGNALED(status))
		return problem_set(why, EXIT_AMPOULE,
				   "the parser of files was ended by signal "
				   "%d: one of the files it read is an attack, "
				   "the host ran out of memory, or this is a "
				   "mistake of Ampoule's: please report it",
				   WTERMSIG(status));
	if (!b->done)
		return problem_set(why, EXIT_AMPOULE,
				   "the parser of files ended without a "
				   "result: please report it");
	if (!b->err)
		return 0;
	b->why.text[sizeof(b->why.text) - 1] = '\0';
	if (b->why.exit_code != EXIT_NOT_EXECUTABLE &&
	    b->why.exit_code != EXIT_NOT_FOUND)
		b->why.exit_code = EXIT_AMPOULE;
	*why = b->why;
	return -EINVAL;
}

static int supervise(pid_t pid, void *result, size_t bytes, struct problem *why)
{
	struct block head;
	int status = 0, err = await(pid, &status);

	if (err > 0)
		return problem_set(why, 128 + err,
				   "ended by signal %d while reading files",
				   err);
	if (err)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot wait for the parser of files: %s",
				   error_text(err));
	memcpy(&head, shared, sizeof(head));
	err = tell(&head, status, why);
	if (!err)
		memcpy(result, shared->result, bytes);
	return err;
}

int parser_run(const struct parser *parser, parser_work *work,
	       const void *context, void *result, size_t bytes,
	       struct problem *why)
{
	size_t all = sizeof(struct block) + bytes;
	pid_t us = getpid(), pid;
	int err;

	if (bytes > RESULT_MAX)
		return problem_set(why, EXIT_AMPOULE, "too much to parse");
	shared = mmap(NULL, all, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return problem_set(why, EXIT_AMPOULE, "out of memory");
	pid = fork();
	if (!pid)
		child(parser, us, work, context);
	err = pid < 0 ? problem_set(why, EXIT_AMPOULE,
				    "cannot start the parser of files: %s",
				    error_text(errno))
		      : supervise(pid, result, bytes, why);
	munmap(shared, all);
	shared = NULL;
	return err;
}
