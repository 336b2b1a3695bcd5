/* SPDX-License-Identifier: Apache-2.0 */
/* signal.c - actions, masks, stacks, queues, and calls that are interrupted. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static siginfo_t got;
static void on_info(int number, siginfo_t *info, void *context)
{
	caught++;
	caught_last = number;
	got = *info;
}

static void handle_info(int number, int flags)
{
	struct sigaction act = {.sa_sigaction = on_info,
				.sa_flags = flags | SA_SIGINFO};

	DO(sigaction(number, &act, NULL));
}

static void block(int how, int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	DO(sigprocmask(how, &set, NULL));
}

static void test_info_of_kill(void)
{
	handle_info(SIGUSR1, 0);
	T(kill(getpid(), SIGUSR1));
	say("code %d, ours %d, uid %d", got.si_code, got.si_pid == getpid(),
	    got.si_uid);
}

static void test_info_of_raise(void)
{
	handle_info(SIGUSR1, 0);
	T(raise(SIGUSR1));
	say("code %d, ours %d", got.si_code, got.si_pid == getpid());
}

static void test_info_of_queue(void)
{
	union sigval value = {.sival_int = 77};

	handle_info(SIGUSR1, 0);
	T(sigqueue(getpid(), SIGUSR1, value));
	say("code %d, value %d", got.si_code, got.si_value.sival_int);
	T(sigqueue(0x3ffffff, SIGUSR1, value));
	T(sigqueue(getpid(), 65, value));
}

static void test_info_of_alarm(void)
{
	struct itimerval it = {.it_value = {0, 10000}};

	handle_info(SIGALRM, 0);
	setitimer(ITIMER_REAL, &it, NULL);
	T(pause());
	say("code %d pid %d", got.si_code, got.si_pid);
}

static void test_info_of_child(void)
{
	pid_t pid;

	handle_info(SIGCHLD, 0);
	pid = fork();
	if (pid == 0)
		_exit(33);
	while (!caught)
		nap(1);
	say("code %d status %d pid %d", got.si_code, got.si_status,
	    got.si_pid == pid);
	reap(pid);
}

static void test_order(void)
{
	sigset_t all, set;
	int number;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGRTMIN + 1);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGHUP);
	kill(getpid(), SIGRTMIN);
	while (sigpending(&set) == 0 && sigwait(&all, &number) == 0) {
		say("%d", number);
		sigpending(&set);
		if (!sigismember(&set, SIGTERM) &&
		    !sigismember(&set, SIGRTMIN + 1))
			break;
	}
}

static void test_real_time_queue(void)
{
	union sigval value;

	handle_info(SIGRTMIN, 0);
	block(SIG_BLOCK, SIGRTMIN);
	for (int i = 1; i < 4; i++) {
		value.sival_int = i;
		sigqueue(getpid(), SIGRTMIN, value);
	}
	block(SIG_UNBLOCK, SIGRTMIN);
	say("caught %d, last %d", caught, got.si_value.sival_int);
}

static void test_standard_merge(void)
{
	handle(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	for (int i = 0; i < 4; i++)
		raise(SIGUSR1);
	block(SIG_UNBLOCK, SIGUSR1);
	say("caught %d", caught);
}

static void test_reset_hand(void)
{
	struct sigaction act;

	handle(SIGUSR1, (int)SA_RESETHAND);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &act);
	say("caught %d default %d", caught, act.sa_handler == SIG_DFL);
	handle(SIGUSR1, SA_NODEFER);
	sigaction(SIGUSR1, NULL, &act);
	say("flags %x", (unsigned)act.sa_flags & ~0x04000000u);
}

static int depth, deepest, again;
static void nested(int number)
{
	depth++;
	if (depth > deepest)
		deepest = depth;
	if (again-- > 0)
		raise(number);
	depth--;
}

static void test_defer(void)
{
	struct sigaction act = {.sa_handler = nested};

	again = 3;
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	say("deepest %d", deepest);
	act.sa_flags = SA_NODEFER;
	deepest = 0;
	again = 3;
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	say("deepest %d", deepest);
}

static void show_mask(int number)
{
	sigset_t set;

	sigprocmask(SIG_BLOCK, NULL, &set);
	say("in %d: %d %d %d", number, sigismember(&set, SIGUSR1),
	    sigismember(&set, SIGUSR2), sigismember(&set, SIGTERM));
}

static void test_handler_mask(void)
{
	struct sigaction act = {.sa_handler = show_mask};

	sigaddset(&act.sa_mask, SIGTERM);
	sigaction(SIGUSR1, &act, NULL);
	block(SIG_BLOCK, SIGUSR2);
	raise(SIGUSR1);
	show_mask(0);
}

static void test_kill_cannot(void)
{
	struct sigaction act = {.sa_handler = SIG_IGN};
	sigset_t set;

	T(sigaction(SIGKILL, &act, NULL));
	T(sigaction(SIGSTOP, &act, NULL));
	T(sigaction(SIGKILL, NULL, &act));
	sigfillset(&set);
	T(sigprocmask(SIG_SETMASK, &set, NULL));
	sigprocmask(SIG_SETMASK, NULL, &set);
	say("%d %d", sigismember(&set, SIGKILL), sigismember(&set, SIGSTOP));
}

static void test_ignored_is_dropped(void)
{
	sigset_t set;

	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	signal(SIGUSR1, SIG_IGN);
	sigpending(&set);
	say("%d", sigismember(&set, SIGUSR1));
	raise(SIGUSR1);
	sigpending(&set);
	say("%d", sigismember(&set, SIGUSR1));
}

static volatile int on_stack;
static char *alt;
static void where(int number)
{
	char here;

	on_stack = &here >= alt && &here < alt + 65536;
	stack_t ss;
	sigaltstack(NULL, &ss);
	say("flags %d", ss.ss_flags);
	ss.ss_flags = SS_DISABLE;
	T(sigaltstack(&ss, NULL));
}

static void test_altstack(void)
{
	struct sigaction act = {.sa_handler = where, .sa_flags = SA_ONSTACK};
	stack_t ss = {.ss_size = 65536}, old;

	ss.ss_sp = alt = malloc(65536);
	T(sigaltstack(&ss, NULL));
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	say("there %d", on_stack);
	act.sa_flags = 0;
	sigaction(SIGUSR1, &act, NULL);
	raise(SIGUSR1);
	say("there %d", on_stack);
	T(sigaltstack(NULL, &old));
	say("flags %d size %zu", old.ss_flags, old.ss_size);
	ss.ss_size = 100;
	T(sigaltstack(&ss, NULL));
	ss.ss_flags = 77;
	T(sigaltstack(&ss, NULL));
	ss.ss_flags = SS_DISABLE;
	T(sigaltstack(&ss, NULL));
	T(sigaltstack(BAD, NULL));
}

static sigjmp_buf jump;
static void jumper(int number)
{
	siglongjmp(jump, number);
}

static void test_jump(void)
{
	struct sigaction act = {.sa_handler = jumper};
	sigset_t set;

	sigaction(SIGUSR1, &act, NULL);
	if (sigsetjmp(jump, 1) == 0)
		raise(SIGUSR1);
	sigprocmask(SIG_BLOCK, NULL, &set);
	say("blocked %d", sigismember(&set, SIGUSR1));
}

static void change(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	uc->uc_mcontext.gregs[REG_RBX] = 4321;
	sigaddset(&uc->uc_sigmask, SIGUSR2);
}

static void test_context(void)
{
	struct sigaction act = {.sa_sigaction = change, .sa_flags = SA_SIGINFO};
	long value = 1234, pid = getpid(), result = SYS_kill;

	sigaction(SIGUSR1, &act, NULL);
	__asm__ volatile("syscall"
			 : "+a"(result), "+b"(value)
			 : "D"(pid), "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory");
	say("result %ld value %ld", result, value);
	show_mask(0);
}

static void test_wait_info(void)
{
	struct timespec soon = {0, 10000000}, now = {0, 0}, bad = {0, -1};
	union sigval value = {.sival_int = 5};
	siginfo_t info = {0};
	sigset_t set;

	block(SIG_BLOCK, SIGUSR1);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	T(sigtimedwait(&set, &info, &now));
	T(sigtimedwait(&set, &info, &soon));
	T(sigtimedwait(&set, &info, &bad));
	sigqueue(getpid(), SIGUSR1, value);
	T(sigtimedwait(&set, &info, &soon));
	say("code %d value %d", info.si_code, info.si_value.sival_int);
	raise(SIGUSR1);
	T(sigwaitinfo(&set, NULL));
	T(syscall(SYS_rt_sigtimedwait, &set, NULL, &now, 4));
}

static void test_wait_interrupted(void)
{
	struct timespec long_time = {20, 0};
	sigset_t set;

	handle(SIGALRM, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	block(SIG_BLOCK, SIGUSR1);
	ualarm(20000, 0);
	T(sigtimedwait(&set, NULL, &long_time));
	say("caught %d", caught);
}

static void test_suspend(void)
{
	sigset_t none, set;

	sigemptyset(&none);
	handle(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	T(sigsuspend(&none));
	sigprocmask(SIG_BLOCK, NULL, &set);
	say("caught %d blocked %d", caught, sigismember(&set, SIGUSR1));
}

/* Does a call go on after a signal, without and with SA_RESTART? */
static void interrupted(const char *what, int flags, long (*call)(void))
{
	struct itimerval it = {.it_value = {0, 30000},
			       .it_interval = {0, 30000}};
	long result;

	handle(SIGALRM, flags);
	caught = 0;
	setitimer(ITIMER_REAL, &it, NULL);
	errno = 0;
	result = call();
	say("%s: %ld, errno %d", what, result, result == -1 ? errno : 0);
	memset(&it, 0, sizeof(it));
	setitimer(ITIMER_REAL, &it, NULL);
}

