/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - signals that the processor brings: number, code, address. */
#include "conform.h"

#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf jump;
static siginfo_t got;
static long ip_offset;

static void divide(void)
{
	__asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cltd; idiv %%ecx" ::
				 : "eax", "ecx", "edx");
}

static void undefined(void)
{
	__asm__ volatile("ud2");
}

static void breakpoint(void)
{
	__asm__ volatile("int3");
}

static void privileged(void)
{
	__asm__ volatile("hlt");
}

static void port(void)
{
	__asm__ volatile("outb %%al, $0x80" ::);
}

static void null_read(void)
{
	*(volatile char *)8;
}

static void null_call(void)
{
	((void (*)(void))(uintptr_t)16)();
}

static void noncanonical(void)
{
	*(volatile char *)(1ul << 62);
}

static void kernel(void)
{
	*(volatile char *)0xffffffff80000000ul = 1;
}

static void single_step(void)
{
	__asm__ volatile("pushf; orq $0x100, (%%rsp); popf; nop; nop" ::
				 : "memory", "cc");
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	got = *info;
	ip_offset = uc->uc_mcontext.gregs[REG_TRAPNO];
	siglongjmp(jump, number);
}

static void try(const char *what, void (*fn)(void), bool address)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
	struct sigaction act = {.sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO};
	int number;

	for (int i = 0; i < 5; i++)
		sigaction(numbers[i], &act, NULL);
	number = sigsetjmp(jump, 1);
	if (number == 0) {
		fn();
		say("%s: nothing", what);
		return;
	}
	say("%s: signal %d code %d trap %ld", what, number, got.si_code,
	    ip_offset);
	if (address)
		say("at %p", got.si_addr);
}

static void test_arithmetic(void)
{
	try("divide", divide, false);
}

static void test_instructions(void)
{
	try("undefined", undefined, false);
	try("privileged", privileged, false);
	try("port", port, false);
}

static void test_breakpoint(void)
{
	try("breakpoint", breakpoint, false);
}

static void test_single_step(void)
{
	try("single step", single_step, false);
}

static void test_addresses(void)
{
	try("null", null_read, true);
	try("call", null_call, true);
}

static void test_far_addresses(void)
{
	try("noncanonical", noncanonical, true);
	try("kernel", kernel, true);
}

static void test_blocked(void)
{
	struct rlimit none = {0, 0};
	pid_t pid = fork();
	sigset_t set;

	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		sigfillset(&set);
		sigprocmask(SIG_BLOCK, &set, NULL);
		null_read();
	}
	reap(pid);
}

static void test_ignored(void)
{
	struct rlimit none = {0, 0};
	pid_t pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGSEGV, SIG_IGN);
		null_read();
	}
	reap(pid);
}

static volatile int rounds;
static void repeat(int number)
{
	if (++rounds == 3)
		_exit(rounds);
}

static void test_returns_to_it(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, repeat);
		null_read();
	}
	reap(pid);
}

static void *page;
static void make_writable(int number)
{
	mprotect(page, 4096, PROT_READ | PROT_WRITE);
}

static void test_repaired(void)
{
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	signal(SIGSEGV, make_writable);
	*(volatile int *)page = 7;
	say("%d", *(volatile int *)page);
}

static void on_abort(int number)
{
	caught++;
}

static void test_abort(void)
{
	struct rlimit none = {0, 0};
	pid_t pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, on_abort);
		abort();
	}
	reap(pid);
}

const struct test fault_tests[] = {
	{"arithmetic", test_arithmetic},
	{"instructions", test_instructions},
	{"breakpoint", test_breakpoint},
	{"single_step", test_single_step},
	{"addresses", test_addresses},
	{"far_addresses", test_far_addresses},
	{"blocked", test_blocked},
	{"ignored", test_ignored},
	{"returns_to_it", test_returns_to_it},
	{"repaired", test_repaired},
	{"abort", test_abort},
	{NULL, NULL},
};
