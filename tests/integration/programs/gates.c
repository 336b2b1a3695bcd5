/* SPDX-License-Identifier: Apache-2.0 */
/* gates.c - jumps to, reads from and writes to where mote's kernel lies in
 * every address space: each has to end in SIGSEGV or, at the entry of system
 * calls, in a call's result. Prints how often. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>

#define KERNEL 0x7f8000000000ul
#define IMAGE  (KERNEL + 0x100000)
#define STUBS  0x4000ul

static sigjmp_buf back;
static volatile unsigned faults, returns, wrong;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	if (signal != SIGSEGV || info->si_code != SEGV_MAPERR)
		wrong++;
	siglongjmp(back, 1);
}

/* As a `syscall` would arrive there: rcx is where to go on. */
static void jump(uint64_t to, uint64_t number)
{
	__asm__ volatile("lea 1f(%%rip), %%rcx\n"
			 "mov %%rcx, %%r10\n"
			 "pushfq\n"
			 "pop %%r11\n"
			 "sub $128, %%rsp\n"
			 "jmp *%[to]\n"
			 "1: add $128, %%rsp"
			 : "+a"(number)
			 : [to] "r"(to)
			 : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			   "memory", "cc");
}

static void attempt(uint64_t at, int how)
{
	if (sigsetjmp(back, 1)) {
		faults++;
		return;
	}
	if (how == 0)
		jump(at, 39); /* getpid */
	else if (how == 1)
		(void)*(volatile uint8_t *)at;
	else
		*(volatile uint8_t *)at = 0;
	returns++;
}

int main(void)
{
	struct sigaction action = {.sa_sigaction = on_fault,
				   .sa_flags = SA_SIGINFO};
	unsigned entries;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGILL, &action, NULL);
	for (uint64_t at = IMAGE; at < IMAGE + STUBS; at += 3)
		attempt(at, 0);
	entries = returns;
	for (uint64_t at = KERNEL; at < KERNEL + 0x40000000; at += 0xffff8)
		attempt(at, 1 + (int)(at & 1));
	for (uint64_t at = 1ul << 46; at < KERNEL + (1ul << 39);
	     at += 1ul << 34)
		attempt(at, 2);
	printf("%u entries, %u wrong, %s\n", entries, wrong,
	       returns == entries ? "all others refused" : "NOT REFUSED");
	return wrong || returns != entries || entries > 1;
}
