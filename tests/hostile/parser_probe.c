/* SPDX-License-Identifier: Apache-2.0 */
/* parser_probe.c - what a captured parser of files would try, in the child that
 * the real command reads files in (runner/cli/parser.c), under the real policy.
 *
 *	parser_probe calls     every call by number: one line each, what became
 *	                       of it; then calls that arguments decide about
 *	parser_probe call NR   one call: the line that tells of it, and the code
 *	parser_probe crash     a wild pointer
 *	parser_probe lie       a result that is no string and no error
 *	parser_probe cost      a child that reads nothing, 200 times: least and
 *	                       median time in us
 *	parser_probe no_stack  a forbidden call whose handler cannot run */
#include "runner/cli/parser.h"

#include "base/clock.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS_MAX 600
/* The kernel's own way back from probes: passes seccomp by, and kills whoever
 * makes them by hand. */
#define URETPROBE 335
#define UPROBE    336

struct
try {
	long nr;
	uint64_t arg[6];
};

static int make_call(const void *context, void *result, struct problem *why)
{
	const struct try *t = context;
	long n = syscall(t->nr, t->arg[0], t->arg[1], t->arg[2], t->arg[3],
			 t->arg[4], t->arg[5]);

	(void)why;
	*(int *)result = n < 0 ? -errno : 0;
	return 0;
}

static int crash(const void *context, void *result, struct problem *why)
{
	volatile int *volatile wild = (volatile int *)result - (1LL << 40);

	(void)context;
	(void)why;
	*wild = 1;
	return 0;
}

static int lie(const void *context, void *result, struct problem *why)
{
	(void)context;
	(void)result;
	memset(why->text, '\033', sizeof(why->text));
	why->exit_code = 0;
	return 1;
}

/** no_stack() - the kernel has nowhere to run the handler on. */
static int no_stack(const void *context, void *result, struct problem *why)
{
	(void)context;
	(void)result;
	(void)why;
	__asm__ volatile("mov $0, %%rsp\n\tmov %0, %%eax\n\tsyscall\n\t" ::"i"(
				 SYS_getpid)
			 : "rax", "rcx", "r11", "memory");
	return 0;
}

static struct parser locked(void)
{
	return (struct parser){
		.id = geteuid() ? 0 : PARSER_ID_ANY,
		.input = -1,
		.output = -1,
	};
}

/** try() - "made", "refused" or "trapped". */
static void try(const char *what, const struct try *t)
{
	const struct parser parser = locked();
	struct problem why;
	const char *outcome = "trapped";
	int error = 0;

	if (!parser_run(&parser, make_call, t, &error, sizeof(error), &why))
		outcome = error == -ENOSYS ? "refused" : "made";
	else if (!strstr(why.text, "forbids"))
		outcome = why.text;
	(void)printf("%s %s\n", what, outcome);
}

static void try_numbers(void)
{
	for (long nr = 0; nr < CALLS_MAX; nr++) {
		struct try t = {.nr = nr};
		char what[16];

		/* An end of the child would be no answer. */
		if (nr == SYS_exit_group || nr == URETPROBE || nr == UPROBE)
			continue;
		memset(t.arg, 0xff, sizeof(t.arg));
		(void)snprintf(what, sizeof(what), "%ld", nr);
		try(what, &t);
	}
}

static void try_arguments(void)
{
	const uint64_t path = (uintptr_t) "/etc/passwd";
	const uint64_t here = (uint64_t)(int64_t)AT_FDCWD;
	const uint64_t word = (uintptr_t) "/tmp/ampoule-parser-probe";
	const uint64_t rw = PROT_READ | PROT_WRITE;
	const uint64_t anon = MAP_PRIVATE | MAP_ANONYMOUS;
	const struct {
		const char *what;
		struct try t;
	} tries[] = {
		{"openat.read", {SYS_openat, {here, path, O_RDONLY}}},
		{"openat.write", {SYS_openat, {here, path, O_WRONLY}}},
		{"openat.both", {SYS_openat, {here, path, O_RDWR}}},
		{"openat.create", {SYS_openat, {here, word, O_CREAT, 0600}}},
		{"openat.truncate", {SYS_openat, {here, path, O_TRUNC}}},
		{"openat.third", {SYS_openat, {here, path, O_ACCMODE}}},
		{"write.0", {SYS_write, {0, path, 1}}},
		{"write.1", {SYS_write, {1, path, 1}}},
		{"write.2", {SYS_write, {2, path, 1}}},
		{"write.1+4G", {SYS_write, {1ull << 32 | 1, path, 1}}},
		{"sendfile.1", {SYS_sendfile, {1, 9, 0, 1}}},
		{"sendfile.3", {SYS_sendfile, {3, 9, 0, 1}}},
		{"mmap.rw", {SYS_mmap, {0, 4096, rw, anon, ~0ull}}},
		{"mmap.x", {SYS_mmap, {0, 4096, PROT_EXEC, anon, ~0ull}}},
		{"mmap.file", {SYS_mmap, {0, 4096, PROT_READ, MAP_SHARED, 0}}},
		{"mprotect.x", {SYS_mprotect, {4096, 4096, PROT_EXEC}}},
		{"mremap.fixed", {SYS_mremap, {0, 0, 0, MREMAP_FIXED}}},
	};

	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		try(tries[i].what, &tries[i].t);
}

static int nothing(const void *context, void *result, struct problem *why)
{
	(void)context;
	(void)result;
	(void)why;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int measure(void)
{
	const struct parser parser = locked();
	static uint64_t ns[200];
	const size_t count = sizeof(ns) / sizeof(ns[0]);
	struct problem why;
	int result = 0;

	for (size_t i = 0; i < count; i++) {
		uint64_t begin = clock_now_ns();

		if (parser_run(&parser, nothing, NULL, &result, sizeof(result),
			       &why))
			return problem_say(&why);
		ns[i] = clock_now_ns() - begin;
	}
	qsort(ns, count, sizeof(ns[0]), compare);
	(void)printf("%llu %llu\n", (unsigned long long)ns[0] / 1000,
		     (unsigned long long)ns[count / 2] / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	const struct parser parser = locked();
	const char *mode = argc > 1 ? argv[1] : "";
	struct try one = {.nr = argc > 2 ? strtol(argv[2], NULL, 10) : 0};
	parser_work *work = !strcmp(mode, "call")       ? make_call
			    : !strcmp(mode, "crash")    ? crash
			    : !strcmp(mode, "lie")      ? lie
			    : !strcmp(mode, "no_stack") ? no_stack
							: NULL;
	struct problem why;
	int result = 0;

	if (!strcmp(mode, "calls")) {
		try_numbers();
		try_arguments();
		return 0;
	}
	if (!strcmp(mode, "cost"))
		return measure();
	if (!work)
		return 2;
	if (parser_run(&parser, work, &one, &result, sizeof(result), &why))
		return problem_say(&why);
	return 0;
}
