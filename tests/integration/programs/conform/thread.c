/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c - threads as pthreads sees them: life, cancellation, signals. */
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

static atomic_int counter, flag;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *add(void *arg)
{
	return (char *)arg + 1;
}

static void test_result(void)
{
	say("%ld", (long)join(start(add, (void *)41)));
}

static void *leave(void *arg)
{
	pthread_exit((void *)7);
}

static void test_exit(void)
{
	say("%ld", (long)join(start(leave, NULL)));
}

static void *count(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock);
		counter = counter + 1;
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void test_mutex(void)
{
	pthread_t t[8];

	for (int i = 0; i < 8; i++)
		t[i] = start(count, NULL);
	for (int i = 0; i < 8; i++)
		pthread_join(t[i], NULL);
	say("%d", counter);
}

static void test_many(void)
{
	pthread_t t[64];
	long sum = 0;
	void *result;

	for (long i = 0; i < 64; i++)
		t[i] = start(add, (void *)i);
	for (int i = 0; i < 64; i++) {
		pthread_join(t[i], &result);
		sum += (long)result;
	}
	say("%ld", sum);
}

static void test_one_after_another(void)
{
	long sum = 0;
	void *result;

	for (long i = 0; i < 200; i++) {
		pthread_join(start(add, (void *)i), &result);
		sum += (long)result;
	}
	say("%ld", sum);
}

static void *ids(void *arg)
{
	say("same process %d, other thread %d", getpid() == *(pid_t *)arg,
	    syscall(SYS_gettid) != getpid());
	say("parent %d", getppid() == ((pid_t *)arg)[1]);
	return NULL;
}

static void test_ids(void)
{
	pid_t mine[] = {getpid(), getppid()};

	join(start(ids, mine));
}

static void *set_flag(void *arg)
{
	nap(20);
	flag = 1;
	return NULL;
}

static void test_detached(void)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	E(pthread_create(&t, &attr, set_flag, NULL));
	while (!flag)
		sched_yield();
	say("ran");
}

static void test_stack_size(void)
{
	pthread_attr_t attr, real;
	size_t size;
	pthread_t t;

	pthread_attr_init(&attr);
	E(pthread_attr_setstacksize(&attr, 1 << 20));
	E(pthread_attr_setstacksize(&attr, 16));
	pthread_attr_getstacksize(&attr, &size);
	say("%zu", size);
	E(pthread_create(&t, &attr, add, NULL));
	join(t);
	E(pthread_getattr_np(pthread_self(), &real));
	E(pthread_attr_getstacksize(&real, &size));
	say("%d", size >= 65536);
}

static void *overflow(void *arg)
{
	volatile char big[65536];

	for (int i = 65535; i >= 0; i -= 4096)
		big[i] = 1;
	return overflow((void *)&big[1]);
}

static void test_stack_guard(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct rlimit none = {0, 0};

		setrlimit(RLIMIT_CORE, &none);
		join(start(overflow, NULL));
	}
	reap(pid);
}

static __thread int local = 5;
static void *use_local(void *arg)
{
	say("starts at %d", local);
	local = 9;
	return NULL;
}

static void test_local(void)
{
	local = 6;
	join(start(use_local, NULL));
	say("stays at %d", local);
}

static pthread_key_t key;
static void destroy(void *value)
{
	say("destroyed %ld", (long)value);
}

static void *use_key(void *arg)
{
	say("none %d", pthread_getspecific(key) == NULL);
	pthread_setspecific(key, arg);
	return NULL;
}

