/* SPDX-License-Identifier: Apache-2.0 */
/* rng.c - the entropy device (virtio 1.2, 5.4): one queue of buffers to fill.
 * Trusts: getrandom(2). Must not: read what the driver put into a buffer. */
#include "devices-virtio/rng.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/bucket.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/loop.h"

#define RNG_QUEUE_SIZE    64u
#define RNG_STATE_VERSION 1u

struct rng {
	struct vdev vd;
	struct vq_chain chain; /* scratch of serve() */
	bool limited;
	struct bucket bucket;
	int kick_fd, timer_fd; /* -1 without a limit */
	struct loop_source *kicks, *turns;
};

/** fill() - random bytes into the front of a chain; short when the host's
 * generator is. Return: bytes, at most RNG_CHAIN_BYTES. */
static uint32_t fill(const struct vq_chain *chain)
{
	size_t done = 0;

	for (unsigned i = 0; i < chain->writable; i++) {
		size_t want = chain->iov[i].iov_len;
		ssize_t n;

		if (want > RNG_CHAIN_BYTES - done)
			want = RNG_CHAIN_BYTES - done;
		n = getrandom(chain->iov[i].iov_base, want, GRND_NONBLOCK);
		if (n > 0)
			done += (size_t)n;
		if (n < (ssize_t)want || done == RNG_CHAIN_BYTES)
			break;
	}
	return (uint32_t)done;
}

/** arm() - the loop goes on in @ns, > 0. */
static void arm(struct rng *rng, uint64_t ns)
{
	const struct itimerspec when = {
		.it_value.tv_sec = (time_t)(ns / NS_PER_SEC),
		.it_value.tv_nsec = (long)(ns % NS_PER_SEC),
	};

	(void)timerfd_settime(rng->timer_fd, 0, &when, NULL);
}

/** has_share() - may another buffer be filled now? If not, the timer calls. */
static bool has_share(struct rng *rng)
{
	uint64_t wait;

	if (!rng->limited)
		return true;
	wait = bucket_take(&rng->bucket, 0, clock_now_ns());
	if (wait)
		arm(rng, wait);
	return !wait;
}

/** serve() - what is there, at most a queue of it. */
static void serve(struct rng *rng)
{
	struct vdev *vd = &rng->vd;

	for (unsigned i = 0; i < RNG_QUEUE_SIZE && has_share(rng); i++) {
		uint32_t bytes;

		if (!vdev_pop(vd, 0, &rng->chain))
			break;
		if (rng->chain.readable) { /* 5.4.6.1: write-only buffers */
			vdev_break(vd);
			break;
		}
		bytes = fill(&rng->chain);
		if (rng->limited)
			bucket_pay(&rng->bucket, bytes);
		vdev_push(vd, 0, &rng->chain, bytes);
	}
	vdev_signal(vd, 0);
}

static void rng_kick(struct vdev *vd, unsigned queue)
{
	struct rng *rng = (struct rng *)vd;
	uint64_t one = 1;
	struct iovec iov = {.iov_base = &one, .iov_len = sizeof(one)};

	(void)queue;
	if (!rng->limited)
		serve(rng);
	else if (fd_writev(rng->kick_fd, &iov, 1) < 0)
		return; /* the counter is full, so it is readable anyway */
}

/** on_turn() - a kick, or the timer; loop thread. */
static void on_turn(struct rng *rng, int fd)
{
	uint64_t count;

	vdev_lock(&rng->vd);
	if (read(fd, &count, sizeof(count)) == sizeof(count) &&
	    vdev_live(&rng->vd))
		serve(rng);
	vdev_unlock(&rng->vd);
}

static void on_kick(void *arg, uint32_t events)
{
	struct rng *rng = arg;

	(void)events;
	on_turn(rng, rng->kick_fd);
}

static void on_timer(void *arg, uint32_t events)
{
	struct rng *rng = arg;

	(void)events;
	on_turn(rng, rng->timer_fd);
}

static void rng_save(const struct vdev *vd, struct blob *to)
{
	(void)vd;
	blob_put16(to, RNG_STATE_VERSION);
}

static void rng_load(struct vdev *vd, struct blob *from)
{
	(void)vd;
	if (blob_get16(from) != RNG_STATE_VERSION)
		blob_fail(from, -EPROTO);
}

static void rng_free(struct vdev *vd)
{
	struct rng *rng = (struct rng *)vd;

	loop_remove(rng->kicks);
	loop_remove(rng->turns);
	if (rng->kick_fd >= 0)
		close(rng->kick_fd);
	if (rng->timer_fd >= 0)
		close(rng->timer_fd);
	vdev_done(vd);
	free(vd);
}

static const struct vdev_ops rng_ops = {
	.device_id = VIRTIO_ID_RNG,
	.queue_count = 1,
	.queue_max = RNG_QUEUE_SIZE,
	.kick = rng_kick,
	.save = rng_save,
	.load = rng_load,
	.free = rng_free,
};

static int limit(struct rng *rng, const struct rng_config *config)
{
	int err;

	bucket_init(&rng->bucket, config->bytes.per_second, config->bytes.burst,
		    clock_now_ns());
	rng->limited = true;
	rng->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rng->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (rng->kick_fd < 0 || rng->timer_fd < 0)
		return -errno;
	err = loop_add(config->loop, rng->kick_fd, EPOLLIN, on_kick, rng,
		       &rng->kicks);
	if (err)
		return err;
	return loop_add(config->loop, rng->timer_fd, EPOLLIN, on_timer, rng,
			&rng->turns);
}

int rng_new(const struct rng_config *config, struct vdev **ret)
{
	struct rng *rng = calloc(1, sizeof(*rng));
	int err = 0;

	if (!rng)
		return -ENOMEM;
	vdev_init(&rng->vd, &rng_ops, 0);
	rng->kick_fd = rng->timer_fd = -1;
	if (config)
		err = limit(rng, config);
	if (err)
		rng_free(&rng->vd);
	else
		*ret = &rng->vd;
	return err;
}
