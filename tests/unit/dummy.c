/* SPDX-License-Identifier: Apache-2.0 */
/* dummy.c - see dummy.h. */
#include "tests/unit/dummy.h"

#include <errno.h>
#include <string.h>

#include "base/blob.h"

static int dummy_activate(struct vdev *vd)
{
	struct dummy *dummy = (struct dummy *)vd;

	dummy->activations++;
	return dummy->activate_result;
}

static void dummy_kick(struct vdev *vd, unsigned queue)
{
	static struct vq_chain chain;

	((struct dummy *)vd)->kicks++;
	while (vdev_pop(vd, queue, &chain))
		vdev_push(vd, queue, &chain, 0);
	vdev_signal(vd, queue);
}

static void dummy_stop(struct vdev *vd, unsigned queue)
{
	((struct dummy *)vd)->stops++;
}

static void dummy_reset(struct vdev *vd)
{
	((struct dummy *)vd)->resets++;
}

static void dummy_read(struct vdev *vd, uint32_t off, void *dst, uint32_t len)
{
	memcpy(dst, ((struct dummy *)vd)->config + off, len);
}

static void dummy_write(struct vdev *vd, uint32_t off, const void *src,
			uint32_t len)
{
	memcpy(((struct dummy *)vd)->config + off, src, len);
}

static void dummy_save(const struct vdev *vd, struct blob *to)
{
	blob_put16(to, 1);
	blob_put(to, ((const struct dummy *)vd)->config, 8);
}

static void dummy_load(struct vdev *vd, struct blob *from)
{
	if (blob_get16(from) != 1)
		blob_fail(from, -EPROTO);
	blob_get(from, ((struct dummy *)vd)->config, 8);
}

static void dummy_free(struct vdev *vd)
{
	vdev_done(vd);
}

static const struct vdev_ops dummy_ops = {
	.device_id = DUMMY_ID,
	.queue_count = 2,
	.queue_max = 16,
	.config_bytes = 8,
	.activate = dummy_activate,
	.kick = dummy_kick,
	.queue_stop = dummy_stop,
	.reset = dummy_reset,
	.config_read = dummy_read,
	.config_write = dummy_write,
	.save = dummy_save,
	.load = dummy_load,
	.free = dummy_free,
};

void dummy_init(struct dummy *d)
{
	memset(d, 0, sizeof(*d));
	vdev_init(&d->vd, &dummy_ops, 1);
	memcpy(d->config, "abcdefgh", 8);
}
