/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_state.c - any bytes as the saved state of a device over any memory.
 *
 *   u8 virtio device id, u16 bytes of the state, u16 bytes of memory's, memory
 * (pokes and fills of a session), state, a session that uses the device
 *
 * Oracle: what is refused leaves a device as after a reset; what is taken is
 * saved again as a state that is taken, and comes out as the same bytes. */
#include <linux/virtio_config.h>
#include <stdlib.h>
#include <string.h>

#include "devices-virtio/vdev_state.h"
#include "tests/fuzz/device_makers.h"
#include "tests/fuzz/session.h"

static struct session session;

/** save() - the state of the device as it is now. */
static size_t save(struct vmmio *m, uint8_t *ret)
{
	struct blob b;
	int err;

	vdev_lock(m->vd);
	err = vdev_pause(m->vd);
	vdev_unlock(m->vd);
	blob_init(&b, ret, VDEV_STATE_BYTES);
	vmmio_save(m, &b);
	if (err || b.err)
		abort();
	return b.at;
}

/** save_twice() - what was loaded is a state of its own that holds. */
static void save_twice(uint8_t device)
{
	static uint8_t once[VDEV_STATE_BYTES], twice[VDEV_STATE_BYTES];
	const struct vdev_host host = session.vd->host;
	struct vdev *other = device_make(device);
	size_t bytes = save(&session.m, once);
	struct vmmio m;
	struct blob b;

	vmmio_init(&m, other, &session.gm, &host);
	blob_init(&b, once, bytes);
	if (vmmio_load(&m, &b) || save(&m, twice) != bytes ||
	    memcmp(once, twice, bytes) != 0)
		abort();
	vdev_free(other);
}

static void use(uint8_t device, struct fuzz_input *in)
{
	save_twice(device);
	vdev_lock(session.vd);
	vdev_resume(session.vd);
	vdev_unlock(session.vd);
	session_run(&session, in, NULL, NULL);
}

/** fill_memory() - the pokes and fills of a session, no register of it. */
static void fill_memory(struct fuzz_input *in, size_t bytes)
{
	const struct session_port port = session.port;
	struct fuzz_input memory = {in->at,
				    bytes < in->left ? bytes : in->left};

	in->at += memory.left;
	in->left -= memory.left;
	session.port = (struct session_port){0};
	session_run(&session, &memory, NULL, NULL);
	session.port = port;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t state[VDEV_STATE_BYTES];
	struct fuzz_input in = {data, size};
	uint8_t device = fuzz_u8(&in);
	size_t bytes = fuzz_u16(&in) % VDEV_STATE_BYTES;
	struct vdev *vd = device_make(device);
	struct blob b;

	session_attach(&session, vd);
	fill_memory(&in, fuzz_u16(&in));
	bytes = bytes < in.left ? bytes : in.left;
	fuzz_take(&in, state, bytes);
	blob_init(&b, state, bytes);
	if (!vmmio_load(&session.m, &b))
		use(device, &in);
	else if (vd->status || vd->driver_features || vd->queue[0].enabled)
		abort();
	vdev_lock(vd);
	vdev_set_status(vd, 0);
	vdev_unlock(vd);
	vdev_free(vd);
	return 0;
}
