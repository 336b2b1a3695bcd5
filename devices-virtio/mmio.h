/* SPDX-License-Identifier: Apache-2.0 */
/* mmio.h - the virtio-mmio transport, version 2 (virtio 1.2, 4.2). Trusts:
 * nothing the guest writes. Must not: touch guest memory itself.
 *
 * Registers 0x000..0x0ff answer aligned 4-byte accesses only; other accesses
 * read as zero and their writes are ignored. The device's configuration space
 * follows at 0x100 and takes 1, 2, 4 or 8 bytes. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "devices-virtio/gmem.h"
#include "devices-virtio/vdev.h"

#define VMMIO_WINDOW_BYTES 0x1000u

/* What the driver wrote for a queue and not yet made ready. */
struct vmmio_queue {
	uint32_t size;
	uint64_t desc, avail, used;
};

struct blob;

struct vmmio {
	struct vdev *vd; /* borrowed */
	uint32_t features_sel, driver_features_sel, queue_sel;
	struct vmmio_queue queue[VDEV_QUEUES_MAX];
};

/** vmmio_init() - put @vd behind registers. @vd, @gm: borrowed; @host:
 * copied. Phase: set-up. */
void vmmio_init(struct vmmio *m, struct vdev *vd, const struct gmem *gm,
		const struct vdev_host *host);

/** vmmio_read() - the guest loads @len bytes at @offset of the window.
 * @data: @len bytes, always filled. Any vCPU thread. */
void vmmio_read(struct vmmio *m, uint64_t offset, void *data, size_t len);

/** vmmio_save() - append registers and device (vdev_state.h), which is
 * paused. */
void vmmio_save(struct vmmio *m, struct blob *to);

/** vmmio_load() - bring both into the saved state; the device stays paused.
 * Return: 0; -EPROTO: both are as after a reset. */
int vmmio_load(struct vmmio *m, struct blob *from);

/** vmmio_write() - the guest stores. The effect, a kick included, is done
 * when it returns. Any vCPU thread. */
void vmmio_write(struct vmmio *m, uint64_t offset, const void *data,
		 size_t len);
