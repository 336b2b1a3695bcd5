/* SPDX-License-Identifier: Apache-2.0 */
/* state_rig.h - what every device's test of save and load needs: move a device
 * that a driver uses into a fresh one, and feed a fresh one damaged states. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "devices-virtio/vdev_state.h"
#include "tests/unit/fake_driver.h"

/* Another device as the one under test; aborts on failure. */
typedef struct vdev *(*state_maker)(void *arg);

/** state_save() - pause the driver's device and save it. @ret: of
 * VDEV_STATE_BYTES. Return: bytes. It stays paused. */
size_t state_save(struct fake_driver *d, uint8_t *ret);

/** state_load() - bring @vd, not used before, into a saved state behind the
 * registers of @d, instead of its device, which is freed; on failure the old
 * one stays and @vd is freed. Return: of vmmio_load(). The device is paused. */
int state_load(struct fake_driver *d, struct vdev *vd, const uint8_t *state,
	       size_t bytes);

/** state_move() - save, load into @vd, save again (the bytes must be the
 * same), go on: the driver must not notice. */
void state_move(struct fake_driver *d, struct vdev *vd);

/** state_abuse() - load the current state cut at every length, which must be
 * refused, and with every bit flipped, which must be refused or leave a device
 * that can be used, saved and reset. The driver's device goes on. */
void state_abuse(struct fake_driver *d, state_maker make, void *arg);
