/* SPDX-License-Identifier: Apache-2.0 */
/* rng.c - the entropy device (virtio 1.2, 5.4): one queue of buffers to fill.
 * Trusts: getrandom(2). Must not: read what the driver put into a buffer. */
#include "devices-virtio/rng.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/blob.h"

#define RNG_QUEUE_SIZE    64u
#define RNG_STATE_VERSION 1u

struct rng {
	struct vdev vd;
	struct vq_chain chain; /* scratch of rng_kick() */
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

static void rng_kick(struct vdev *vd, unsigned queue)
{
	struct rng *rng = (struct rng *)vd;

	for (unsigned i = 0; i < RNG_QUEUE_SIZE; i++) {
		if (!vdev_pop(vd, queue, &rng->chain))
			break;
		if (rng->chain.readable) { /* 5.4.6.1: write-only buffers */
			vdev_break(vd);
			break;
		}
		vdev_push(vd, queue, &rng->chain, fill(&rng->chain));
	}
	vdev_signal(vd, queue);
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

int rng_new(struct vdev **ret)
{
	struct rng *rng = calloc(1, sizeof(*rng));

	if (!rng)
		return -ENOMEM;
	vdev_init(&rng->vd, &rng_ops, 0);
	*ret = &rng->vd;
	return 0;
}
