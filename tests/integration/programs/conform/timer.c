/* SPDX-License-Identifier: Apache-2.0 */
/* timer.c - clocks, sleeps and timers; never how exact they are. */
#include "conform.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <time.h>
#include <unistd.h>

static long ns_of(clockid_t clock)
{
	struct timespec t = {0, 0};

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000l + t.tv_nsec;
}

static void test_clocks(void)
{
	struct timespec t;

	for (int i = 0; i < 12; i++) {
		if (i >= 8 && i <= 10) /* alarms need a clock chip */
			continue;
		errno = 0;
		say("clock %d: %d errno %d", i, clock_gettime(i, &t), errno);
	}
	T(syscall(SYS_clock_gettime, 99, &t));
	T(syscall(SYS_clock_gettime, 0, BAD));
	T(clock_getres(CLOCK_MONOTONIC, &t));
	say("%ld %ld", (long)t.tv_sec, t.tv_nsec);
	T(clock_getres(CLOCK_REALTIME, NULL));
	T(clock_getres(99, &t));
}

static bool goes_back(void)
{
	long before = ns_of(CLOCK_MONOTONIC);
	bool back = false;

	for (int i = 0; i < 20000; i++) {
		long now = ns_of(CLOCK_MONOTONIC);

		back |= now < before;
		before = now;
	}
	return back;
}

static void test_monotonic(void)
{
	say("went back %d", goes_back());
}

static void *look(void *arg)
{
	*(bool *)arg = goes_back();
	return NULL;
}

static void test_monotonic_threads(void)
{
	pthread_t t[3];
	bool back[3];

	for (int i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, look, &back[i]);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], NULL);
		say("went back %d", back[i]);
	}
}

static void test_library_and_kernel(void)
{
	struct timespec a, b, c;
	struct timeval v;

	clock_gettime(CLOCK_REALTIME, &a);
	syscall(SYS_clock_gettime, CLOCK_REALTIME, &b);
	clock_gettime(CLOCK_REALTIME, &c);
	say("in order %d", (a.tv_sec < b.tv_sec ||
			    (a.tv_sec == b.tv_sec && a.tv_nsec <= b.tv_nsec)) &&
				   b.tv_sec <= c.tv_sec);
	T(gettimeofday(&v, NULL));
	say("near %d", labs((long)(v.tv_sec - a.tv_sec)) <= 1);
	say("near %d", labs((long)(time(NULL) - a.tv_sec)) <= 1);
	say("this century %d", a.tv_sec > 1600000000 && a.tv_sec < 4102444800);
}

static void test_set_clock(void)
{
	struct timespec bad = {0, -1}, t = {100, 0};

	T(clock_settime(CLOCK_MONOTONIC, &t));
	T(clock_settime(CLOCK_REALTIME, &bad));
	T(clock_settime(99, &t));
	T(setuid(1000));
	T(clock_settime(CLOCK_REALTIME, &t));
}

static void test_sleep(void)
{
	struct timespec t = {0, 10000000}, bad = {0, 1000000000};
	long before = ns_of(CLOCK_MONOTONIC);

	T(nanosleep(&t, NULL));
	say("%d", ns_of(CLOCK_MONOTONIC) - before >= 10000000);
	T(nanosleep(&bad, NULL));
	T(syscall(SYS_nanosleep, BAD, NULL));
	E(clock_nanosleep(CLOCK_MONOTONIC, 0, &t, NULL));
	E(clock_nanosleep(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL));
	E(clock_nanosleep(99, 0, &t, NULL));
	E(clock_nanosleep(CLOCK_REALTIME, 0, &bad, NULL));
}

static void test_sleep_until(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += 20000000;
	if (t.tv_nsec >= 1000000000)
		t.tv_sec++, t.tv_nsec -= 1000000000;
	E(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
	say("%d", ns_of(CLOCK_MONOTONIC) >= t.tv_sec * 1000000000l + t.tv_nsec);
	t.tv_sec = 1;
	E(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL));
	E(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &t, NULL));
}

