/* SPDX-License-Identifier: Apache-2.0 */
/* fake_driver.h - a virtio driver for tests: real rings in real memory, driven
 * through the registers of the transport. It can lie in every field.
 *
 *   gpa 0 ........ DRV_QUEUE_BASE: queue n's areas at + n * DRV_QUEUE_STRIDE
 *   gpa DRV_DATA .. buffers
 *   gpa DRV_MEM_BYTES: end of RAM; DRV_HIGH: a second, separate region
 */
#pragma once
#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices-virtio/mmio.h"

#define DRV_MEM_BYTES    (4u << 20)
#define DRV_QUEUE_BASE   0x10000u
#define DRV_QUEUE_STRIDE 0x4000u
#define DRV_DESC         0x0000u /* offsets within a queue's stride */
#define DRV_AVAIL        0x1000u
#define DRV_USED         0x2000u
#define DRV_INDIRECT     0x3000u
#define DRV_DATA         0x100000u
#define DRV_HIGH         0x100000000ull
#define DRV_HIGH_BYTES   0x10000u

struct recorder;

struct drv_ring { /* what the driver remembers of a queue */
	uint16_t size, next_desc, avail_idx, seen_used;
};

struct fake_driver {
	uint8_t *mem, *high;
	struct gmem gm;
	struct vmmio m;
	struct vdev *vd;
	struct recorder *recorder; /* NULL: nothing is recorded */
	_Atomic unsigned interrupts;
	_Atomic uint32_t source; /* of the last one */
	struct drv_ring ring[VDEV_QUEUES_MAX];
};

struct drv_used {
	uint32_t id, len;
};

/** drv_memory() - memory without a device. drv_done() ends either. */
void drv_memory(struct fake_driver *d);
/** drv_attach() - @vd behind a transport over fresh memory; owns @vd. */
void drv_attach(struct fake_driver *d, struct vdev *vd);
void drv_done(struct fake_driver *d);

/** drv_read(), drv_write() - @len bytes at @offset of the registers. */
void drv_read(struct fake_driver *d, uint32_t offset, void *data, size_t len);
void drv_write(struct fake_driver *d, uint32_t offset, const void *data,
	       size_t len);
uint32_t drv_get(struct fake_driver *d, uint32_t reg);
void drv_set(struct fake_driver *d, uint32_t reg, uint32_t value);
void *drv_at(struct fake_driver *d, uint64_t gpa);

/** drv_negotiate() - reset, then everything up to FEATURES_OK. */
uint32_t drv_negotiate(struct fake_driver *d, uint64_t features);
/** drv_queue() - make queue @q ready with @size entries. */
void drv_queue(struct fake_driver *d, unsigned q, uint16_t size);
/** drv_start() - negotiate, make all queues ready, DRIVER_OK. */
void drv_start(struct fake_driver *d, uint64_t features, uint16_t size);
bool drv_broken(struct fake_driver *d);

struct vring_desc *drv_desc(struct fake_driver *d, unsigned q, unsigned i);
/** drv_put() - write descriptor @i. */
void drv_put(struct fake_driver *d, unsigned q, unsigned i,
	     struct vring_desc desc);
/** drv_offer() - put @head on the available ring, without a kick. */
void drv_offer(struct fake_driver *d, unsigned q, uint16_t head);
void drv_kick(struct fake_driver *d, unsigned q);
/** drv_send() - offer one descriptor for @len bytes at @gpa. */
void drv_send(struct fake_driver *d, unsigned q, uint64_t gpa, uint32_t len,
	      uint16_t flags);
/** drv_used_count() - completions not yet taken by drv_take(). */
unsigned drv_used_count(struct fake_driver *d, unsigned q);
/** drv_take() - the next completion. Return: false for none. */
bool drv_take(struct fake_driver *d, unsigned q, struct drv_used *ret);
uint16_t *drv_avail_word(struct fake_driver *d, unsigned q, unsigned index);
uint16_t *drv_used_word(struct fake_driver *d, unsigned q, unsigned index);
/** drv_setup() - the same layout as an argument for vq_enable(). */
struct vq_setup drv_setup(unsigned q, uint32_t size);
