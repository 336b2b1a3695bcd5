/* SPDX-License-Identifier: Apache-2.0 */
/* guard.c - each thread's system calls. Trusts: the compiled policies. Must
 * not: let a forbidden call be made, but where the user asked to learn. */
#include "runner/vmm/guard.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ucontext.h>
#include <unistd.h>

#include "base/plan.h"
#include "base/report.h"
#include "policies/policy_bpf.h"

#define EXIT_FAILED 125

/* A signal handler has no argument. Written before there is a second thread. */
static bool learning;
static int report_fd = -1;
static _Thread_local char thread_name[REPORT_THREAD_BYTES] = "main";

/* guard_call(nr, arg) - a raw system call, by the one instruction that learning
 * leaves exempt: the kernel sees the address behind it, guard_exempt. */
long guard_call(long nr, const uint64_t arg[6]);
extern const char guard_exempt[];
__asm__(".text\n"
	".hidden guard_call\n.globl guard_call\n.type guard_call, @function\n"
	"guard_call:\n"
	"	endbr64\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %r11\n"
	"	mov 0(%r11), %rdi\n"
	"	mov 8(%r11), %rsi\n"
	"	mov 16(%r11), %rdx\n"
	"	mov 24(%r11), %r10\n"
	"	mov 32(%r11), %r8\n"
	"	mov 40(%r11), %r9\n"
	"	syscall\n"
	".hidden guard_exempt\n.globl guard_exempt\nguard_exempt:\n"
	"	ret\n"
	".size guard_call, . - guard_call\n");

/* Where our own program file begins in memory: addresses are told from there,
 * so that they mean something in a file that is placed anew at each start. The
 * name is the linker's. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-*) */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

/** on_forbidden() - a thread made a call that its policy does not allow; the
 * kernel has not made it. Only async-signal-safe calls, no lock: the thread may
 * have been anywhere. */
static void on_forbidden(int signal, siginfo_t *si, void *context)
{
	greg_t *reg = ((ucontext_t *)context)->uc_mcontext.gregs;
	int saved = errno;
	struct report_msg msg;

	(void)signal;
	memset(&msg, 0, sizeof(msg));
	msg.version = REPORT_VERSION;
	msg.type = REPORT_FORBIDDEN;
	msg.value = learning;
	memcpy(msg.u.forbidden.thread, thread_name, sizeof(thread_name));
	msg.u.forbidden.call = (uint32_t)si->si_syscall;
	msg.u.forbidden.arch = si->si_arch;
	msg.u.forbidden.ip = (uint64_t)reg[REG_RIP];
	msg.u.forbidden.base = (uint64_t)(uintptr_t)__ehdr_start;
	for (int i = 0; i < 6; i++) {
		static const int order[] = {REG_RDI, REG_RSI, REG_RDX,
					    REG_R10, REG_R8,  REG_R9};

		msg.u.forbidden.arg[i] = (uint64_t)reg[order[i]];
	}
	(void)report_send(report_fd, &msg);
	/* Where a policy lacks exit_group, the kernel ends us by SIGSYS. */
	if (!learning)
		_exit(EXIT_FAILED);
	reg[REG_RAX] = guard_call(si->si_syscall, msg.u.forbidden.arg);
	errno = saved;
}

/** peek() - two fields of the plan, before it is read and checked: they decide
 * how its reading is guarded. A wrong fd costs the report, no more. */
static void peek(void)
{
	uint32_t flags = 0;
	int32_t fd = -1;

	if (pread(PLAN_FD_NUMBER, &flags, sizeof(flags),
		  offsetof(struct plan, flags)) == sizeof(flags))
		learning = flags & PLAN_FLAG_LEARN;
	if (pread(PLAN_FD_NUMBER, &fd, sizeof(fd),
		  offsetof(struct plan, fd[PLAN_FD_REPORT])) == sizeof(fd))
		report_fd = fd;
}

static int put_on(enum policy_role role)
{
	return learning ? policy_install_learning(role, guard_exempt)
			: policy_install(role);
}

int guard_start(void)
{
	struct sigaction sa = {.sa_sigaction = on_forbidden};

	peek();
	sa.sa_flags = SA_SIGINFO | (int)(learning ? SA_NODEFER : SA_RESETHAND);
	if (sigaction(SIGSYS, &sa, NULL) < 0)
		return -errno;
	/* The jailer has done this; whoever starts us without one has not. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return put_on(POLICY_START);
}

int guard_thread(enum policy_role role, const char *name)
{
	strncpy(thread_name, name, sizeof(thread_name) - 1);
	return put_on(role);
}
