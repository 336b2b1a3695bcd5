/* SPDX-License-Identifier: Apache-2.0 */
/* turns.c - cases of threads that never sleep: others get their turn. */
#include "say.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile bool started, stop;

static void *spin(void *arg)
{
	(void)arg;
	started = true;
	while (!stop)
		;
	return NULL;
}

/* Neither of two sleeps: the first waits for the second, then the second for
 * the first. */
static void test_turns_threads(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, spin, NULL);
	while (!started)
		;
	stop = true;
	pthread_join(thread, NULL);
	say("both had their turn");
}

static void test_turns_processes(void)
{
	int p[2], status = 0;
	pid_t busy[3];
	char c;

	if (pipe(p) != 0)
		return;
	for (int i = 0; i < 3; i++) {
		busy[i] = fork();
		if (busy[i] == 0) {
			if (write(p[1], "x", 1) == 1)
				for (;;)
					;
			_exit(1);
		}
	}
	for (int i = 0; i < 3; i++)
		say("read %zd", read(p[0], &c, 1));
	for (int i = 0; i < 3; i++) {
		kill(busy[i], SIGTERM);
		waitpid(busy[i], &status, 0);
		say("ended by %d", WTERMSIG(status));
	}
}

const struct group turn_groups[] = {
	{"turns_threads", test_turns_threads},
	{"turns_processes", test_turns_processes},
	{NULL, NULL},
};
