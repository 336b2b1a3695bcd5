/* SPDX-License-Identifier: Apache-2.0 */
/* timer.c - cases of timers that send signals, of sleeps that signals end, and
 * of futexes. Nothing that is said depends on how fast the machine is. */
#include "say.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static volatile sig_atomic_t caught, last_int, last_code, last_overrun;

static void handler(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	caught++;
	last_code = info->si_code;
	last_int = info->si_int;
	if (info->si_overrun > last_overrun)
		last_overrun = info->si_overrun;
}

static void catch_signal(int signal, int flags)
{
	struct sigaction a = {.sa_sigaction = handler,
			      .sa_flags = SA_SIGINFO | flags};

	sigaction(signal, &a, NULL);
	caught = 0;
}

static void block(int how, int signal)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signal);
	sigprocmask(how, &set, NULL);
}

static const struct itimerspec soon = {.it_value = {0, 5000000}};
static const struct itimerspec hour = {.it_value = {3600, 0},
				       .it_interval = {7200, 5}};
static const struct itimerspec off;

static void test_timer_errors(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 99};
	struct itimerspec bad = {.it_value = {0, 1000000000}}, now;
	int id = -1;

	S(timer_create, CLOCK_MONOTONIC, &e, &id);
	e.sigev_signo = SIGUSR1;
	e.sigev_notify = 77;
	S(timer_create, CLOCK_MONOTONIC, &e, &id);
	e.sigev_notify = SIGEV_THREAD_ID;
	S(timer_create, CLOCK_MONOTONIC, &e, &id);
	e.sigev_notify = SIGEV_NONE;
	S(timer_create, 99, &e, &id);
	S(timer_create, CLOCK_MONOTONIC_RAW, &e, &id);
	S(timer_create, CLOCK_MONOTONIC, BAD, &id);
	S(timer_create, CLOCK_MONOTONIC, &e, BAD);
	S(timer_settime, 12345, 0, &hour, NULL);
	S(timer_gettime, 12345, &now);
	S(timer_getoverrun, 12345);
	S(timer_delete, 12345);
	OK(timer_create, CLOCK_MONOTONIC, &e, &id);
	S(timer_settime, id, 0, NULL, NULL);
	S(timer_settime, id, 0, BAD, NULL);
	S(timer_settime, id, 0, &bad, NULL);
	S(timer_settime, id, 0, &hour, NULL);
	S(timer_gettime, id, &now);
	say("an hour %d, then %lld.%09ld", now.it_value.tv_sec >= 3500,
	    (long long)now.it_interval.tv_sec, now.it_interval.tv_nsec);
	S(timer_gettime, id, BAD);
	S(timer_delete, id);
	S(timer_delete, id);
}

/* Waits for @signal, which may come as soon as the timer is set. */
static void soon_once(int id, int signal)
{
	const unsigned long none = 0;

	block(SIG_BLOCK, signal);
	S(timer_settime, id, 0, &soon, NULL);
	S(rt_sigsuspend, &none, 8);
	block(SIG_UNBLOCK, signal);
}

static void test_timer_signals(void)
{
	struct sigevent e = {.sigev_notify = SIGEV_SIGNAL,
			     .sigev_signo = SIGRTMIN + 1,
			     .sigev_value.sival_int = 4711};
	const struct itimerspec past = {.it_value = {0, 1},
					.it_interval = {0, 500000}};
	struct itimerspec old;
	int id, second;

	catch_signal(SIGRTMIN + 1, 0);
	OK(timer_create, CLOCK_MONOTONIC, &e, &id);
	soon_once(id, SIGRTMIN + 1);
	say("caught %d code %d int %d overrun %d", caught, last_code, last_int,
	    last_overrun);
	S(timer_getoverrun, id);
	S(timer_gettime, id, &old);
	say("over: %ld", old.it_value.tv_nsec);
	block(SIG_BLOCK, SIGRTMIN + 1);
	S(timer_settime, id, TIMER_ABSTIME, &past, NULL);
	nanosleep(&(struct timespec){0, 20000000}, NULL);
	block(SIG_UNBLOCK, SIGRTMIN + 1);
	say("caught more %d, overruns %d", caught > 1, last_overrun > 20);
	S(timer_settime, id, 0, &off, &old);
	say("interval was %ld", old.it_interval.tv_nsec);
	block(SIG_BLOCK, SIGRTMIN + 1);
	S(timer_settime, id, TIMER_ABSTIME, &past, NULL);
	S(timer_settime, id, 0, &off, NULL);
	caught = 0;
	block(SIG_UNBLOCK, SIGRTMIN + 1);
	S(timer_delete, id);
	e.sigev_notify = SIGEV_THREAD_ID;
	e._sigev_un._tid = (int)syscall(SYS_gettid);
	OK(timer_create, CLOCK_REALTIME, &e, &id);
	OK(timer_create, CLOCK_BOOTTIME, NULL, &second);
	say("two timers %d", id != second);
	caught = 0;
	soon_once(id, SIGRTMIN + 1);
	say("caught %d", caught);
	S(timer_delete, id);
	catch_signal(SIGALRM, 0);
	soon_once(second, SIGALRM);
	say("caught %d, its id %d", caught, last_int == second);
	S(timer_delete, second);
}

