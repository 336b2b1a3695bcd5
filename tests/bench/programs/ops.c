/* SPDX-License-Identifier: Apache-2.0 */
/* ops.c - what one operation of the kernel costs. One line an operation on
 * standard error: name, nanoseconds (median of the batches). Standard output
 * takes the bytes of the operations that write to it.
 *
 * Usage: ops [MILLISECONDS], the length of a batch (20); ops exit. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"

#define BATCHES    5
#define PAGE       4096u
#define LARGE      (1u << 20)
#define FAULT_SPAN ((size_t)64 * PAGE) /* pages touched for one mmap() */

struct bench {
	int null_fd;
	int ask[2], answer[2]; /* pipes to a child that echoes */
	unsigned char *buffer;
};

/* A call that does nothing, made without the C library's wrapper. */
static long op_syscall(const struct bench *b)
{
	syscall(SYS_getppid);
	return 1;
}

static long op_clock(const struct bench *b)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return 1;
}

/* To the child and back: two switches. */
static long op_switch(const struct bench *b)
{
	char byte = 1;

	if (write(b->ask[1], &byte, 1) != 1 ||
	    read(b->answer[0], &byte, 1) != 1)
		return -errno;
	return 2;
}

static int start_echo(struct bench *b)
{
	char byte;

	if (pipe2(b->ask, O_CLOEXEC) != 0 || pipe2(b->answer, O_CLOEXEC) != 0)
		return -1;
	switch (fork()) {
	case -1:
		return -1;
	case 0:
		close(b->ask[1]); /* its end is ours */
		while (read(b->ask[0], &byte, 1) == 1 &&
		       write(b->answer[1], &byte, 1) == 1)
			;
		_exit(0);
	default:
		return 0;
	}
}

/* This program again, which has nothing to do. */
static long op_fork(const struct bench *b)
{
	static char name[] = "ops", mode[] = "exit";
	char *argv[] = {name, mode, NULL};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -errno;
	return status ? -ENOEXEC : 1;
}

static long op_fault(const struct bench *b)
{
	volatile unsigned char *span =
		mmap(NULL, FAULT_SPAN, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (span == MAP_FAILED)
		return -errno;
	for (size_t i = 0; i < FAULT_SPAN; i += PAGE)
		span[i] = 1;
	munmap((void *)(uintptr_t)span, FAULT_SPAN);
	return (long)(FAULT_SPAN / PAGE);
}

static long write_all(int fd, const unsigned char *data, size_t bytes)
{
	while (bytes > 0) {
		ssize_t n = write(fd, data, bytes);

		if (n < 0)
			return -errno;
		data += n;
		bytes -= (size_t)n;
	}
	return 1;
}

static long op_null_4k(const struct bench *b)
{
	return write_all(b->null_fd, b->buffer, PAGE);
}

static long op_null_1m(const struct bench *b)
{
	return write_all(b->null_fd, b->buffer, LARGE);
}

static long op_stdout_4k(const struct bench *b)
{
	return write_all(STDOUT_FILENO, b->buffer, PAGE);
}

static long op_stdout_1m(const struct bench *b)
{
	return write_all(STDOUT_FILENO, b->buffer, LARGE);
}

static const struct {
	const char *name;
	long (*run)(const struct bench *); /* operations done or -errno */
} operation[] = {
	{"null_syscall", op_syscall},      {"clock_gettime", op_clock},
	{"page_fault", op_fault},          {"pipe_switch", op_switch},
	{"fork_exec_wait", op_fork},       {"write_null_4k", op_null_4k},
	{"write_null_1m", op_null_1m},     {"write_stdout_4k", op_stdout_4k},
	{"write_stdout_1m", op_stdout_1m},
};

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* The clock is a system call in some guests: it is asked only now and then,
 * twice as rarely each time. */
static double batch(const struct bench *b, unsigned which, uint64_t length_ns)
{
	uint64_t start = clock_ns(), now = start;
	long done = 0, n = 0;

	for (long round = 1; now - start < length_ns; round *= 2) {
		for (long i = 0; i < round; i++) {
			n = operation[which].run(b);
			if (n < 0)
				return (double)n;
			done += n;
		}
		now = clock_ns();
	}
	return (double)(now - start) / (double)done;
}

static unsigned char buffer[LARGE] __attribute__((aligned(PAGE)));

int main(int argc, char **argv)
{
	const bool exits = argc > 1 && strcmp(argv[1], "exit") == 0;
	uint64_t ms = argc > 1 ? strtoull(argv[1], NULL, 10) : 20;
	struct bench b = {.null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC)};

	if (exits)
		return 0;
	b.buffer = buffer;
	if (b.null_fd < 0 || start_echo(&b) != 0) {
		perror("ops: /dev/null, pipes");
		return 1;
	}
	memset(b.buffer, 'x', LARGE);
	for (unsigned i = 0; i < sizeof(operation) / sizeof(operation[0]);
	     i++) {
		double ns[BATCHES];

		for (int k = 0; k < BATCHES; k++)
			ns[k] = batch(&b, i, ms * 1000000u);
		qsort(ns, BATCHES, sizeof(ns[0]), compare);
		if (ns[0] < 0) {
			fprintf(stderr, "ops: %s: %s\n", operation[i].name,
				strerror((int)-ns[0]));
			return 1;
		}
		fprintf(stderr, "%s %.1f\n", operation[i].name,
			ns[BATCHES / 2]);
	}
	return 0;
}