static void test_key(void)
{
	E(pthread_key_create(&key, destroy));
	pthread_setspecific(key, (void *)1);
	join(start(use_key, (void *)2));
	say("%ld", (long)pthread_getspecific(key));
	E(pthread_key_delete(key));
	E(pthread_key_delete(key));
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static void only(void)
{
	counter++;
}

static void *use_once(void *arg)
{
	pthread_once(&once, only);
	return NULL;
}

static void test_once(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		t[i] = start(use_once, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	say("%d", counter);
}

static void *end_all(void *arg)
{
	exit(5);
}

static void test_exit_by_thread(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		start(end_all, NULL);
		for (;;)
			pause();
	}
	reap(pid);
}

static void *last(void *arg)
{
	nap(50);
	_exit(6);
}

static void test_leader_exits(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		start(last, NULL);
		syscall(SYS_exit, 1);
	}
	reap(pid);
}

static void *crash(void *arg)
{
	*(volatile int *)16 = 1;
	return NULL;
}

static void test_crash(void)
{
	struct rlimit none = {0, 0};
	pid_t pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &none);
		start(crash, NULL);
		for (;;)
			pause();
	}
	reap(pid);
}

static void *fork_here(void *arg)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(syscall(SYS_gettid) == getpid() ? 11 : 12);
	reap(pid);
	return NULL;
}

static void test_fork_by_thread(void)
{
	join(start(fork_here, NULL));
}

static void before(void)
{
	say("before");
}

static void after(void)
{
	counter = 1;
}

static void test_atfork(void)
{
	pid_t pid;

	E(pthread_atfork(before, NULL, after));
	pid = fork();
	if (pid == 0)
		_exit(counter);
	reap(pid);
}

static void *map_some(void *arg)
{
	for (int i = 0; i < 100; i++) {
		char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		for (int j = 0; j < 65536; j += 4096) {
			if (p[j])
				counter++;
			p[j] = 1;
		}
		munmap(p, 65536);
	}
	return NULL;
}

static void test_mappings(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		t[i] = start(map_some, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	say("not zero %d", counter);
}

static void *allocate(void *arg)
{
	for (int i = 1; i < 2000; i++)
		free(malloc((size_t)(i * 37 % 5000)));
	return NULL;
}

static void test_malloc(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		t[i] = start(allocate, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	say("done");
}

static void test_affinity(void)
{
	cpu_set_t set, old;

	CPU_ZERO(&set);
	OK(sched_getaffinity(0, sizeof(old), &old));
	T(sched_setaffinity(0, sizeof(set), &set));
	CPU_SET(0, &set);
	T(sched_setaffinity(0, sizeof(set), &set));
	T(sched_getaffinity(0, sizeof(set), &set));
	say("%d", CPU_COUNT(&set));
	T(sched_getcpu());
	T(sched_setaffinity(0x3ffffff, sizeof(set), &set));
}

static void test_names(void)
{
	char name[16] = "";

	E(pthread_setname_np(pthread_self(), "short"));
	E(pthread_getname_np(pthread_self(), name, sizeof(name)));
	say("%s", name);
	E(pthread_setname_np(pthread_self(), "sixteen letters!"));
}

static void test_cpu_clock(void)
{
	struct timespec t;
	clockid_t id;

	E(pthread_getcpuclockid(pthread_self(), &id));
	T(clock_gettime(id, &t));
	T(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t));
	say("some %d", t.tv_sec == 0 && t.tv_nsec > 0);
}

const struct test thread_tests[] = {
	{"result", test_result},
	{"exit", test_exit},
	{"mutex", test_mutex},
	{"many", test_many},
	{"one_after_another", test_one_after_another},
	{"ids", test_ids},
	{"detached", test_detached},
	{"stack_size", test_stack_size},
	{"stack_guard", test_stack_guard},
	{"local", test_local},
	{"key", test_key},
	{"once", test_once},
	{"exit_by_thread", test_exit_by_thread},
	{"leader_exits", test_leader_exits},
	{"crash", test_crash},
	{"fork_by_thread", test_fork_by_thread},
	{"atfork", test_atfork},
	{"mappings", test_mappings},
	{"malloc", test_malloc},
	{"affinity", test_affinity},
	{"names", test_names},
	{"cpu_clock", test_cpu_clock},
	{NULL, NULL},
};
