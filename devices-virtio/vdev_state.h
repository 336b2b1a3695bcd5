/* SPDX-License-Identifier: Apache-2.0 */
/* vdev_state.h - a device's state as bytes, and a fresh device from them.
 * Trusts: nothing it reads: a saved state is checked like a driver's writes.
 * Must not: leave a device half loaded.
 *
 *   u16 version, u32 device id, u64 offered, u64 accepted features, u8 status,
 *   u32 interrupt status, u32 generation, u16 queues,
 *   each queue: u8 enabled [u16 size, u64 desc, avail, used,
 *                           u16 last_avail, next_used, signalled]
 *   u32 bytes of the device's own (vdev_ops.save), and those
 *
 *   vdev_pause() until 0 -> vdev_save() -> vdev_resume(), or another process:
 *   vdev_load() into a new device over the same guest memory -> vdev_resume()
 *
 * The device's lock is held around each; transports have functions of their
 * own that save both (vmmio_save(), vpci_save()). */
#pragma once
#include "base/blob.h"
#include "devices-virtio/vdev.h"

#define VDEV_STATE_VERSION 1u
#define VDEV_STATE_BYTES   16384u /* enough for any device and its transport */

/** vdev_pause() - take no more requests, put back those not begun.
 * Return: 0 when nothing is in flight; -EAGAIN while something is: release the
 * lock, let it finish, and call again. */
int vdev_pause(struct vdev *vd);

/** vdev_resume() - go on, looking into every queue: a kick may be lost. */
void vdev_resume(struct vdev *vd);

/** vdev_save() - append the state of a paused device. @to->err afterwards:
 * -ENOSPC when it does not fit. */
void vdev_save(const struct vdev *vd, struct blob *to);

/** vdev_load() - bring a device that its driver has not touched into the saved
 * state, paused. Return: 0; -EPROTO when the bytes are not what vdev_save()
 * writes for such a device: it is as after a reset then. */
int vdev_load(struct vdev *vd, struct blob *from);