static void test_timer_cpu(void)
{
	const struct itimerval often = {.it_value = {0, 2000},
					.it_interval = {0, 2000}};
	const struct itimerval none = {0};
	struct itimerval was;
	int id;

	catch_signal(SIGPROF, SA_RESTART);
	S(setitimer, ITIMER_PROF, &often, NULL);
	while (caught < 3)
		;
	S(setitimer, ITIMER_PROF, &none, &was);
	say("interval %ld", was.it_interval.tv_usec);
	catch_signal(SIGVTALRM, SA_RESTART);
	S(setitimer, ITIMER_VIRTUAL, &often, NULL);
	while (caught < 2)
		;
	S(setitimer, ITIMER_VIRTUAL, &none, NULL);
	S(setitimer, 7, &none, NULL);
	S(getitimer, ITIMER_VIRTUAL, &was);
	say("left %ld", was.it_value.tv_usec);
	catch_signal(SIGALRM, SA_RESTART);
	OK(timer_create, CLOCK_PROCESS_CPUTIME_ID, NULL, &id);
	S(timer_settime, id, 0, &soon, NULL);
	while (!caught)
		;
	S(timer_delete, id);
	caught = 0;
	OK(timer_create, CLOCK_THREAD_CPUTIME_ID, NULL, &id);
	S(timer_settime, id, 0, &soon, NULL);
	while (!caught)
		;
	S(timer_delete, id);
}

static void test_timers_after(void)
{
	struct itimerval minute = {.it_value = {60, 0}}, now;
	struct itimerspec spec;
	int id, status = 0;
	pid_t pid;

	S(setitimer, ITIMER_REAL, &minute, NULL);
	OK(timer_create, CLOCK_MONOTONIC, NULL, &id);
	pid = fork();
	if (pid == 0) {
		S(getitimer, ITIMER_REAL, &now);
		say("child's alarm %ld", now.it_value.tv_sec);
		S(timer_gettime, id, &spec);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	say("child %d", status);
	OK(alarm, 0);
	S(timer_delete, id);
}

/* A thousand timers, some stopped, in no order. */
static void test_timer_many(void)
{
	int id[1000], left = 0;

	catch_signal(SIGALRM, SA_RESTART);
	block(SIG_BLOCK, SIGALRM);
	for (int i = 0; i < 1000; i++) {
		const struct itimerspec t = {
			.it_value = {0, 1000 + i * 7919 % 1000 * 20000}};
		struct sigevent e = {.sigev_notify = SIGEV_NONE};

		if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &e, &id[i]) ||
		    syscall(SYS_timer_settime, id[i], 0, &t, NULL))
			say("timer %d: %s", i, strerrorname_np(errno));
	}
	for (int i = 0; i < 1000; i += 3)
		syscall(SYS_timer_settime, id[i], 0, &hour, NULL);
	nanosleep(&(struct timespec){0, 30000000}, NULL);
	for (int i = 0; i < 1000; i++) {
		struct itimerspec now;

		syscall(SYS_timer_gettime, id[i], &now);
		left += now.it_value.tv_sec != 0 || now.it_value.tv_nsec != 0;
		syscall(SYS_timer_delete, id[i]);
	}
	say("%d still run", left);
	block(SIG_UNBLOCK, SIGALRM);
}

static void say_rest(const struct timespec *rest)
{
	say("rest %d", rest->tv_sec >= 3500);
}

static void test_sleep_interrupted(void)
{
	const struct timespec long_time = {3600, 0};
	struct timespec rest = {0, 0}, until;
	const struct itimerval tick = {.it_value = {0, 5000}};

	catch_signal(SIGALRM, SA_RESTART);
	setitimer(ITIMER_REAL, &tick, NULL);
	S(nanosleep, &long_time, &rest);
	say_rest(&rest);
	setitimer(ITIMER_REAL, &tick, NULL);
	rest.tv_sec = 0;
	S(clock_nanosleep, CLOCK_MONOTONIC, 0, &long_time, &rest);
	say_rest(&rest);
	setitimer(ITIMER_REAL, &tick, NULL);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += 3600;
	rest.tv_sec = 7;
	S(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, &rest);
	say("untouched %lld", (long long)rest.tv_sec);
	setitimer(ITIMER_REAL, &tick, NULL);
	S(nanosleep, &long_time, BAD);
	say("caught %d", caught);
}

