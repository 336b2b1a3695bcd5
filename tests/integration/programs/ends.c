/* SPDX-License-Identifier: Apache-2.0 */
/* ends.c - every way a program can end, by name: ends HOW [ARG]. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void end_exit(const char *arg)
{
	exit(atoi(arg));
}

static void end_quick(const char *arg)
{
	_exit(atoi(arg));
}

static void end_segv(const char *arg)
{
	volatile int *p = (volatile int *)(uintptr_t)strtoull(arg, NULL, 0);

	*p = 1;
}

static void end_abort(const char *arg)
{
	abort();
}

static void end_fpe(const char *arg)
{
	volatile int one = 1, zero = atoi(arg);

	printf("%d\n", one / zero);
}

static void end_ill(const char *arg)
{
	__asm__ volatile("ud2");
}

static void end_trap(const char *arg)
{
	__asm__ volatile("int3");
}

static void end_noexec(const char *arg)
{
	static unsigned char code[] = {0xc3};
	void (*fn)(void);
	void *p = code;

	memcpy(&fn, &p, sizeof(fn));
	fn();
}

static void end_privileged(const char *arg)
{
	__asm__ volatile("hlt");
}

static void end_signal(const char *arg)
{
	raise(atoi(arg));
	puts("survived");
}

static void end_stack(const char *arg);
static void (*volatile deeper)(const char *arg) = end_stack;

static void end_stack(const char *arg)
{
	char page[4096];

	memset(page, *arg, sizeof(page));
	deeper(page);
	printf("%c", page[9]);
}

static void end_loop(const char *arg)
{
	puts("looping");
	fflush(stdout);
	for (volatile unsigned n = 0;; n++)
		;
}

static void end_sleep(const char *arg)
{
	puts("sleeping");
	fflush(stdout);
	sleep((unsigned)atoi(arg));
}

static void end_term(const char *arg)
{
	puts("waiting");
	fflush(stdout);
	for (;;)
		pause();
}

static const struct {
	const char *name;
	void (*fn)(const char *arg);
} ends[] = {
	{"exit", end_exit},     {"_exit", end_quick},   {"segv", end_segv},
	{"abort", end_abort},   {"fpe", end_fpe},       {"ill", end_ill},
	{"trap", end_trap},     {"noexec", end_noexec}, {"hlt", end_privileged},
	{"signal", end_signal}, {"stack", end_stack},   {"loop", end_loop},
	{"sleep", end_sleep},   {"wait", end_term},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(ends) / sizeof(*ends); i++) {
		if (strcmp(argv[1], ends[i].name) == 0) {
			ends[i].fn(argc > 2 ? argv[2] : "0");
			return 0;
		}
	}
	return 2;
}
