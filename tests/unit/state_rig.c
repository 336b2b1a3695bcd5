/* SPDX-License-Identifier: Apache-2.0 */
/* state_rig.c - see state_rig.h. Aborts when something does not hold. */
#include "tests/unit/state_rig.h"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/unit/recorder.h"

static void must(bool ok, const char *what, size_t at)
{
	if (ok)
		return;
	(void)fprintf(stderr, "state: %s (%zu)\n", what, at);
	abort();
}

/** pause_device() - wait until nothing is in flight, 10 s at most. */
static void pause_device(struct fake_driver *d)
{
	int err = -1;

	for (unsigned ms = 0; ms < 10000 && err; ms++) {
		vdev_lock(d->vd);
		err = vdev_pause(d->vd);
		vdev_unlock(d->vd);
		if (err)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	must(!err, "the device does not come to rest", 0);
}

static void resume_device(struct fake_driver *d)
{
	vdev_lock(d->vd);
	vdev_resume(d->vd);
	vdev_unlock(d->vd);
}

size_t state_save(struct fake_driver *d, uint8_t *ret)
{
	struct blob b;

	pause_device(d);
	blob_init(&b, ret, VDEV_STATE_BYTES);
	vmmio_save(&d->m, &b);
	must(!b.err, "the state does not fit", b.at);
	return b.at;
}

int state_load(struct fake_driver *d, struct vdev *vd, const uint8_t *state,
	       size_t bytes)
{
	const struct vdev_host host = d->vd->host;
	uint8_t *exact = malloc(bytes ? bytes : 1); /* a sanitizer sees ends */
	struct vmmio m;
	struct blob b;
	int err;

	must(exact, "no memory", bytes);
	memcpy(exact, state, bytes);
	blob_init(&b, exact, bytes);
	vmmio_init(&m, vd, &d->gm, &host);
	err = vmmio_load(&m, &b);
	must(err || b.at == bytes, "bytes are left", b.at);
	free(exact);
	if (err) {
		must(!vd->status, "a refused state left a status", 0);
		vdev_free(vd);
		return err;
	}
	vdev_free(d->vd);
	d->vd = vd;
	d->m = m;
	return 0;
}

void state_move(struct fake_driver *d, struct vdev *vd)
{
	static uint8_t before[VDEV_STATE_BYTES], after[VDEV_STATE_BYTES];
	size_t bytes = state_save(d, before);

	recorder_state(d, before, bytes);
	must(!state_load(d, vd, before, bytes), "refused its own state", bytes);
	must(state_save(d, after) == bytes && !memcmp(before, after, bytes),
	     "the state changed on the way", bytes);
	resume_device(d);
}

/** try_damaged() - what a damaged state may do: nothing, or a device that is
 * as sane as any. */
static bool try_damaged(struct fake_driver *d, struct vdev *vd,
			const uint8_t *state, size_t bytes)
{
	static uint8_t again[VDEV_STATE_BYTES];
	const struct vdev_host host = d->vd->host;
	struct fake_driver other = *d;
	struct blob b;
	bool taken;

	blob_init(&b, (void *)(uintptr_t)state, bytes);
	vmmio_init(&other.m, vd, &d->gm, &host);
	taken = !vmmio_load(&other.m, &b);
	if (taken) {
		other.vd = vd;
		(void)state_save(&other, again);
		resume_device(&other);
	}
	drv_set(&other, VIRTIO_MMIO_STATUS, 0);
	must(!drv_get(&other, VIRTIO_MMIO_STATUS), "cannot be reset", bytes);
	vdev_free(vd);
	return taken;
}

void state_abuse(struct fake_driver *d, state_maker make, void *arg)
{
	static uint8_t state[VDEV_STATE_BYTES];
	uint8_t *mem = malloc(DRV_MEM_BYTES);
	size_t bytes = state_save(d, state);

	must(mem, "no memory", 0);
	memcpy(mem, d->mem, DRV_MEM_BYTES); /* damaged ones may act on it */
	for (size_t n = 0; n < bytes; n++)
		must(!try_damaged(d, make(arg), state, n),
		     "a state cut short was taken", n);
	for (size_t bit = 0; bit < 8 * bytes; bit++) {
		state[bit / 8] ^= (uint8_t)(1u << bit % 8);
		(void)try_damaged(d, make(arg), state, bytes);
		state[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	memcpy(d->mem, mem, DRV_MEM_BYTES);
	free(mem);
	resume_device(d);
}
