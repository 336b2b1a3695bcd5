/* SPDX-License-Identifier: Apache-2.0 */
/* signal.c - cases of signals: handlers, masks, stacks, faults. */
#include "say.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

static volatile sig_atomic_t count, last, code, value;
static volatile uintptr_t address;

static void on_signal(int number)
{
	count++;
	last = number;
}

static void on_info(int number, siginfo_t *info, void *context)
{
	count++;
	last = number;
	code = info->si_code;
	address = (uintptr_t)info->si_addr;
	value = info->si_value.sival_int;
}

static void handle(int number, void (*fn)(int), int flags)
{
	struct sigaction act = {.sa_handler = fn, .sa_flags = flags};

	sigaction(number, &act, NULL);
}

static void handle_info(int number, void (*fn)(int, siginfo_t *, void *),
			int flags)
{
	struct sigaction act = {.sa_sigaction = fn,
				.sa_flags = flags | SA_SIGINFO};

	sigaction(number, &act, NULL);
}

static void test_handlers(void)
{
	pid_t self = getpid();

	handle(SIGUSR1, on_signal, 0);
	S(kill, self, SIGUSR1);
	say("count %d last %d", count, last);
	S(tkill, self, SIGUSR1);
	S(tgkill, self, self, SIGUSR1);
	say("count %d", count);
	S(kill, self, 0);
	S(kill, self, 65);
	S(kill, self, -1);
	S(tgkill, self, self, 0);
	S(tgkill, -1, self, SIGUSR1);
	S(tgkill, 1 << 22, 1 << 22, SIGUSR1);
	S(kill, 0x3ffffff, SIGUSR1);
	handle(SIGUSR1, SIG_IGN, 0);
	S(kill, self, SIGUSR1);
	say("count %d", count);
	handle(SIGUSR1, on_signal, (int)SA_RESETHAND);
	S(kill, self, SIGUSR1);
	say("count %d, default again %d", count,
	    signal(SIGUSR1, SIG_IGN) == SIG_DFL);
	S(rt_sigaction, SIGKILL, NULL, NULL, 8);
	S(rt_sigaction, 0, NULL, NULL, 8);
	S(rt_sigaction, 65, NULL, NULL, 8);
	S(rt_sigaction, SIGUSR1, NULL, NULL, 4);
	S(rt_sigaction, SIGUSR1, BAD, NULL, 8);
	say("SIGKILL %d", signal(SIGKILL, SIG_IGN) == SIG_ERR ? errno : 0);
}

static void test_masks(void)
{
	uint64_t one = 1ull << (SIGUSR1 - 1), two = 1ull << (SIGUSR2 - 1);
	uint64_t old = 0, all = ~0ull, none = 0;

	handle(SIGUSR1, on_signal, 0);
	handle(SIGUSR2, on_signal, 0);
	S(rt_sigprocmask, SIG_BLOCK, &one, &old, 8);
	say("old %#lx", (unsigned long)old);
	raise(SIGUSR1);
	raise(SIGUSR1);
	say("blocked: count %d", count);
	S(rt_sigpending, &old, 8);
	say("pending %#lx", (unsigned long)old);
	S(rt_sigprocmask, SIG_UNBLOCK, &one, NULL, 8);
	say("unblocked: count %d", count);
	S(rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
	S(rt_sigprocmask, SIG_SETMASK, NULL, &old, 8);
	say("everything but two %#lx", (unsigned long)old);
	S(rt_sigprocmask, SIG_SETMASK, &none, NULL, 8);
	S(rt_sigprocmask, 9, &one, NULL, 8);
	S(rt_sigprocmask, SIG_BLOCK, &one, NULL, 4);
	S(rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8);
	S(rt_sigprocmask, SIG_BLOCK, &two, NULL, 8);
	raise(SIGUSR2);
	S(rt_sigsuspend, &none, 8);
	say("suspended: count %d last %d", count, last);
	S(rt_sigprocmask, SIG_BLOCK, NULL, &old, 8);
	say("mask %#lx", (unsigned long)old);
}

static volatile sig_atomic_t depth, again;

/* Raises itself once: deferred to the end of the handler, or nested in it. */
static void nested(int number)
{
	say("in, depth %d", ++depth);
	if (again-- > 0)
		raise(number);
	say("out, depth %d", depth--);
}

static void show_mask(int number)
{
	sigset_t mask;

	sigprocmask(SIG_BLOCK, NULL, &mask);
	say("signal %d masks: USR1 %d USR2 %d HUP %d", number,
	    sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2),
	    sigismember(&mask, SIGHUP));
}