static void test_cpu_time(void)
{
	long wall = ns_of(CLOCK_MONOTONIC), cpu;
	struct rusage usage;

	while (ns_of(CLOCK_PROCESS_CPUTIME_ID) < 20000000)
		;
	cpu = ns_of(CLOCK_PROCESS_CPUTIME_ID);
	nap(50);
	say("sleeping costs nothing %d",
	    ns_of(CLOCK_PROCESS_CPUTIME_ID) - cpu < 40000000);
	say("%d", wall > 0 && clock() > 0);
	T(getrusage(RUSAGE_SELF, &usage));
	say("%d", usage.ru_utime.tv_usec + usage.ru_stime.tv_usec > 0);
	say("ticks %ld", sysconf(_SC_CLK_TCK));
}

static void test_alarm(void)
{
	handle(SIGALRM, 0);
	T(alarm(100));
	T(alarm(50) > 99);
	T(alarm(0) > 49);
	T(alarm(0));
	T(ualarm(10000, 0));
	T(pause());
	say("caught %d", caught);
}

static void test_interval(void)
{
	struct itimerval it = {{0, 5000}, {0, 5000}}, old;

	handle(SIGALRM, 0);
	T(setitimer(ITIMER_REAL, &it, NULL));
	while (caught < 4)
		pause();
	T(getitimer(ITIMER_REAL, &old));
	say("%ld %d", (long)old.it_interval.tv_usec,
	    old.it_value.tv_usec <= 5000);
	memset(&it, 0, sizeof(it));
	T(setitimer(ITIMER_REAL, &it, &old));
	say("%ld", (long)old.it_interval.tv_usec);
	T(setitimer(9, &it, NULL));
	it.it_value.tv_usec = 1000000;
	T(setitimer(ITIMER_REAL, &it, NULL));
	T(getitimer(ITIMER_REAL, BAD));
}

static void test_virtual(void)
{
	struct itimerval it = {{0, 0}, {0, 20000}};

	handle(SIGVTALRM, 0);
	handle(SIGPROF, 0);
	T(setitimer(ITIMER_VIRTUAL, &it, NULL));
	while (!caught)
		;
	say("%d", caught_last);
	T(setitimer(ITIMER_PROF, &it, NULL));
	while (caught < 2)
		;
	say("%d", caught_last);
}

static volatile int value, code;
static void on_info(int number, siginfo_t *info, void *context)
{
	caught++;
	value = info->si_value.sival_int;
	code = info->si_code;
}

static void test_posix_signal(void)
{
	struct itimerspec it = {{0, 5000000}, {0, 5000000}};
	struct sigaction act = {.sa_sigaction = on_info,
				.sa_flags = SA_SIGINFO};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGUSR1,
			      .sigev_value.sival_int = 99};
	timer_t timer;

	sigaction(SIGUSR1, &act, NULL);
	T(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	T(timer_settime(timer, 0, &it, NULL));
	while (caught < 3)
		pause();
	say("value %d code %d", value, code);
	T(timer_gettime(timer, &it));
	say("%ld", it.it_interval.tv_nsec);
	T(timer_delete(timer));
	T(timer_delete(timer));
	T(timer_gettime(timer, &it));
}

static void test_posix_overrun(void)
{
	struct itimerspec it = {{0, 1000000}, {0, 1000000}};
	struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL,
			      .sigev_signo = SIGUSR1};
	siginfo_t info;
	timer_t timer;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	T(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	T(timer_settime(timer, 0, &it, NULL));
	nap(50);
	T(sigwaitinfo(&set, &info));
	say("some %d, same %d", info.si_overrun > 10,
	    timer_getoverrun(timer) == info.si_overrun);
}