static int ends[2];
static long call_read(void)
{
	char c;

	return read(ends[0], &c, 1);
}

static long call_poll(void)
{
	struct pollfd p = {ends[0], POLLIN, 0};

	return poll(&p, 1, 10000);
}

static long call_select(void)
{
	struct timeval t = {10, 0};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	return select(ends[0] + 1, &set, NULL, NULL, &t);
}

static long call_nanosleep(void)
{
	struct timespec t = {10, 0}, left = {0, 0};
	long result = nanosleep(&t, &left);

	say("left %d", left.tv_sec == 9);
	return result;
}

static long call_clock_nanosleep(void)
{
	struct timespec t = {10, 0};

	return clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL);
}

static long call_accept(void)
{
	struct sockaddr a = {AF_UNIX, ""};
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(s, &a, sizeof(a.sa_family)) != 0 || listen(s, 1) != 0)
		return -1;
	return accept(s, NULL, NULL);
}

static void test_no_restart(void)
{
	DO(pipe(ends));
	interrupted("read", 0, call_read);
	interrupted("poll", 0, call_poll);
	interrupted("select", 0, call_select);
	interrupted("nanosleep", 0, call_nanosleep);
	interrupted("clock_nanosleep", 0, call_clock_nanosleep);
	interrupted("accept", 0, call_accept);
}