/* Stops and their ends are no reason to end a sleep, nor to begin it again:
 * then this one would never end. */
static void test_sleep_stopped(void)
{
	const struct timespec time = {0, 200000000}, often = {0, 20000000};
	struct timespec start, end;
	int status = 0, stops = 0;
	pid_t pid = fork();

	if (pid == 0) {
		clock_gettime(CLOCK_MONOTONIC, &start);
		S(nanosleep, &time, NULL);
		clock_gettime(CLOCK_MONOTONIC, &end);
		say("long enough %d",
		    (end.tv_sec - start.tv_sec) * 1000000000ll + end.tv_nsec -
				    start.tv_nsec >=
			    time.tv_nsec);
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		kill(pid, SIGSTOP);
		if (waitpid(pid, &status, WUNTRACED) == pid &&
		    !WIFSTOPPED(status))
			break;
		stops++;
		kill(pid, SIGCONT);
		nanosleep(&often, NULL);
	}
	say("stops %d, ended %d", stops > 0, WIFEXITED(status));
}

static void test_sigsuspend(void)
{
	uint64_t none = 0, usr = 1ull << (SIGUSR1 - 1), got = 0;
	struct timespec now = {0, 0}, bad = {0, -1};
	siginfo_t info;

	catch_signal(SIGUSR1, 0);
	block(SIG_BLOCK, SIGUSR1);
	raise(SIGUSR1);
	say("caught %d", caught);
	S(rt_sigsuspend, &none, 8);
	say("caught %d", caught);
	S(rt_sigprocmask, SIG_BLOCK, NULL, &got, 8);
	say("blocked again %d", (got & usr) != 0);
	raise(SIGUSR1);
	S(rt_sigtimedwait, &usr, &info, &now, 8);
	say("from me %d code %d", info.si_pid == getpid(), info.si_code);
	S(rt_sigtimedwait, &usr, &info, &now, 8);
	S(rt_sigtimedwait, &usr, NULL, &bad, 8);
	S(rt_sigtimedwait, &usr, NULL, NULL, 4);
	say("caught %d", caught);
	block(SIG_UNBLOCK, SIGUSR1);
}

static void test_futex_alone(void)
{
	struct timespec t = {0, 5000000}, bad = {0, 1000000000}, now;
	uint32_t word = 1, other = 5;
	int *none = NULL;

	S(futex, &word, FUTEX_WAIT, 0, NULL, NULL, 0);
	S(futex, &word, FUTEX_WAIT, 1, &t, NULL, 0);
	S(futex, &word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 1, &t, NULL, 0);
	S(futex, &word, FUTEX_WAIT, 1, &bad, NULL, 0);
	S(futex, &word, FUTEX_WAIT, 1, BAD, NULL, 0);
	S(futex, (char *)&word + 1, FUTEX_WAIT, 1, &t, NULL, 0);
	S(futex, BAD, FUTEX_WAIT, 1, &t, NULL, 0);
	S(futex, none, FUTEX_WAKE, 1, NULL, NULL, 0);
	S(futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
	S(futex, &word, FUTEX_WAIT_BITSET, 1, &t, NULL, 0);
	S(futex, &word, FUTEX_WAIT_BITSET, 1, &t, NULL, 1);
	clock_gettime(CLOCK_REALTIME, &now);
	S(futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 1, &now, NULL,
	  ~0u);
	S(futex, &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 0);
	S(futex, &word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 1, &t, NULL, 0);
	S(futex, &word, FUTEX_CMP_REQUEUE, 1, 1L, &other, 2);
	S(futex, &word, FUTEX_CMP_REQUEUE, 1, 1L, &other, 1);
	S(futex, &word, FUTEX_REQUEUE, -1, 1L, &other, 0);
	S(futex, &word, FUTEX_WAKE_OP, 1, 1L, &other,
	  FUTEX_OP(FUTEX_OP_ADD, 10, FUTEX_OP_CMP_EQ, 5));
	say("other %u", other);
	S(futex, &word, FUTEX_WAKE_OP, 1, 1L, &other,
	  FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_GT, 100));
	say("other %u", other);
	S(futex, &word, FUTEX_WAKE_OP, 1, 1L, &other,
	  FUTEX_OP((FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT), 4, FUTEX_OP_CMP_LT,
		   100));
	say("other %u", other);
	S(futex, &word, FUTEX_WAKE_OP, 1, 1L, BAD, 0);
	S(futex, &word, 99, 1, NULL, NULL, 0);
}

