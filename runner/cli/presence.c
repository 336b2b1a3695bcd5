/* SPDX-License-Identifier: Apache-2.0 */
/* presence.c - a run's place among the VMs of its user. */
#include "runner/cli/presence.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

static uint64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_SEC + (uint64_t)now.tv_nsec;
}

static void append_process(const struct presence *p, const char *word,
			   pid_t pid)
{
	struct process_id id;
	char line[80];

	if (p->claim.record_fd < 0 || process_identify(pid, &id))
		return;
	(void)record_process(word, &id, line, sizeof(line));
	(void)claim_append(&p->claim, line);
}

int presence_claim(struct presence *p, const struct settings *s,
		   char *const *argv, const char *base, struct problem *why)
{
	const struct record record = {
		.created_ns = wall_ns(),
		.mem_bytes = s->limits.value[PROFILE_MEM],
		.detached = s->detach,
		.keep = s->detach && !s->remove,
	};
	cleanup_free char *head = record_head(&record, argv);
	int err = head ? 0 : problem_set(why, EXIT_AMPOULE, "out of memory");

	p->keep = record.keep;
	p->log.half_bytes = s->log_bytes / 2;
	if (!err)
		err = registry_open(&p->registry, true, why);
	if (!err)
		err = registry_claim(&p->registry, s->name, base, head,
				     &p->claim, why);
	if (!err && !s->detach)
		append_process(p, "monitor", getpid());
	return err && !s->name && !s->detach ? 0 : err;
}

void presence_memory(struct presence *p, uint64_t bytes)
{
	char line[40];

	(void)snprintf(line, sizeof(line), "memory %llu\n",
		       (unsigned long long)bytes);
	if (p->claim.record_fd >= 0)
		(void)claim_append(&p->claim, line);
}

/** become_monitor() - nothing of the shell is kept: no session, no terminal, no
 * stream. Our own messages go the way of the program's stderr. */
static int become_monitor(struct presence *p)
{
	cleanup_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int streams[2] = {-1, -1}, err;

	if (setsid() < 0 || null < 0)
		return -errno;
	(void)prctl(PR_SET_NAME, "ampoule-monitor");
	(void)signal(SIGPIPE, SIG_IGN);
	err = vmlog_pipes(&p->log, streams);
	if (!err && (dup2(null, 0) < 0 || dup2(streams[0], 1) < 0 ||
		     dup2(streams[1], 2) < 0))
		err = -errno;
	cleanup_fd_run(&streams[0]);
	cleanup_fd_run(&streams[1]);
	p->log.dir_fd = p->claim.dir_fd;
	append_process(p, "monitor", getpid());
	return err;
}

/** await_monitor() - what it says, or that it is gone. */
static int await_monitor(struct presence *p, int fd)
{
	struct problem said = {0};
	ssize_t n;

	do
		n = recv(fd, &said, sizeof(said), 0);
	while (n < 0 && errno == EINTR);
	if (n == sizeof(said) && said.exit_code) {
		said.text[sizeof(said.text) - 1] = '\0';
		return problem_say(&said);
	}
	if (n == sizeof(said)) {
		(void)puts(p->claim.name);
		return fflush(stdout) ? EXIT_AMPOULE : 0;
	}
	say("the monitor of the VM was killed before the VM was up");
	return EXIT_AMPOULE;
}

int presence_detach(struct presence *p, int *ret_code, struct problem *why)
{
	cleanup_fd int ours = -1, theirs = -1;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot make a socket pair: %s",
				   error_text(errno));
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot start the VM's monitor: %s",
				   error_text(errno));
	if (!pid) {
		int err = become_monitor(p);

		p->detached = true;
		p->ready_fd = steal_fd(&theirs);
		return err ? problem_set(why, EXIT_AMPOULE,
					 "cannot set up the VM's monitor: %s",
					 error_text(err))
			   : 1;
	}
	cleanup_fd_run(&theirs);
	theirs = -1;
	/* The entry is the monitor's now: our end would leave it locked. */
	cleanup_fd_run(&p->claim.record_fd);
	p->claim.record_fd = -1;
	*ret_code = await_monitor(p, ours);
	return 0;
}

void presence_watch(const struct presence *p, pid_t pid)
{
	append_process(p, "vm", pid);
}

static int tell_command(struct presence *p, const struct problem *what)
{
	ssize_t n = send(p->ready_fd, what, sizeof(*what), MSG_NOSIGNAL);
	int err = n < 0 ? -errno : 0;

	cleanup_fd_run(&p->ready_fd);
	p->ready_fd = -1;
	return err;
}

/** let_go() - of what the caller had open and did not mean for a VM: a pipe
 * whose end somebody waits for, a lock. All that is ours closes on exec; what
 * does not has come through one. */
static void let_go(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int fd = (int)strtol(entry->d_name, NULL, 10);
		int flags = fcntl(fd, F_GETFD);

		if (fd > STDERR_FILENO && flags >= 0 && !(flags & FD_CLOEXEC))
			close(fd);
	}
	if (dir)
		closedir(dir);
}

int presence_confirm(struct presence *p)
{
	const struct problem fine = {0};
	int err;

	if (p->ready_fd < 0)
		return 0;
	/* From here on it keeps nothing of its caller's busy. */
	let_go();
	err = chdir("/") < 0 ? -errno : tell_command(p, &fine);
	if (err)
		p->keep = false;
	return err;
}

bool presence_was_killed(const struct presence *p)
{
	return p->claim.dir_fd >= 0 &&
	       faccessat(p->claim.dir_fd, REGISTRY_KILLED, F_OK, 0) == 0;
}

int presence_fail(struct presence *p, const struct problem *why)
{
	int code = why->exit_code;

	/* The name is free before anybody is told. */
	if (p->ready_fd >= 0)
		p->keep = false;
	presence_end(p, code, why->text);
	if (p->ready_fd >= 0)
		(void)tell_command(p, why);
	else
		(void)problem_say(why);
	return code;
}

void presence_end(struct presence *p, int exit_code, const char *error)
{
	cleanup_free char *end = NULL;

	if (p->claim.record_fd < 0)
		return;
	for (int i = 0; i < 2; i++)
		vmlog_take(&p->log, i);
	vmlog_close(&p->log);
	end = record_end(exit_code, wall_ns(), error);
	if (end)
		(void)claim_append(&p->claim, end);
	claim_end(&p->registry, &p->claim, p->keep);
	registry_close(&p->registry);
}
