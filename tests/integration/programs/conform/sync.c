/* SPDX-License-Identifier: Apache-2.0 */
/* sync.c - what pthreads builds on futexes, and futexes themselves. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static atomic_int value, order;

static struct timespec in_ms(clockid_t clock, int ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += ms * 1000000l;
	t.tv_sec += t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

static void *shared_page(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static long futex(void *word, int op, unsigned v, const void *timeout,
		  void *word2, unsigned v3)
{
	return syscall(SYS_futex, word, op, v, timeout, word2, v3);
}

static void test_mutex_kinds(void)
{
	static const int kinds[] = {PTHREAD_MUTEX_NORMAL,
				    PTHREAD_MUTEX_RECURSIVE,
				    PTHREAD_MUTEX_ERRORCHECK};
	for (int i = 0; i < 3; i++) {
		pthread_mutexattr_t attr;
		pthread_mutex_t m;

		pthread_mutexattr_init(&attr);
		E(pthread_mutexattr_settype(&attr, kinds[i]));
		E(pthread_mutex_init(&m, &attr));
		E(pthread_mutex_lock(&m));
		E(pthread_mutex_trylock(&m));
		E(pthread_mutex_unlock(&m));
	}
}

static void *try_lock(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20);

	E(pthread_mutex_trylock(arg));
	E(pthread_mutex_timedlock(arg, &t));
	return NULL;
}

static void test_mutex_timed(void)
{
	pthread_mutex_lock(&lock);
	pthread_join(start(try_lock, &lock), NULL);
}

static void *wait_value(void *arg)
{
	pthread_mutex_lock(&lock);
	while (value == 0)
		pthread_cond_wait(&cond, &lock);
	order++;
	pthread_mutex_unlock(&lock);
	return NULL;
}

static void test_broadcast(void)
{
	pthread_t t[5];

	for (int i = 0; i < 5; i++)
		t[i] = start(wait_value, NULL);
	nap(20);
	pthread_mutex_lock(&lock);
	value = 1;
	E(pthread_cond_broadcast(&cond));
	pthread_mutex_unlock(&lock);
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	say("%d", order);
}

static void test_cond_timed(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20), past = {1, 0};
	pthread_condattr_t attr;
	pthread_cond_t c;

	pthread_mutex_lock(&lock);
	E(pthread_cond_timedwait(&cond, &lock, &t));
	E(pthread_cond_timedwait(&cond, &lock, &past));
	pthread_condattr_init(&attr);
	E(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC));
	pthread_cond_init(&c, &attr);
	t = in_ms(CLOCK_MONOTONIC, 20);
	E(pthread_cond_timedwait(&c, &lock, &t));
}

static void *ping(void *arg)
{
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&lock);
		while (value % 2 != (arg != NULL))
			pthread_cond_wait(&cond, &lock);
		value++;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void test_ping_pong(void)
{
	pthread_t a = start(ping, NULL), b = start(ping, &value);

	pthread_join(a, NULL);
	pthread_join(b, NULL);
	say("%d", value);
}

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static void *try_rw(void *arg)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20);
	int error = pthread_rwlock_tryrdlock(&rw);

	say("read %d", error);
	if (error == 0)
		pthread_rwlock_unlock(&rw);
	say("write %d", pthread_rwlock_trywrlock(&rw));
	say("timed %d", pthread_rwlock_timedwrlock(&rw, &t));
	return NULL;
}

static void test_rwlock(void)
{
	pthread_rwlock_rdlock(&rw);
	pthread_join(start(try_rw, NULL), NULL);
	pthread_rwlock_unlock(&rw);
	pthread_rwlock_wrlock(&rw);
	pthread_join(start(try_rw, NULL), NULL);
}

static pthread_barrier_t barrier;
static void *meet(void *arg)
{
	for (int i = 0; i < 20; i++)
		if (pthread_barrier_wait(&barrier) ==
		    PTHREAD_BARRIER_SERIAL_THREAD)
			order++;
	return NULL;
}

static void test_barrier(void)
{
	pthread_t t[4];

	E(pthread_barrier_init(&barrier, NULL, 4));
	for (int i = 0; i < 4; i++)
		t[i] = start(meet, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	say("%d", order);
}

static pthread_spinlock_t spin;
static void *spin_count(void *arg)
{
	for (int i = 0; i < 500; i++) {
		pthread_spin_lock(&spin);
		value = value + 1;
		pthread_spin_unlock(&spin);
	}
	return NULL;
}

static void test_spin(void)
{
	pthread_t t[3];

	pthread_spin_init(&spin, 0);
	for (int i = 0; i < 3; i++)
		t[i] = start(spin_count, NULL);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	say("%d", value);
}

static void test_semaphore(void)
{
	struct timespec t = in_ms(CLOCK_REALTIME, 20);
	int n;
	sem_t sem;

	T(sem_init(&sem, 0, 2));
	T(sem_wait(&sem));
	T(sem_trywait(&sem));
	T(sem_trywait(&sem));
	T(sem_timedwait(&sem, &t));
	T(sem_post(&sem));
	T(sem_getvalue(&sem, &n));
	say("%d", n);
}

static void test_semaphore_shared(void)
{
	sem_t *sems = shared_page();
	pid_t pid;

	T(sem_init(&sems[0], 1, 0));
	T(sem_init(&sems[1], 1, 0));
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 50; i++) {
			sem_wait(&sems[0]);
			sem_post(&sems[1]);
		}
		_exit(0);
	}
	for (int i = 0; i < 50; i++) {
		sem_post(&sems[0]);
		sem_wait(&sems[1]);
	}
	reap(pid);
}

static void test_semaphore_named(void)
{
	sem_t *sem = PTR(sem_open("/conform", O_CREAT | O_EXCL, 0600, 1));

	if (sem == SEM_FAILED)
		return;
	T(sem_trywait(sem));
	if (fork() == 0) {
		sem_t *same = sem_open("/conform", 0);

		_exit(same == SEM_FAILED ? 1 : sem_post(same));
	}
	reap(-1);
	T(sem_trywait(sem));
	T(sem_unlink("/conform"));
	T(sem_unlink("/conform"));
}

static void test_mutex_shared(void)
{
	struct {
		pthread_mutex_t m;
		int n;
	} *s = shared_page();
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	E(pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED));
	E(pthread_mutex_init(&s->m, &attr));
	for (int i = 0; i < 4; i++) {
		if (fork() != 0)
			continue;
		for (int j = 0; j < 500; j++) {
			pthread_mutex_lock(&s->m);
			s->n++;
			pthread_mutex_unlock(&s->m);
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	say("%d", s->n);
}

static void *lock_and_end(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

static void robust(pthread_mutex_t *m)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	E(pthread_mutex_init(m, &attr));
}

static void test_robust_thread(void)
{
	pthread_mutex_t m;

	robust(&m);
	pthread_join(start(lock_and_end, &m), NULL);
	E(pthread_mutex_lock(&m));
	E(pthread_mutex_consistent(&m));
	E(pthread_mutex_unlock(&m));
	E(pthread_mutex_lock(&m));
}

static void test_robust_process(void)
{
	pthread_mutex_t *m = shared_page();
	pid_t pid;

	robust(m);
	pid = fork();
	if (pid == 0) {
		pthread_mutex_lock(m);
		raise(SIGKILL);
	}
	reap(pid);
	E(pthread_mutex_lock(m));
	E(pthread_mutex_unlock(m));
	E(pthread_mutex_lock(m));
}

static void test_robust_waiter(void)
{
	pthread_mutex_t *m = shared_page();
	volatile char *locked = (char *)m + 2048;
	pid_t pid;

	robust(m);
	pid = fork();
	if (pid == 0) {
		pthread_mutex_lock(m);
		*locked = 1;
		nap(60);
		_exit(0);
	}
	while (!*locked)
		nap(1);
	E(pthread_mutex_lock(m));
	reap(pid);
}

static void test_futex_errors(void)
{
	struct timespec bad = {0, 1000000000};
	unsigned word = 1;

	T(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0));
	T(futex(&word, FUTEX_WAIT, 1, &bad, NULL, 0));
	T(futex((char *)&word + 1, FUTEX_WAKE, 1, NULL, NULL, 0));
	T(futex(BAD, FUTEX_WAIT, 0, NULL, NULL, 0));
	T(futex(BAD, FUTEX_WAKE, 1, NULL, NULL, 0));
	T(futex(&word, FUTEX_WAIT_BITSET, 1, NULL, NULL, 0));
	T(futex(&word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0));
	T(futex(&word, FUTEX_CMP_REQUEUE, 1, NULL, &word, 7));
	T(futex(&word, FUTEX_REQUEUE, (unsigned)-1, NULL, &word, 7));
	T(futex(&word, 77, 1, NULL, NULL, 0));
}

static unsigned words[2];
static void *wait_word(void *arg)
{
	order++;
	if (futex(&words[0], FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0) == 0)
		value++;
	return NULL;
}

static void test_futex_wake(void)
{
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		t[i] = start(wait_word, NULL);
	while (order != 3)
		sched_yield();
	nap(30);
	T(futex(&words[0], FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0));
	T(futex(&words[0], FUTEX_CMP_REQUEUE_PRIVATE, 1, (void *)10, &words[1],
		0));
	T(futex(&words[0], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	T(futex(&words[1], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	say("%d", value);
}

static void *wait_bits(void *arg)
{
	order++;
	futex(&words[0], FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL,
	      (unsigned)(long)arg);
	return NULL;
}

static void test_futex_bits(void)
{
	pthread_t a = start(wait_bits, (void *)1);
	pthread_t b = start(wait_bits, (void *)2);

	while (order != 2)
		sched_yield();
	nap(30);
	T(futex(&words[0], FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 4));
	T(futex(&words[0], FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 2));
	pthread_join(b, NULL);
	T(futex(&words[0], FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0));
	pthread_join(a, NULL);
}

static void test_futex_wake_op(void)
{
	pthread_t t = start(wait_word, NULL);

	while (order != 1)
		sched_yield();
	nap(30);
	words[1] = 5;
	T(futex(&words[1], FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &words[0],
		FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)));
	say("%u", words[0]);
	pthread_join(t, NULL);
}

static void test_futex_shared(void)
{
	unsigned *word = shared_page();
	pid_t pid = fork();

	if (pid == 0) {
		futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
		_exit(word[0] == 1 ? 3 : 4);
	}
	nap(30);
	word[0] = 1;
	OK(futex(word, FUTEX_WAKE, 1, NULL, NULL, 0));
	reap(pid);
}

static void test_futex_absolute(void)
{
	struct timespec t = in_ms(CLOCK_MONOTONIC, 20), past = {0, 0};
	unsigned word = 0;

	T(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &t, NULL, ~0u));
	T(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, &past, NULL, ~0u));
	t = in_ms(CLOCK_REALTIME, 20);
	T(futex(&word, FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME, 0, &t,
		NULL, ~0u));
}

static void test_futex_interrupted(void)
{
	unsigned word = 0;

	handle(SIGALRM, 0);
	ualarm(20000, 0);
	T(futex(&word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
}

const struct test sync_tests[] = {
	{"mutex_kinds", test_mutex_kinds},
	{"mutex_timed", test_mutex_timed},
	{"broadcast", test_broadcast},
	{"cond_timed", test_cond_timed},
	{"ping_pong", test_ping_pong},
	{"rwlock", test_rwlock},
	{"barrier", test_barrier},
	{"spin", test_spin},
	{"semaphore", test_semaphore},
	{"semaphore_shared", test_semaphore_shared},
	{"semaphore_named", test_semaphore_named},
	{"mutex_shared", test_mutex_shared},
	{"robust_thread", test_robust_thread},
	{"robust_process", test_robust_process},
	{"robust_waiter", test_robust_waiter},
	{"futex_errors", test_futex_errors},
	{"futex_wake", test_futex_wake},
	{"futex_bits", test_futex_bits},
	{"futex_wake_op", test_futex_wake_op},
	{"futex_shared", test_futex_shared},
	{"futex_absolute", test_futex_absolute},
	{"futex_interrupted", test_futex_interrupted},
	{NULL, NULL},
};
