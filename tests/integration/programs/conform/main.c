/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - `conform -l` lists the cases, `conform [WORD...]` runs those whose
 * name contains one of the words, each in a process of its own: `# area.case`,
 * its lines, and how it ended. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	CASE_SECONDS = 20
};

static const struct area areas[] = {
	{"process", process_tests}, {"exec", exec_tests},
	{"group", group_tests},     {"signal", signal_tests},
	{"thread", thread_tests},   {"sync", sync_tests},
	{"timer", timer_tests},     {"event", event_tests},
	{"pipe", pipe_tests},       {"unix", unix_tests},
	{"memory", memory_tests},   {"file", file_tests},
	{"inet", inet_tests},       {"limit", limit_tests},
	{"procfs", procfs_tests},   {"fault", fault_tests},
	{"clone", clone_tests},     {"cancel", cancel_tests},
};

static void run_in_child(const char *name, const struct test *test)
{
	sigset_t none;

	setpgid(0, 0);
	signal(SIGTTOU, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
	if (mkdir(name, 0755) != 0 || chdir(name) != 0)
		printf("no directory: %s\n", strerror(errno));
	test->run();
	fflush(stdout);
	exit(0);
}

/* The child's end, or that of our patience. Others may end meanwhile: orphans,
 * where this is the first process. */
static int wait_for(pid_t pid)
{
	struct timespec now, end, left = {1, 0};
	sigset_t set;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += CASE_SECONDS;
	for (;;) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		sigtimedwait(&set, NULL, &left);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end.tv_sec) {
			say("does not end");
			kill(pid, SIGKILL);
		}
	}
}

static void run(const char *name, const struct test *test)
{
	pid_t pid;
	int status;

	printf("# %s\n", name);
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		printf("no process: %s\n", strerror(errno));
		return;
	}
	if (pid == 0)
		run_in_child(name, test);
	status = wait_for(pid);
	kill(-pid, SIGKILL);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	say_status(status);
	fflush(stdout);
}

static int run_all(int argc, char **argv)
{
	bool list = argc > 1 && strcmp(argv[1], "-l") == 0;
	char name[100];

	for (size_t a = 0; a < sizeof(areas) / sizeof(*areas); a++) {
		for (const struct test *t = areas[a].tests; t->name; t++) {
			bool wanted = argc == 1;

			snprintf(name, sizeof(name), "%s.%s", areas[a].name,
				 t->name);
			for (int i = 1; i < argc; i++)
				wanted |= strstr(name, argv[i]) != NULL;
			if (list)
				puts(name);
			else if (wanted)
				run(name, t);
		}
	}
	return 0;
}

/* What a program executed anew says of itself. */
static int executed(int argc, char **argv)
{
	struct sigaction act;
	sigset_t mask, pending;

	for (int i = 2; i < argc; i++)
		say("argument [%.60s]", argv[i]);
	say("X is %s", getenv("X") ? getenv("X") : "not set");
	sigprocmask(SIG_SETMASK, NULL, &mask);
	sigpending(&pending);
	for (int i = 1; i < 65; i++) {
		if (sigaction(i, NULL, &act) == 0 && act.sa_handler != SIG_DFL)
			say("%d ignored %d", i, act.sa_handler == SIG_IGN);
		if (sigismember(&mask, i) == 1)
			say("%d blocked, pending %d", i,
			    sigismember(&pending, i));
	}
	for (int i = 90; i < 110; i++)
		if (fcntl(i, F_GETFD) >= 0)
			say("fd %d is open", i);
	return 9;
}

int main(int argc, char **argv)
{
	sigset_t set;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && strcmp(argv[1], "executed") == 0)
		return executed(argc, argv);
	if (argc > 1 && strcmp(argv[1], "sleep") == 0)
		return nap(atoi(argv[2])), 0;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGTTOU, SIG_IGN);
	return run_all(argc, argv);
}