static void test_posix_none(void)
{
	struct itimerspec it = {{0, 0}, {100, 0}}, old;
	struct sigevent ev = {.sigev_notify = SIGEV_NONE};
	timer_t timer;

	T(timer_create(CLOCK_REALTIME, &ev, &timer));
	T(timer_settime(timer, 0, &it, NULL));
	it.it_value.tv_sec = 0;
	T(timer_settime(timer, 0, &it, &old));
	say("%d", old.it_value.tv_sec >= 99);
	ev.sigev_notify = 77;
	T(timer_create(CLOCK_REALTIME, &ev, &timer));
	T(timer_create(99, NULL, &timer));
	it.it_value.tv_nsec = -1;
	T(timer_settime(timer, 0, &it, NULL));
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static void notify(union sigval v)
{
	pthread_mutex_lock(&lock);
	value = v.sival_int;
	pthread_cond_signal(&cond);
	pthread_mutex_unlock(&lock);
}

static void test_posix_thread(void)
{
	struct itimerspec it = {{0, 0}, {0, 5000000}};
	struct sigevent ev = {.sigev_notify = SIGEV_THREAD,
			      .sigev_notify_function = notify,
			      .sigev_value.sival_int = 12};
	timer_t timer;

	T(timer_create(CLOCK_MONOTONIC, &ev, &timer));
	T(timer_settime(timer, 0, &it, NULL));
	pthread_mutex_lock(&lock);
	while (!value)
		pthread_cond_wait(&cond, &lock);
	say("%d", value);
}

static void test_posix_cpu(void)
{
	struct itimerspec it = {{0, 0}, {0, 20000000}};
	timer_t timer;

	handle(SIGALRM, 0);
	T(timer_create(CLOCK_PROCESS_CPUTIME_ID, NULL, &timer));
	T(timer_settime(timer, 0, &it, NULL));
	while (!caught)
		;
	say("%d", caught_last);
}

static void test_timerfd(void)
{
	struct itimerspec it = {{0, 0}, {0, 10000000}}, got;
	uint64_t n = 0;
	int fd = (int)T(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));

	T(read(fd, &n, 8));
	T(timerfd_settime(fd, 0, &it, NULL));
	nap(30);
	T(read(fd, &n, 8));
	say("%lu", n);
	T(read(fd, &n, 8));
	T(timerfd_gettime(fd, &got));
	say("%ld %ld", (long)got.it_value.tv_sec, got.it_value.tv_nsec);
	T(read(fd, &n, 7));
	T(write(fd, &n, 8));
	T(lseek(fd, 0, SEEK_SET));
	T(timerfd_create(99, 0));
	T(timerfd_create(CLOCK_REALTIME, 1));
	T(timerfd_settime(1, 0, &it, NULL));
	T(timerfd_settime(fd, 8, &it, NULL));
	it.it_value.tv_nsec = 1000000000;
	T(timerfd_settime(fd, 0, &it, NULL));
}

static void test_timerfd_past(void)
{
	struct itimerspec it = {{0, 0}, {1, 0}};
	uint64_t n = 0;
	int fd = (int)T(timerfd_create(CLOCK_REALTIME, 0));

	T(timerfd_settime(fd, TFD_TIMER_ABSTIME, &it, NULL));
	T(read(fd, &n, 8));
	say("%lu", n);
	it.it_value.tv_sec = 0;
	it.it_value.tv_nsec = 5000000;
	it.it_interval.tv_nsec = 5000000;
	T(timerfd_settime(fd, 0, &it, NULL));
	nap(40);
	T(read(fd, &n, 8));
	say("several %d", n >= 5);
}

const struct test timer_tests[] = {
	{"clocks", test_clocks},
	{"monotonic", test_monotonic},
	{"monotonic_threads", test_monotonic_threads},
	{"library_and_kernel", test_library_and_kernel},
	{"set_clock", test_set_clock},
	{"sleep", test_sleep},
	{"sleep_until", test_sleep_until},
	{"cpu_time", test_cpu_time},
	{"alarm", test_alarm},
	{"interval", test_interval},
	{"virtual", test_virtual},
	{"posix_signal", test_posix_signal},
	{"posix_overrun", test_posix_overrun},
	{"posix_none", test_posix_none},
	{"posix_thread", test_posix_thread},
	{"posix_cpu", test_posix_cpu},
	{"timerfd", test_timerfd},
	{"timerfd_past", test_timerfd_past},
	{NULL, NULL},
};