struct sleeper {
	pthread_t thread;
	uint32_t *word, bits;
	int woken; /* order */
};

static int order;

static void *sleep_on(void *arg)
{
	struct sleeper *s = arg;

	syscall(SYS_futex, s->word, FUTEX_WAIT_BITSET_PRIVATE, 0, NULL, NULL,
		s->bits);
	s->woken = __atomic_add_fetch(&order, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Until @count of them sleep: a requeue onto the same word counts them. */
static void until_asleep(uint32_t *word, int count)
{
	while (syscall(SYS_futex, word, FUTEX_CMP_REQUEUE_PRIVATE, 0, 1000L,
		       word, 0) != count)
		nanosleep(&(struct timespec){0, 1000000}, NULL);
}

static int awake(const struct sleeper *s, int count)
{
	int n = 0;

	nanosleep(&(struct timespec){0, 20000000}, NULL);
	for (int i = 0; i < count; i++)
		n += __atomic_load_n(&s[i].woken, __ATOMIC_SEQ_CST) != 0;
	return n;
}

static void test_futex_threads(void)
{
	static uint32_t word, other;
	struct sleeper s[6] = {{0}};
	int n;

	for (int i = 0; i < 6; i++) {
		s[i].word = &word;
		s[i].bits = i < 3 ? 1 : 2;
		pthread_create(&s[i].thread, NULL, sleep_on, &s[i]);
		until_asleep(&word, i + 1);
	}
	S(futex, &word, FUTEX_WAKE_BITSET_PRIVATE, 10, NULL, NULL, 4);
	S(futex, &word, FUTEX_WAKE_BITSET_PRIVATE, 1, NULL, NULL, 2);
	n = awake(s, 6);
	say("awake %d, the fourth %d", n, s[3].woken);
	S(futex, &word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 2L, &other, 0);
	n = awake(s, 6);
	say("awake %d, the first %d", n, s[0].woken);
	S(futex, &word, FUTEX_WAKE_PRIVATE, 10, NULL, NULL, 0);
	say("awake %d", awake(s, 6));
	S(futex, &other, FUTEX_WAKE_OP_PRIVATE, 10, 10L, &word,
	  FUTEX_OP(FUTEX_OP_SET, 3, FUTEX_OP_CMP_EQ, 0));
	for (int i = 0; i < 6; i++)
		pthread_join(s[i].thread, NULL);
	say("all awake, word %u", word);
}

static void test_futex_processes(void)
{
	sem_t *sem = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutex_t *lock = (pthread_mutex_t *)(sem + 2);
	pthread_mutexattr_t attr;
	int status;
	pid_t pid;

	sem_init(&sem[0], 1, 0);
	sem_init(&sem[1], 1, 0);
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 100; i++) {
			sem_wait(&sem[0]);
			sem_post(&sem[1]);
		}
		_exit(7);
	}
	for (int i = 0; i < 100; i++) {
		sem_post(&sem[0]);
		sem_wait(&sem[1]);
	}
	waitpid(pid, &status, 0);
	say("child %d", WEXITSTATUS(status));
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(lock, &attr);
	pid = fork();
	if (pid == 0) {
		pthread_mutex_lock(lock);
		sem_post(&sem[0]);
		nanosleep(&(struct timespec){0, 20000000}, NULL);
		_exit(0);
	}
	sem_wait(&sem[0]);
	say("lock %s", strerrorname_np(pthread_mutex_lock(lock)));
	waitpid(pid, &status, 0);
	say("consistent %d", pthread_mutex_consistent(lock));
	say("unlock %d", pthread_mutex_unlock(lock));
	say("lock %d", pthread_mutex_lock(lock));
	munmap(sem, 4096);
}

const struct group timer_groups[] = {
	{"timer_errors", test_timer_errors},
	{"timer_signals", test_timer_signals},
	{"timer_cpu", test_timer_cpu},
	{"timers_after_fork", test_timers_after},
	{"timer_many", test_timer_many},
	{"sleep_interrupted", test_sleep_interrupted},
	{"sleep_stopped", test_sleep_stopped},
	{"sigsuspend", test_sigsuspend},
	{"futex_alone", test_futex_alone},
	{"futex_threads", test_futex_threads},
	{"futex_processes", test_futex_processes},
	{NULL, NULL},
};
