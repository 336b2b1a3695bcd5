/* SPDX-License-Identifier: Apache-2.0 */
/* jail.c - what it costs to isolate a program that does nothing: by our jailer,
 * with the id, the cgroups and the namespaces that `ampoule run` gives a VM, or
 * by another command. bench.py compares them.
 *
 *	jail ours COUNT JAILER PROGRAM
 *	jail peer COUNT COMMAND...      "@" in it: a number nobody else has
 *
 * COUNT processes set out at once. For each a line, in ns from its start:
 *
 *	CLONE MAIN FIRST ENDED CLEAN CPU
 *
 * the jailer's clone and main(), the program's first instruction, the end of
 * the last process, clean-up done, processor time of all processes; 0 for what
 * a peer does not tell. */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/plan.h"
#include "base/report.h"
#include "programs/stamp.h"
#include "runner/cli/cell.h"
#include "runner/cli/problem.h"
#include "runner/cli/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define COUNT_MAX 500
#define ARGS_MAX  64
#define ARG_BYTES 512

struct times { /* written by one process each, read in the end */
	uint64_t start, clone, jailer_main, first, ended, clean, cpu;
};

static struct times *all;
static int go[2]; /* a pipe: its end is the starting signal */

static void fail(const char *what)
{
	perror(what);
	_exit(1);
}

static uint64_t cpu_ns(int who)
{
	struct rusage use;

	getrusage(who, &use);
	return ((uint64_t)use.ru_utime.tv_sec + (uint64_t)use.ru_stime.tv_sec) *
		       NS_PER_SEC +
	       ((uint64_t)use.ru_utime.tv_usec +
		(uint64_t)use.ru_stime.tv_usec) *
		       1000;
}

/** set_out() - with all others, when main() closes the pipe. */
static void set_out(struct times *t)
{
	char c;

	close(go[1]);
	while (read(go[0], &c, 1) < 0)
		;
	t->cpu = cpu_ns(RUSAGE_SELF);
	t->start = clock_now_ns();
}

static void arrive(struct times *t)
{
	t->clean = clock_now_ns();
	t->cpu = cpu_ns(RUSAGE_SELF) + cpu_ns(RUSAGE_CHILDREN) - t->cpu;
}

/** read_stamp() - Return: ns, 0 when nothing came. */
static uint64_t read_stamp(int fd)
{
	struct timespec t;

	if (read(fd, &t, sizeof(t)) != sizeof(t))
		return 0;
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

/** reap() - wait for the end of @pid. Return: did it end well? */
static bool reap(pid_t pid, struct times *t)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	t->ended = clock_now_ns();
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ------------------------------------------------------------------- ours */

static int open_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail(path);
	return fd;
}

/** fill_plan() - a VM of the usual size; its kernel is never looked at. */
static void fill_plan(struct plan *plan, const char *program)
{
	*plan = (struct plan){
		.magic = PLAN_MAGIC,
		.version = PLAN_VERSION,
		.total_bytes = sizeof(*plan),
		.flags = PLAN_FLAG_FOREGROUND | PLAN_FLAG_TRACE |
			 PLAN_FLAG_NO_STORE_BYPASS |
			 PLAN_FLAG_NO_INDIRECT_BRANCH,
		.name = "bench",
		.mem_bytes = 128ull << 20,
		.cpus = 1,
		.pids_max = 9,
		.files_max = 256,
		.segment_count = 1,
		.entry_gpa = 1ull << 20,
		.segment[0] = {.gpa = 1ull << 20,
			       .mem_bytes = 4096,
			       .fd = PLAN_FD_KERNEL},
	};
	for (int i = 0; i < PLAN_FD_COUNT; i++)
		plan->fd[i] = -1;
	plan->fd[PLAN_FD_VMM] = open_file(program);
	plan->fd[PLAN_FD_KERNEL] = open_file(program);
}

/** hear() - all that the jailer says until it has become the program. */
static void hear(int fd, struct times *t)
{
	struct report_msg msg;

	while (recv(fd, &msg, sizeof(msg), 0) == sizeof(msg)) {
		if (msg.type == REPORT_ERROR) {
			report_sanitize(msg.u.text, sizeof(msg.u.text));
			(void)fprintf(stderr, "jail: %s\n", msg.u.text);
			_exit(1);
		}
		for (uint32_t i = 0; msg.type == REPORT_TIMELINE &&
				     i < msg.value && i < REPORT_STAMPS_MAX;
		     i++)
			if (msg.u.stamp[i].id == STAMP_JAILER_START)
				t->jailer_main = msg.u.stamp[i].ns;
	}
}

/** start_jailer() - as `ampoule run` does. Return: its pid. */
static pid_t start_jailer(struct plan *plan, int jailer, struct times *t)
{
	bool own_id = plan->flags & PLAN_FLAG_OWN_ID;
	struct spawn s = {
		.exec_fd = jailer,
		.name = "ampoule-jailer",
		.fd = plan->fd,
		.fd_count = PLAN_FD_COUNT,
		.space = own_id ? SPAWN_PID_SPACE : SPAWN_USER_SPACE,
	};
	pid_t pid;

	plan->flags |= PLAN_FLAG_NAMESPACES;
	errno = -plan_seal(plan, &s.first_fd);
	if (errno)
		fail("plan");
	t->clone = clock_now_ns();
	errno = -spawn(&s, &pid);
	if (errno)
		fail("clone");
	close(s.first_fd);
	return pid;
}

