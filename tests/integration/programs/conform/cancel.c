/* SPDX-License-Identifier: Apache-2.0 */
/* cancel.c - threads that are cancelled, and those that signals reach. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_int counter, flag, told;

static void cleanup(void *arg)
{
	while (!told)
		sched_yield();
	say("cleanup %s", (char *)arg);
}

static void *wait_to_die(void *arg)
{
	pthread_cleanup_push(cleanup, "outer");
	pthread_cleanup_push(cleanup, "inner");
	flag = 1;
	for (;;)
		nap(1000);
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	return NULL;
}

static void test_cancel(void)
{
	pthread_t t = start(wait_to_die, NULL);

	while (!flag)
		sched_yield();
	E(pthread_cancel(t));
	told = 1;
	say("%d", join(t) == PTHREAD_CANCELED);
}

static void *spin(void *arg)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	flag = 1;
	for (;;)
		counter++;
	return NULL;
}

static void test_cancel_async(void)
{
	pthread_t t = start(spin, NULL);

	while (!flag)
		sched_yield();
	E(pthread_cancel(t));
	say("%d", join(t) == PTHREAD_CANCELED);
}

static void *not_now(void *arg)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	flag = 1;
	nap(50);
	say("still here");
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	pthread_testcancel();
	say("not here");
	return NULL;
}

static void test_cancel_disabled(void)
{
	pthread_t t = start(not_now, NULL);

	while (!flag)
		sched_yield();
	E(pthread_cancel(t));
	say("%d", join(t) == PTHREAD_CANCELED);
}

static int ends[2];
static void *read_for_ever(void *arg)
{
	char c;

	flag = 1;
	read(ends[0], &c, 1);
	return NULL;
}

static void test_cancel_read(void)
{
	pthread_t t;

	DO(pipe(ends));
	t = start(read_for_ever, NULL);
	while (!flag)
		sched_yield();
	nap(10);
	E(pthread_cancel(t));
	say("%d", join(t) == PTHREAD_CANCELED);
}

static void *masks(void *arg)
{
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	say("inherited %d", sigismember(&set, SIGUSR1));
	sigpending(&set);
	say("pending %d", sigismember(&set, SIGUSR1));
	raise(SIGUSR1);
	sigpending(&set);
	say("pending %d", sigismember(&set, SIGUSR1));
	return NULL;
}

static void test_masks(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	join(start(masks, NULL));
	sigpending(&set);
	say("ours %d", sigismember(&set, SIGUSR1));
}

static pthread_t catcher;
static void who(int number)
{
	flag = pthread_equal(pthread_self(), catcher) ? 2 : 3;
}

static void *wait_for_signal(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	if (arg)
		pthread_sigmask(SIG_SETMASK, &set, NULL);
	flag = 1;
	while (flag == 1)
		nap(1);
	return NULL;
}

static void test_kill_thread(void)
{
	struct sigaction act = {.sa_handler = who};

	sigaction(SIGUSR1, &act, NULL);
	catcher = start(wait_for_signal, NULL);
	while (!flag)
		sched_yield();
	E(pthread_kill(catcher, 0));
	E(pthread_kill(catcher, SIGUSR1));
	join(catcher);
	say("by the right one %d", flag == 2);
}

static void test_process_signal(void)
{
	struct sigaction act = {.sa_handler = who};
	sigset_t set;

	sigaction(SIGUSR1, &act, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	catcher = start(wait_for_signal, &set);
	while (!flag)
		sched_yield();
	T(kill(getpid(), SIGUSR1));
	join(catcher);
	say("by the one that lets it %d", flag == 2);
}

static void *wait_set(void *arg)
{
	int number = 0;

	sigwait(arg, &number);
	return (void *)(long)number;
}

static void test_sigwait(void)
{
	sigset_t set;
	pthread_t t;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	t = start(wait_set, &set);
	T(kill(getpid(), SIGUSR2));
	say("%ld", (long)join(t));
}

const struct test cancel_tests[] = {
	{"cancel", test_cancel},
	{"cancel_async", test_cancel_async},
	{"cancel_disabled", test_cancel_disabled},
	{"cancel_read", test_cancel_read},
	{"masks", test_masks},
	{"kill_thread", test_kill_thread},
	{"process_signal", test_process_signal},
	{"sigwait", test_sigwait},
	{NULL, NULL},
};
