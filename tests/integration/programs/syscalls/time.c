/* SPDX-License-Identifier: Apache-2.0 */
/* time.c - cases of clocks and sleeping. */
#include "say.h"

#include <sys/time.h>
#include <sys/times.h>
#include <time.h>

static long long ns_of(const struct timespec *t)
{
	return t->tv_sec * 1000000000ll + t->tv_nsec;
}

static void test_clocks(void)
{
	struct timespec a = {0}, b = {0};
	struct timeval tv = {0};
	long now = 0;

	S(clock_gettime, CLOCK_MONOTONIC, &a);
	S(clock_gettime, CLOCK_MONOTONIC, &b);
	say("goes on %d", ns_of(&b) >= ns_of(&a));
	S(clock_gettime, CLOCK_REALTIME, &a);
	say("this century %d", a.tv_sec > 1700000000 && a.tv_sec < 4102444800);
	S(gettimeofday, &tv, NULL);
	say("same second %d", tv.tv_sec - a.tv_sec < 2);
	OK(time, &now);
	say("same second %d", now - a.tv_sec < 3);
	S(clock_gettime, CLOCK_BOOTTIME, &a);
	S(clock_gettime, CLOCK_MONOTONIC_RAW, &a);
	S(clock_gettime, CLOCK_REALTIME_COARSE, &a);
	S(clock_gettime, CLOCK_MONOTONIC_COARSE, &a);
	S(clock_gettime, CLOCK_PROCESS_CPUTIME_ID, &a);
	S(clock_gettime, CLOCK_THREAD_CPUTIME_ID, &b);
	say("computed for less than a minute %d", ns_of(&b) < 60000000000ll);
	S(clock_gettime, 99, &a);
	S(clock_gettime, CLOCK_REALTIME, BAD);
	S(gettimeofday, BAD, NULL);
	S(clock_getres, CLOCK_MONOTONIC, &a);
	say("resolution %lld", ns_of(&a));
	S(clock_getres, CLOCK_REALTIME, NULL);
	S(clock_getres, 99, &a);
}

static long long slept(const struct timespec *from)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ns_of(&now) - ns_of(from);
}

static void test_sleep(void)
{
	struct timespec start, want = {0, 30000000}, rest = {0};
	struct timespec bad = {0, 1000000000}, minus = {-1, 0}, zero = {0, 0};
	struct timespec past = {1, 0};

	clock_gettime(CLOCK_MONOTONIC, &start);
	S(nanosleep, &want, &rest);
	say("not too short %d, not too long %d", slept(&start) >= 30000000,
	    slept(&start) < 5000000000);
	clock_gettime(CLOCK_MONOTONIC, &start);
	S(clock_nanosleep, CLOCK_MONOTONIC, 0, &want, NULL);
	say("not too short %d", slept(&start) >= 30000000);
	clock_gettime(CLOCK_MONOTONIC, &start);
	rest = start;
	rest.tv_nsec += 20000000;
	if (rest.tv_nsec >= 1000000000) {
		rest.tv_sec++;
		rest.tv_nsec -= 1000000000;
	}
	S(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &rest, NULL);
	say("not too short %d", slept(&start) >= 20000000);
	S(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &past, NULL);
	S(clock_nanosleep, CLOCK_REALTIME, 0, &zero, NULL);
	S(nanosleep, &zero, NULL);
	S(nanosleep, &bad, NULL);
	S(nanosleep, &minus, NULL);
	S(nanosleep, BAD, NULL);
	S(clock_nanosleep, 99, 0, &want, NULL);
}

static void test_settime(void)
{
	struct timespec bad = {0, -1};
	struct itimerval v;

	S(clock_settime, CLOCK_MONOTONIC, &bad);
	S(clock_settime, CLOCK_REALTIME, &bad);
	S(settimeofday, NULL, NULL);
	S(getitimer, ITIMER_REAL, &v);
	S(getitimer, 9, &v);
}

static void test_usage(void)
{
	struct tms tms;

	OK(times, &tms);
	OK(times, NULL);
	S(times, BAD);
}

const struct group time_groups[] = {
	{"clocks", test_clocks},
	{"sleep", test_sleep},
	{"settime", test_settime},
	{"times_of_process", test_usage},
	{NULL, NULL},
};