static void test_nesting(void)
{
	struct sigaction act = {.sa_handler = show_mask};

	again = 1;
	handle(SIGUSR1, nested, 0);
	raise(SIGUSR1);
	again = 1;
	handle(SIGUSR1, nested, SA_NODEFER);
	raise(SIGUSR1);
	sigemptyset(&act.sa_mask);
	sigaddset(&act.sa_mask, SIGHUP);
	sigaction(SIGUSR2, &act, NULL);
	raise(SIGUSR2);
	show_mask(0);
}

static void test_info(void)
{
	union sigval v = {.sival_int = 4711};
	siginfo_t info = {.si_code = SI_QUEUE, .si_value = v};

	handle_info(SIGUSR1, on_info, 0);
	raise(SIGUSR1);
	say("code %d", code);
	kill(getpid(), SIGUSR1);
	say("code %d", code);
	S(rt_sigqueueinfo, getpid(), SIGUSR1, &info);
	say("code %d value %d", code, value);
	S(rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &info);
	say("code %d value %d", code, value);
	handle_info(40, on_info, 0);
	S(rt_sigqueueinfo, getpid(), 40, &info);
	say("code %d last %d", code, last);
}

static sigjmp_buf back;

static void on_fault(int number, siginfo_t *info, void *context)
{
	on_info(number, info, context);
	siglongjmp(back, 1);
}

#define FAULT(what, ...)                                                       \
	do {                                                                   \
		if (sigsetjmp(back, 1) == 0) {                                 \
			__VA_ARGS__;                                           \
			say("%s: nothing", what);                              \
		} else {                                                       \
			say("%s: signal %d code %d address %#lx", what, last,  \
			    code, (unsigned long)address);                     \
		}                                                              \
	} while (0)

static void test_faults(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
	volatile int one = 1, zero = 0;
	volatile int *p = (volatile int *)0x1230;
	volatile double d = 0;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		handle_info(numbers[i], on_fault, 0);
	FAULT("read", (void)*p);
	FAULT("write", *p = 1);
	p = (volatile int *)0xffffffff80000000;
	FAULT("kernel address", (void)*p);
	p = (volatile int *)0x8000000000000000;
	FAULT("no address", (void)*p);
	if (sigsetjmp(back, 1) == 0)
		one = one / zero;
	else
		say("divide: signal %d code %d", last, code);
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("ud2");
	else
		say("ud2: signal %d code %d", last, code);
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("int3");
	else
		say("int3: signal %d code %d", last, code);
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("cli");
	else
		say("cli: signal %d code %d", last, code);
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("wrmsr" : : "a"(0), "c"(0), "d"(0));
	else
		say("wrmsr: signal %d code %d", last, code);
	d = 1 / d;
	say("infinite %d", d > 1e300);
}

static void on_stack(int number)
{
	stack_t old;

	sigaltstack(NULL, &old);
	say("on the other stack %d", (old.ss_flags & SS_ONSTACK) != 0);
	siglongjmp(back, 1);
}

static void test_stacks(void)
{
	static char memory[65536];
	stack_t stack = {.ss_sp = memory, .ss_size = sizeof(memory)}, old;

	memset(&old, 0, sizeof(old));
	S(sigaltstack, NULL, &old);
	say("flags %d", old.ss_flags);
	S(sigaltstack, &stack, &old);
	S(sigaltstack, NULL, &old);
	say("set %d size %zu", old.ss_sp == memory, old.ss_size);
	handle(SIGUSR1, on_stack, SA_ONSTACK);
	if (sigsetjmp(back, 1) == 0)
		raise(SIGUSR1);
	/* A stack that is used up can only be handled on another one. */
	handle(SIGSEGV, on_stack, SA_ONSTACK);
	if (sigsetjmp(back, 1) == 0)
		__asm__ volatile("mov $0x1000, %%rsp; push %%rax"
				 :
				 :
				 : "memory");
	say("back");
	stack.ss_size = 100;
	S(sigaltstack, &stack, NULL);
	stack.ss_flags = 77;
	S(sigaltstack, &stack, NULL);
	stack.ss_flags = SS_DISABLE;
	S(sigaltstack, &stack, NULL);
	S(sigaltstack, BAD, NULL);
}

