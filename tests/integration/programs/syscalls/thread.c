/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c - cases of threads: turns, what they share, signals to one of them,
 * and the ends of them all. */
#include "say.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define THREADS 8

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int counter;
static _Thread_local int own;

/* In a child, since most of these cases end the process. */
static void in_child(void (*run)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		run();
		_exit(0);
	}
	waitpid(child, &status, 0);
	if (WIFSIGNALED(status))
		say("killed by %d", WTERMSIG(status));
	else
		say("exited %d", WEXITSTATUS(status));
}

static void *count_up(void *arg)
{
	own = (int)(long)arg;
	for (int i = 0; i < 2000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
		if (own != (int)(long)arg)
			return (void *)-1;
	}
	return arg;
}

static void test_threads(void)
{
	pthread_t t[THREADS];
	long sum = 0;

	counter = 0;
	for (long i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, count_up, (void *)(i + 1));
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(t[i], &result);
		sum += (long)result;
	}
	say("counted %d, sum %ld, ours %d", counter, sum, own);
}

static atomic_int go;

static void *spin(void *arg)
{
	while (!go)
		;
	return NULL;
}

/* Nobody calls the kernel: only the end of a turn lets the others run. */
static void test_turns(void)
{
	pthread_t t[3];

	go = 0;
	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, spin, NULL);
	for (volatile int i = 0; i < 3000000; i++)
		;
	go = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	say("all had their turn");
}

/* Vector registers hold over turns that others use for theirs. */
static void *keep_registers(void *arg)
{
	double want = (double)(long)arg, got = 0;
	int bad = 0;

	for (int i = 0; i < 300; i++) {
		__asm__ volatile("movsd %1, %%xmm13\n\t"
				 "mov $100000, %%ecx\n"
				 "1:	dec %%ecx\n\t"
				 "jnz 1b\n\t"
				 "movsd %%xmm13, %0"
				 : "=m"(got)
				 : "m"(want)
				 : "xmm13", "ecx");
		bad += got != want;
	}
	return (void *)(long)bad;
}

static void test_registers(void)
{
	pthread_t t[4];
	long bad = 0;

	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, keep_registers, (void *)(i + 5));
	for (int i = 0; i < 4; i++) {
		void *result;

		pthread_join(t[i], &result);
		bad += (long)result;
	}
	say("registers lost %ld times", bad);
}

static void *wait_for_turn(void *arg)
{
	pthread_mutex_lock(&mutex);
	while (counter != (int)(long)arg)
		pthread_cond_wait(&cond, &mutex);
	say("thread %d", counter++);
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&mutex);
	return NULL;
}

static void test_conditions(void)
{
	pthread_t t[4];

	counter = 0;
	for (long i = 3; i >= 0; i--)
		pthread_create(&t[i], NULL, wait_for_turn, (void *)i);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
}

static atomic_int handled_by, handled;

static void note(int signal)
{
	handled_by = gettid();
	handled++;
}

static atomic_int waiter_tid, waiter_end;

static void *take_signals(void *arg)
{
	waiter_tid = gettid();
	while (!waiter_end)
		usleep(1000);
	return NULL;
}

static void test_thread_signals(void)
{
	struct sigaction act = {.sa_handler = note};
	sigset_t usr1;
	pthread_t t;

	sigaction(SIGUSR1, &act, NULL);
	sigaction(SIGUSR2, &act, NULL);
	handled = waiter_tid = waiter_end = 0;
	pthread_create(&t, NULL, take_signals, NULL);
	while (!waiter_tid)
		usleep(1000);
	syscall(SYS_tgkill, getpid(), waiter_tid, SIGUSR1);
	while (!handled)
		usleep(1000);
	say("to the thread: %d", handled_by == waiter_tid);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	kill(getpid(), SIGUSR1);
	while (handled < 2)
		usleep(1000);
	say("to who does not block it: %d", handled_by == waiter_tid);
	raise(SIGUSR1);
	usleep(1000);
	say("ours is blocked: %d", handled);
	sigprocmask(SIG_UNBLOCK, &usr1, NULL);
	say("and comes later: %d %d", handled, handled_by == gettid());
	waiter_end = 1;
	pthread_join(t, NULL);
	S(tgkill, getpid(), 0x3ffffff, 0);
	S(tgkill, 1 << 20, 1 << 20, SIGUSR1);
	S(tkill, 1 << 20, 0);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGUSR2, SIG_DFL);
}

