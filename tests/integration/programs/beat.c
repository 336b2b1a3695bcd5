/* SPDX-License-Identifier: Apache-2.0 */
/* beat.c - the clocks, again and again: a line "MONOTONIC BOOTTIME REALTIME"
 * in nanoseconds every few milliseconds; beat busy: without a pause. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static long long now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int main(int argc, char **argv)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (;;) {
		printf("%lld %lld %lld\n", now(CLOCK_MONOTONIC),
		       now(CLOCK_BOOTTIME), now(CLOCK_REALTIME));
		if (argc == 1)
			nanosleep(&pause, NULL);
	}
}