static void change(int number, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	u->uc_mcontext.gregs[REG_RAX] = 77;
	u->uc_mcontext.gregs[REG_RIP] += 2;
}

/* Registers, flags and vector state survive a handler; and what the handler
 * writes into its frame is what the program goes on with. */
static void clobber(int number)
{
	double x[8];

	for (int i = 0; i < 8; i++)
		x[i] = i * 1.5;
	__asm__ volatile("vpxor %%xmm0, %%xmm0, %%xmm0\n"
			 "pxor %%xmm7, %%xmm7\n pxor %%xmm15, %%xmm15\n"
			 "xor %%r12, %%r12\n"
			 :
			 : "m"(x)
			 : "xmm0", "xmm7", "xmm15", "r12");
	count++;
}

static void test_context(void)
{
	long rax = 1;
	uint64_t in = 0x1122334455667788, out = 0, flags = 0, r12 = 0;

	handle_info(SIGILL, change, 0);
	__asm__ volatile("ud2" : "+a"(rax));
	say("rax %ld", rax);
	handle(SIGUSR1, clobber, 0);
	__asm__ volatile("movq %3, %%xmm15\n mov %3, %%r12\n stc\n"
			 "mov %4, %%edi\n mov %5, %%esi\n mov %6, %%eax\n"
			 "syscall\n"
			 "pushfq\n pop %1\n movq %%xmm15, %0\n mov %%r12, %2\n"
			 : "=&r"(out), "=&r"(flags), "=&r"(r12)
			 : "r"(in), "r"(getpid()), "i"(SIGUSR1), "i"(SYS_kill)
			 : "rax", "rcx", "rdi", "rsi", "r11", "r12", "xmm15",
			   "memory", "cc");
	say("handled %d, xmm15 %d, r12 %d, carry %d", count, out == in,
	    r12 == in, (int)(flags & 1));
}

/* A signal comes in the middle of a loop, not only in calls. */
static void test_asynchronous(void)
{
	struct itimerval timer = {.it_value = {0, 20000},
				  .it_interval = {0, 5000}};
	double sum = 0;

	handle(SIGALRM, on_signal, SA_RESTART);
	S(setitimer, ITIMER_REAL, &timer, NULL);
	while (count < 5)
		sum += 0.5;
	memset(&timer, 0, sizeof(timer));
	S(setitimer, ITIMER_REAL, &timer, NULL);
	S(getitimer, ITIMER_REAL, &timer);
	say("off %d, sum moved %d", timer.it_value.tv_usec == 0, sum > 1);
	S(alarm, 100);
	S(alarm, 0);
	S(setitimer, 9, &timer, NULL);
}

static void test_sigtimedwait(void)
{
	uint64_t one = 1ull << (SIGUSR1 - 1);
	struct timespec soon = {0, 10000000};

	S(rt_sigprocmask, SIG_BLOCK, &one, NULL, 8);
	S(rt_sigtimedwait, &one, NULL, &soon, 8);
	raise(SIGUSR1);
	S(rt_sigtimedwait, &one, NULL, &soon, 8);
	S(rt_sigtimedwait, &one, NULL, &soon, 8);
}

const struct group signal_groups[] = {
	{"signal_handlers", test_handlers},
	{"signal_masks", test_masks},
	{"signal_nesting", test_nesting},
	{"signal_info", test_info},
	{"signal_faults", test_faults},
	{"signal_stacks", test_stacks},
	{"signal_context", test_context},
	{"signal_asynchronous", test_asynchronous},
	{"sigtimedwait", test_sigtimedwait},
	{NULL, NULL},
};