static void one_of_ours(char **argv, struct times *t)
{
	struct cell cell = CELL_NONE;
	const struct cgroup_limits limits = {
		/* of the usual VM */
		.mem_bytes = 128ull << 20,
		.pids = 9,
		.cpu_percent = 200,
		.cpu_weight = CGROUP_WEIGHT_USUAL,
		.io_weight = CGROUP_WEIGHT_USUAL,
	};
	struct problem why;
	struct plan plan;
	int jailer = open_file(argv[0]), report[2], stamp[2];
	pid_t pid;

	fill_plan(&plan, argv[1]);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, report) < 0 ||
	    pipe2(stamp, O_CLOEXEC) < 0 || dup2(stamp[1], STAMP_FD) < 0)
		fail("pipe");
	plan.fd[PLAN_FD_REPORT] = report[1];
	plan.fd[PLAN_FD_STDOUT] = STAMP_FD;
	plan.stream_kind[1] = PLAN_STREAM_BLOCKING;
	set_out(t);
	if (cell_take(&cell, &why) || cell_enter(&cell, &limits, &plan, &why)) {
		(void)fprintf(stderr, "jail: %s\n", why.text);
		_exit(1);
	}
	plan.fd[PLAN_FD_SLOT] = cell.slot_fd;
	for (int i = 0; i < PLAN_CGROUPS; i++)
		plan.fd[PLAN_FD_CGROUP + i] = cell.join_fd[i];
	pid = start_jailer(&plan, jailer, t);
	close(report[1]);
	hear(report[0], t);
	if (!reap(pid, t))
		_exit(1);
	cell_leave(&cell);
	arrive(t);
	t->first = read_stamp(stamp[0]);
}

/* ------------------------------------------------------------------- peers */

/** number() - @arg with the number of this process for "@". */
static char *number(const char *arg, char out[ARG_BYTES])
{
	const char *at = strchr(arg, '@');
	int before = at ? (int)(at - arg) : 0;

	if (at)
		(void)snprintf(out, ARG_BYTES, "%.*s%d%s", before, arg,
			       getpid(), at + 1);
	else
		(void)snprintf(out, ARG_BYTES, "%s", arg);
	return out;
}

static void one_of_peers(char **argv, struct times *t)
{
	static char text[ARGS_MAX][ARG_BYTES];
	char *args[ARGS_MAX + 1] = {NULL};
	posix_spawn_file_actions_t streams;
	int stamp[2];
	pid_t pid;

	for (int i = 0; i < ARGS_MAX && argv[i]; i++)
		args[i] = number(argv[i], text[i]);
	if (pipe2(stamp, O_CLOEXEC) < 0)
		fail("pipe");
	posix_spawn_file_actions_init(&streams);
	posix_spawn_file_actions_adddup2(&streams, stamp[1], STDOUT_FILENO);
	set_out(t);
	if (!args[0] ||
	    posix_spawnp(&pid, args[0], &streams, NULL, args, environ) ||
	    !reap(pid, t))
		_exit(1);
	arrive(t);
	t->first = read_stamp(stamp[0]);
}

/* --------------------------------------------------------------------- all */

static bool all_well(unsigned count)
{
	bool good = true;
	int status;

	for (unsigned i = 0; i < count; i++) {
		if (wait(&status) < 0 || status)
			good = false;
	}
	return good;
}

static void print(const struct times *t)
{
	const uint64_t at[] = {t->clone, t->jailer_main, t->first, t->ended,
			       t->clean};

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		printf("%llu ",
		       (unsigned long long)(at[i] ? at[i] - t->start : 0));
	printf("%llu\n", (unsigned long long)t->cpu);
}

int main(int argc, char **argv)
{
	unsigned count = argc > 3 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	bool ours = argc == 5 && !strcmp(argv[1], "ours");

	if (!count || count > COUNT_MAX ||
	    (!ours && strcmp(argv[1], "peer") != 0)) {
		(void)fprintf(stderr, "usage: jail ours COUNT JAILER PROGRAM\n"
				      "       jail peer COUNT COMMAND...\n");
		return 2;
	}
	all = mmap(NULL, count * sizeof(*all), PROT_READ | PROT_WRITE,
		   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* Number 3 is the plan's: the pipe's two ends keep it taken. */
	if (all == MAP_FAILED || pipe2(go, O_CLOEXEC) < 0)
		fail("jail");
	for (unsigned i = 0; i < count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			fail("fork");
		if (pid)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		(ours ? one_of_ours : one_of_peers)(argv + 3, &all[i]);
		_exit(0);
	}
	usleep(20000); /* until all are at the start */
	close(go[1]);
	if (!all_well(count))
		return 1;
	for (unsigned i = 0; i < count; i++)
		print(&all[i]);
	return 0;
}