static void test_restart_never(void)
{
	DO(pipe(ends));
	interrupted("poll", SA_RESTART, call_poll);
	interrupted("select", SA_RESTART, call_select);
	interrupted("nanosleep", SA_RESTART, call_nanosleep);
	interrupted("clock_nanosleep", SA_RESTART, call_clock_nanosleep);
}

static void write_later(void)
{
	nap(150);
	write(ends[1], "x", 1);
}

static void test_restart(void)
{
	pid_t pid;

	DO(pipe(ends));
	pid = child(write_later);
	interrupted("read", SA_RESTART, call_read);
	say("several %d", caught > 1);
	reap(pid);
}

static void test_nobody_there(void)
{
	T(kill(0x3ffffff, 0));
	T(kill(getpid(), 0));
	T(kill(getpid(), 65));
	T(kill(getpid(), -2));
	T(syscall(SYS_tgkill, getpid(), 0x3ffffff, 0));
	T(syscall(SYS_tgkill, 0x3ffffff, getpid(), 0));
	T(syscall(SYS_tkill, -1, 0));
	T(syscall(SYS_rt_sigqueueinfo, getpid(), 10, BAD));
}

static void test_not_allowed(void)
{
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	if (fork() == 0) {
		DO(setuid(1000));
		T(kill(pid, SIGTERM));
		T(kill(pid, 0));
		T(kill(getpid(), 0));
		_exit(0);
	}
	reap(-1);
	T(kill(pid, SIGKILL));
	reap(pid);
}

static void test_forged_info(void)
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = 5};
	pid_t pid = child((void (*)(void))pause);

	handle_info(SIGUSR1, 0);
	T(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &info));
	say("code %d", got.si_code);
	T(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info));
	info.si_code = -7;
	T(syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &info));
	reap(pid);
}

static double sum;
static void floats(int number)
{
	sum = 1;
	for (int i = 1; i < 50; i++)
		sum /= i + 0.5;
}

static void test_registers_survive(void)
{
	struct sigaction act = {.sa_handler = floats};
	double a = 1.25;

	sigaction(SIGUSR1, &act, NULL);
	for (int i = 0; i < 100; i++) {
		a = a * 1.01 + 0.5;
		raise(SIGUSR1);
	}
	say("%.9f", a);
}

const struct test signal_tests[] = {
	{"info_of_kill", test_info_of_kill},
	{"info_of_raise", test_info_of_raise},
	{"info_of_queue", test_info_of_queue},
	{"info_of_alarm", test_info_of_alarm},
	{"info_of_child", test_info_of_child},
	{"order", test_order},
	{"real_time_queue", test_real_time_queue},
	{"standard_merge", test_standard_merge},
	{"reset_hand", test_reset_hand},
	{"defer", test_defer},
	{"handler_mask", test_handler_mask},
	{"kill_cannot", test_kill_cannot},
	{"ignored_is_dropped", test_ignored_is_dropped},
	{"altstack", test_altstack},
	{"jump", test_jump},
	{"context", test_context},
	{"wait_info", test_wait_info},
	{"wait_interrupted", test_wait_interrupted},
	{"suspend", test_suspend},
	{"no_restart", test_no_restart},
	{"restart_never", test_restart_never},
	{"restart", test_restart},
	{"nobody_there", test_nobody_there},
	{"not_allowed", test_not_allowed},
	{"forged_info", test_forged_info},
	{"registers_survive", test_registers_survive},
	{NULL, NULL},
};
