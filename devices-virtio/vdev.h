/* SPDX-License-Identifier: Apache-2.0 */
/* vdev.h - what every virtio device has, whatever it does and whatever carries
 * it: status, features, queues, interrupt status, a lock. Trusts: the constant
 * table of its device. Must not: know a transport's registers or KVM.
 *
 *   transport (mmio) --vdev_*()--> struct vdev --ops--> console, rng, harness
 *
 * Locking: a transport holds vd->lock around every call below except
 * vdev_free(), and so around every op. A device that acts on another thread
 * takes it with vdev_lock(). The interrupt callback runs under the lock: it
 * must not call back into the device.
 *
 * A driver that breaks the protocol breaks its device, not the VMM: it becomes
 * DEVICE_NEEDS_RESET (virtio 1.2, 2.1.2), and its queues rest until reset. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices-virtio/gmem.h"
#include "devices-virtio/queue.h"

#define VDEV_QUEUES_MAX 16u
#define VDEV_VENDOR_ID  0x504d4141u /* "AAMP" */

struct blob;
struct vdev;

/* What an interrupt is about: a queue's number, or the configuration. */
#define VDEV_CONFIG UINT32_MAX

/* How a device reaches its VM's interrupt controller; thread-safe. @source:
 * VDEV_CONFIG or a queue, for a transport that has a vector for each. */
struct vdev_host {
	void (*interrupt)(void *ctx, uint32_t source);
	void *ctx;
};

/* One constant table a device. The core checks queue index, configuration
 * range and features before it calls an op. NULL ops do nothing. */
struct vdev_ops {
	uint32_t device_id; /* virtio 1.2, section 5 */
	uint32_t queue_count;
	uint16_t queue_max;
	uint32_t config_bytes;
	int (*activate)(struct vdev *vd); /* DRIVER_OK; -EPROTO breaks */
	void (*kick)(struct vdev *vd, unsigned queue); /* driver notified */
	/* The queue's chains are gone: drop what is held of them. */
	void (*queue_stop)(struct vdev *vd, unsigned queue);
	void (*reset)(struct vdev *vd); /* after every queue_stop */
	void (*config_read)(struct vdev *vd, uint32_t off, void *dst,
			    uint32_t len);
	void (*config_write)(struct vdev *vd, uint32_t off, const void *src,
			     uint32_t len);
	/* Take nothing more (vdev_pop() gives nothing now), put back what was
	 * taken and not begun (vdev_untake()). -EAGAIN while requests are in
	 * flight. NULL: no request outlives a kick. */
	int (*quiesce)(struct vdev *vd);
	/* What the device itself knows, beside status, features and queues,
	 * which the core keeps; both directions in the same order, a version
	 * first. Nothing is in flight then. load: blob_fail(-EPROTO) for what
	 * save can never have written. */
	void (*save)(const struct vdev *vd, struct blob *to);
	void (*load)(struct vdev *vd, struct blob *from);
	void (*free)(struct vdev *vd);
};

struct vdev {
	const struct vdev_ops *ops;
	const struct gmem *gm; /* borrowed, set by vdev_connect() */
	struct vdev_host host;
	pthread_mutex_t lock;
	uint64_t features;        /* offered; ring features included */
	uint64_t driver_features; /* accepted so far */
	uint8_t status;
	bool paused;                /* takes no requests: vdev_state.h */
	uint32_t interrupt_status;  /* VIRTIO_MMIO_INT_* not yet acknowledged */
	uint32_t config_generation; /* virtio 1.2, 2.5 */
	struct vq queue[VDEV_QUEUES_MAX];
};

/* For devices */

/** vdev_init() - fill the common part of a new device.
 * @features: device-specific bits; the core adds VERSION_1, INDIRECT_DESC,
 * EVENT_IDX. Phase: set-up. */
void vdev_init(struct vdev *vd, const struct vdev_ops *ops, uint64_t features);
/** vdev_done() - undo vdev_init(). */
void vdev_done(struct vdev *vd);

void vdev_lock(struct vdev *vd);
/** vdev_trylock() - Return: is the lock ours? Never waits. */
bool vdev_trylock(struct vdev *vd);
void vdev_unlock(struct vdev *vd);

/** vdev_live() - has the driver said DRIVER_OK, and is the device whole? */
bool vdev_live(const struct vdev *vd);
/** vdev_has() - was feature @bit negotiated? */
bool vdev_has(const struct vdev *vd, unsigned bit);
/** vdev_break() - the guest broke the protocol: DEVICE_NEEDS_RESET. */
void vdev_break(struct vdev *vd);
/** vdev_pop() - vq_pop() that breaks the device on -EPROTO.
 * Return: true with a chain. */
bool vdev_pop(struct vdev *vd, unsigned queue, struct vq_chain *ret_chain);
/** vdev_untake() - put the chain popped last back, for a later vdev_pop(). */
void vdev_untake(struct vdev *vd, unsigned queue);
/** vdev_push() - vq_push() that breaks the device on failure; signal later. */
void vdev_push(struct vdev *vd, unsigned queue, const struct vq_chain *chain,
	       uint32_t written);
/** vdev_signal() - raise the queue's interrupt if the driver wants it. */
void vdev_signal(struct vdev *vd, unsigned queue);
/** vdev_config_changed() - new generation and a configuration interrupt. */
void vdev_config_changed(struct vdev *vd);

/* For transports; the lock is held */

/** vdev_connect() - give the device its guest memory and its interrupt. */
void vdev_connect(struct vdev *vd, const struct gmem *gm,
		  const struct vdev_host *host);
/** vdev_set_status() - the driver wrote @status (virtio 1.2, 2.1 and 3.1). */
void vdev_set_status(struct vdev *vd, uint32_t status);
/** vdev_features_acceptable() - is what the driver accepted so far a subset of
 * the offer, and does it know virtio 1? (3.1.1 step 5, 6.1) */
bool vdev_features_acceptable(const struct vdev *vd);
/** vdev_set_features() - the driver accepted @bits of word @word. */
void vdev_set_features(struct vdev *vd, uint32_t word, uint32_t bits);
/** vdev_queue_enable() - the driver made @queue ready; a bad set-up breaks
 * the device, a second enable is ignored. */
void vdev_queue_enable(struct vdev *vd, unsigned queue,
		       const struct vq_setup *setup);
void vdev_queue_disable(struct vdev *vd, unsigned queue);
/** vdev_kick() - the driver notified @queue; ignored when out of range, not
 * enabled, or the device is not live. */
void vdev_kick(struct vdev *vd, uint32_t queue);
/** vdev_config_read() - zeroes for what is outside the configuration space. */
void vdev_config_read(struct vdev *vd, uint64_t off, void *dst, size_t len);
void vdev_config_write(struct vdev *vd, uint64_t off, const void *src,
		       size_t len);

/** vdev_free() - end a device of any kind; NULL is legal. No thread may be
 * inside it, and its loop must not run. */
void vdev_free(struct vdev *vd);