static void *sleep_long(void *arg)
{
	sleep(1000);
	return NULL;
}

static void *leave(void *arg)
{
	usleep(10000);
	syscall(SYS_exit_group, 23);
	return NULL;
}

static void others_are_ended(void)
{
	pthread_t t;

	pthread_create(&t, NULL, sleep_long, NULL);
	pthread_create(&t, NULL, leave, NULL);
	sleep(1000);
}

static void *outlive(void *arg)
{
	usleep(20000);
	say("the leader is gone, the process is not: %d",
	    kill(getpid(), 0) == 0);
	syscall(SYS_exit, 31);
	return NULL;
}

static void leader_leaves(void)
{
	pthread_t t;

	pthread_create(&t, NULL, outlive, NULL);
	syscall(SYS_exit, 30);
}

static void *execute(void *arg)
{
	char *args[] = {"x", "execed", "by a thread", NULL};

	usleep(10000);
	execve("/proc/self/exe", args, (char *[]){NULL});
	return NULL;
}

static void thread_execs(void)
{
	pthread_t t;

	pthread_create(&t, NULL, sleep_long, NULL);
	pthread_create(&t, NULL, execute, NULL);
	sleep(1000);
}

static void *crash(void *arg)
{
	usleep(10000);
	*(volatile int *)arg = 1;
	return NULL;
}

static void thread_crashes(void)
{
	pthread_t t;

	pthread_create(&t, NULL, crash, BAD);
	sleep(1000);
}

static void *cancelled(void *arg)
{
	pause();
	return NULL;
}

static void test_thread_ends(void)
{
	void *result;
	pthread_t t;

	in_child(others_are_ended);
	in_child(leader_leaves);
	in_child(thread_execs);
	in_child(thread_crashes);
	pthread_create(&t, NULL, cancelled, NULL);
	usleep(1000);
	pthread_cancel(t);
	pthread_join(t, &result);
	say("cancelled %d", result == PTHREAD_CANCELED);
}

/* Threads come and go for a while. */
static void test_many_threads(void)
{
	int ended = 0;

	for (int round = 0; round < 20; round++) {
		pthread_t t[20];

		counter = 0;
		for (int i = 0; i < 20; i++)
			pthread_create(&t[i], NULL, take_signals, NULL);
		waiter_end = 1;
		for (int i = 0; i < 20; i++)
			ended += pthread_join(t[i], NULL) == 0;
		waiter_end = 0;
	}
	say("ended %d", ended);
}

/* A fork has the one thread that called it. */
static void test_fork_of_threads(void)
{
	pthread_t t;
	pid_t child;
	int status;

	waiter_end = waiter_tid = 0;
	pthread_create(&t, NULL, take_signals, NULL);
	while (!waiter_tid)
		usleep(1000);
	child = fork();
	if (child == 0)
		_exit(syscall(SYS_tkill, (int)waiter_tid, 0) == 0 &&
		      getpid() == gettid());
	waitpid(child, &status, 0);
	say("leader and its own process: %d", WEXITSTATUS(status));
	waiter_end = 1;
	pthread_join(t, NULL);
}

const struct group thread_groups[] = {
	{"threads", test_threads},
	{"thread_turns", test_turns},
	{"registers", test_registers},
	{"conditions", test_conditions},
	{"thread_signals", test_thread_signals},
	{"thread_ends", test_thread_ends},
	{"many_threads", test_many_threads},
	{"fork_of_threads", test_fork_of_threads},
	{NULL, NULL},
};
