/* SPDX-License-Identifier: Apache-2.0 */
/* stress_blk.c - a disk and everything that touches it from other threads at
 * once: a driver that writes, reads back and resets, the engine's threads, the
 * loop, a second thread that pauses and resumes. A plain program, so that it
 * also runs under ThreadSanitizer, where Criterion does not start. */
#include <linux/virtio_blk.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "devices-virtio/vdev_state.h"
#include "tests/unit/blk_rig.h"

#define ROUNDS 60u
#define BYTES  2048u

static struct blk_rig rig;
static atomic_bool over;

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "stress_blk: %s failed\n", what);
	abort();
}

/** interfere() - as a snapshot of a running VM does. */
static void *interfere(void *arg)
{
	const struct timespec pause = {.tv_nsec = 300000};

	while (!over) {
		vdev_lock(rig.drv.vd);
		must(!vdev_pause(rig.drv.vd), "pausing");
		vdev_resume(rig.drv.vd);
		vdev_unlock(rig.drv.vd);
		nanosleep(&pause, NULL);
	}
	return arg;
}

/** fill() - a queue of requests, each of its own place and byte. */
static void fill(uint32_t type, unsigned round)
{
	struct drv_used used;

	for (unsigned i = 0; i < RIG_SLOTS; i++) {
		if (type == VIRTIO_BLK_T_OUT)
			memset(blk_rig_data(&rig, rig.next % RIG_SLOTS),
			       (int)(round + i), BYTES);
		blk_rig_send(&rig, type, i * (BYTES / 512), BYTES);
		if (i % 5 == 4)
			blk_rig_kick(&rig);
	}
	blk_rig_kick(&rig);
	must(blk_rig_wait(&rig, RIG_SLOTS), "waiting");
	while (drv_take(&rig.drv, 0, &used))
		must(blk_rig_status(&rig, used.id / 3) == VIRTIO_BLK_S_OK,
		     "a request");
}

static void round_trip(unsigned round)
{
	fill(VIRTIO_BLK_T_OUT, round);
	must(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0) == VIRTIO_BLK_S_OK,
	     "a flush");
	rig.next = 0;
	rig.drv.ring[0].next_desc = 0;
	fill(VIRTIO_BLK_T_IN, round);
	for (unsigned i = 0; i < RIG_SLOTS; i++)
		must(blk_rig_data(&rig, i)[BYTES - 1] == (uint8_t)(round + i),
		     "comparing");
}

static void run(enum rig_engine engine, const struct blk_config *config)
{
	pthread_t other;

	over = false;
	blk_rig_open(&rig, engine, config, 0);
	must(!pthread_create(&other, NULL, interfere, NULL), "a thread");
	for (unsigned i = 0; i < ROUNDS; i++) {
		round_trip(i);
		rig.next = 0;
		if (i % 4 == 3)
			drv_start(&rig.drv, rig.drv.vd->features,
				  BLK_QUEUE_SIZE);
	}
	over = true;
	pthread_join(other, NULL);
	blk_rig_close(&rig);
}

int main(void)
{
	const struct blk_config plain = {0};
	const struct blk_config memory = {.overlay = PLAN_OVERLAY_MEMORY};
	const struct blk_config file = {.overlay = PLAN_OVERLAY_FILE};

	run(RIG_THREADS, &plain);
	run(RIG_THREADS, &file);
	run(RIG_URING, &memory);
	run(RIG_URING, &file);
	return 0;
}
