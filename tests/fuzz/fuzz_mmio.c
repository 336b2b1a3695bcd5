/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_mmio.c - any sequence of register accesses, of any width, over a device
 * with one queue; or a session of a driver, of any device. Oracle: what status
 * claims agrees with what the queue is. */
#include <linux/virtio_config.h>
#include <stdlib.h>

#include "devices-virtio/rng.h"
#include "tests/fuzz/fuzz_driver.h"
#include "tests/fuzz/session.h"

static int play(struct vdev *vd, struct fuzz_input *in)
{
	static struct session session;

	session_play(&session, vd, in, NULL, NULL);
	vdev_free(vd);
	return 0;
}

static void check(const struct vdev *vd)
{
	bool agreed = vd->status & VIRTIO_CONFIG_S_FEATURES_OK;

	if (agreed && (vd->driver_features & ~vd->features))
		abort();
	if ((vd->status & VIRTIO_CONFIG_S_DRIVER_OK) && !agreed)
		abort();
	if (vd->queue[0].enabled && !agreed)
		abort();
	if (vd->queue[0].size > vd->ops->queue_max)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_guest guest;
	struct fuzz_input in = {data, size};
	struct vdev *vd;

	if (rng_new(NULL, &vd))
		abort();
	if (session_is(&in))
		return play(vd, &in);
	fuzz_attach(&guest, vd);
	for (unsigned i = 0; i < FUZZ_OPS_MAX && in.left; i++) {
		switch (fuzz_u8(&in) & 7) {
		case 0:
			fuzz_start(&guest, fuzz_u32(&in));
			break;
		case 1:
			fuzz_poke(&guest, &in);
			break;
		case 2:
			fuzz_request(&guest, &in);
			break;
		default:
			fuzz_access(&guest, &in);
			break;
		}
		check(vd);
	}
	vdev_free(vd);
	return 0;
}
