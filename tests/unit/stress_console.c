/* SPDX-License-Identifier: Apache-2.0 */
/* stress_console.c - a console and everything that touches it from other
 * threads at once: a driver that echoes stdin and resets in between, a loop,
 * resizes, readers of its counters. A plain program, so that it also runs
 * under ThreadSanitizer, where Criterion does not start. */
#include <errno.h>
#include <linux/virtio_mmio.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "tests/unit/console_rig.h"

#define BYTES    (4u << 20)
#define PORTION  20000u
#define FEATURES (1ull << VIRTIO_CONSOLE_F_MULTIPORT)

static struct rig rig;
static atomic_bool over;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "stress_console: %s failed\n", what);
	abort();
}

static uint8_t pattern(size_t i)
{
	return (uint8_t)(i * 7 + (i >> 9));
}

static void *feed(void *arg)
{
	uint8_t buf[PORTION];

	for (size_t at = 0; at < BYTES; at += sizeof(buf)) {
		size_t n = BYTES - at < sizeof(buf) ? BYTES - at : sizeof(buf);

		for (size_t i = 0; i < n; i++)
			buf[i] = pattern(at + i);
		must(!fd_write_all(rig.host[0], buf, n), "feeding");
	}
	return arg;
}

static void *drain(void *arg)
{
	static uint8_t buf[BYTES];

	must(!fd_read_all(rig.host[1], buf, BYTES), "draining");
	for (size_t i = 0; i < BYTES; i++)
		must(buf[i] == pattern(i), "comparing");
	return arg;
}

static void *disturb(void *arg)
{
	while (!atomic_load(&over)) {
		console_resize(rig.drv.vd, 24, 80);
		(void)console_usage(rig.drv.vd);
	}
	return arg;
}

/** move() - one request on @q, waited for. Return: used length. */
static uint32_t move(unsigned q, uint32_t len, uint16_t flags)
{
	struct drv_used used = {0};

	drv_send(&rig.drv, q, DRV_DATA, len, flags);
	drv_kick(&rig.drv, q);
	must(rig_wait_used(&rig, q, 1), "waiting");
	must(drv_take(&rig.drv, q, &used), "taking");
	return used.len;
}

int main(void)
{
	const uint32_t kinds[] = {PLAN_STREAM_NONBLOCK, PLAN_STREAM_NONBLOCK,
				  PLAN_STREAM_NONE};
	pthread_t thread[3];
	size_t done = 0;

	rig_pipes(&rig, PLAN_STREAM_NONBLOCK);
	rig_start(&rig, kinds, FEATURES);
	pthread_create(&thread[0], NULL, feed, NULL);
	pthread_create(&thread[1], NULL, drain, NULL);
	pthread_create(&thread[2], NULL, disturb, NULL);
	for (unsigned round = 0; done < BYTES; round++) {
		uint32_t n = move(RIG_IN, PORTION, VRING_DESC_F_WRITE);

		must(move(RIG_OUT, n, 0) == 0, "writing");
		done += n;
		if (round % 64 == 63) /* a driver that starts over */
			drv_start(&rig.drv, FEATURES, RIG_SIZE);
	}
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
	atomic_store(&over, true);
	pthread_join(thread[2], NULL);
	must(console_usage(rig.drv.vd).bytes_out == BYTES, "counting");
	rig_done(&rig);
	return 0;
}
