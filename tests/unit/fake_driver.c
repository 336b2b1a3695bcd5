/* SPDX-License-Identifier: Apache-2.0 */
/* fake_driver.c - see fake_driver.h. Aborts when the test itself is wrong. */
#include "tests/unit/fake_driver.h"

#include <assert.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/recorder.h"

static uint8_t *map_ram(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert(p != MAP_FAILED);
	return p;
}

static void count_interrupt(void *ctx, uint32_t source)
{
	struct fake_driver *d = ctx;

	d->source = source;
	d->interrupts++;
}

void drv_memory(struct fake_driver *d)
{
	memset(d, 0, sizeof(*d));
	d->mem = map_ram(DRV_MEM_BYTES);
	d->high = map_ram(DRV_HIGH_BYTES);
	gm_init(&d->gm);
	if (gm_add_region(&d->gm, gpa(0), DRV_MEM_BYTES, d->mem) ||
	    gm_add_region(&d->gm, gpa(DRV_HIGH), DRV_HIGH_BYTES, d->high))
		abort();
}

void drv_attach(struct fake_driver *d, struct vdev *vd)
{
	const struct vdev_host host = {count_interrupt, d};

	drv_memory(d);
	d->vd = vd;
	vmmio_init(&d->m, vd, &d->gm, &host);
	d->recorder = recorder_new(d, NULL);
}

void drv_done(struct fake_driver *d)
{
	recorder_free(d->recorder);
	vdev_free(d->vd);
	munmap(d->mem, DRV_MEM_BYTES);
	munmap(d->high, DRV_HIGH_BYTES);
}

void drv_read(struct fake_driver *d, uint32_t offset, void *data, size_t len)
{
	recorder_access(d->recorder, false, false, offset, NULL, len);
	vmmio_read(&d->m, offset, data, len);
	recorder_seen(d->recorder);
}

void drv_write(struct fake_driver *d, uint32_t offset, const void *data,
	       size_t len)
{
	recorder_access(d->recorder, false, true, offset, data, len);
	vmmio_write(&d->m, offset, data, len);
	recorder_seen(d->recorder);
}

uint32_t drv_get(struct fake_driver *d, uint32_t reg)
{
	uint32_t value;

	drv_read(d, reg, &value, sizeof(value));
	return value;
}

void drv_set(struct fake_driver *d, uint32_t reg, uint32_t value)
{
	drv_write(d, reg, &value, sizeof(value));
}

void *drv_at(struct fake_driver *d, uint64_t gpa)
{
	if (gpa >= DRV_HIGH)
		return d->high + (gpa - DRV_HIGH);
	assert(gpa < DRV_MEM_BYTES);
	return d->mem + gpa;
}

uint32_t drv_negotiate(struct fake_driver *d, uint64_t features)
{
	drv_set(d, VIRTIO_MMIO_STATUS, 0);
	drv_set(d, VIRTIO_MMIO_STATUS, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	drv_set(d, VIRTIO_MMIO_STATUS,
		VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	for (uint32_t word = 0; word < 2; word++) {
		drv_set(d, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
		drv_set(d, VIRTIO_MMIO_DRIVER_FEATURES,
			(uint32_t)(features >> (32 * word)));
	}
	drv_set(d, VIRTIO_MMIO_STATUS,
		VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			VIRTIO_CONFIG_S_FEATURES_OK);
	return drv_get(d, VIRTIO_MMIO_STATUS);
}

struct vq_setup drv_setup(unsigned q, uint32_t size)
{
	uint64_t base = DRV_QUEUE_BASE + (uint64_t)q * DRV_QUEUE_STRIDE;

	return (struct vq_setup){
		.size = size,
		.max_size = VQ_SIZE_MAX,
		.desc = gpa(base + DRV_DESC),
		.avail = gpa(base + DRV_AVAIL),
		.used = gpa(base + DRV_USED),
	};
}

static void set_address(struct fake_driver *d, uint32_t low, gpa_t at)
{
	drv_set(d, low, (uint32_t)at.v);
	drv_set(d, low + 4, (uint32_t)(at.v >> 32));
}

void drv_queue(struct fake_driver *d, unsigned q, uint16_t size)
{
	struct vq_setup s = drv_setup(q, size);

	memset(drv_at(d, s.desc.v), 0, DRV_QUEUE_STRIDE);
	d->ring[q] = (struct drv_ring){.size = size};
	drv_set(d, VIRTIO_MMIO_QUEUE_SEL, q);
	drv_set(d, VIRTIO_MMIO_QUEUE_NUM, size);
	set_address(d, VIRTIO_MMIO_QUEUE_DESC_LOW, s.desc);
	set_address(d, VIRTIO_MMIO_QUEUE_AVAIL_LOW, s.avail);
	set_address(d, VIRTIO_MMIO_QUEUE_USED_LOW, s.used);
	drv_set(d, VIRTIO_MMIO_QUEUE_READY, 1);
}

void drv_start(struct fake_driver *d, uint64_t features, uint16_t size)
{
	drv_negotiate(d, features | 1ull << VIRTIO_F_VERSION_1);
	for (unsigned q = 0; q < d->vd->ops->queue_count; q++)
		drv_queue(d, q, size);
	drv_set(d, VIRTIO_MMIO_STATUS,
		VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			VIRTIO_CONFIG_S_FEATURES_OK |
			VIRTIO_CONFIG_S_DRIVER_OK);
}

bool drv_broken(struct fake_driver *d)
{
	return drv_get(d, VIRTIO_MMIO_STATUS) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

struct vring_desc *drv_desc(struct fake_driver *d, unsigned q, unsigned i)
{
	struct vring_desc *table = drv_at(d, drv_setup(q, 1).desc.v);

	return &table[i];
}

void drv_put(struct fake_driver *d, unsigned q, unsigned i,
	     struct vring_desc desc)
{
	*drv_desc(d, q, i) = desc;
}

uint16_t *drv_avail_word(struct fake_driver *d, unsigned q, unsigned index)
{
	uint16_t *ring = drv_at(d, drv_setup(q, 1).avail.v);

	return &ring[index];
}

uint16_t *drv_used_word(struct fake_driver *d, unsigned q, unsigned index)
{
	uint16_t *ring = drv_at(d, drv_setup(q, 1).used.v);

	return &ring[index];
}

void drv_offer(struct fake_driver *d, unsigned q, uint16_t head)
{
	struct drv_ring *r = &d->ring[q];

	*drv_avail_word(d, q, 2u + r->avail_idx % r->size) = head;
	__atomic_store_n(drv_avail_word(d, q, 1), ++r->avail_idx,
			 __ATOMIC_RELEASE);
}

void drv_kick(struct fake_driver *d, unsigned q)
{
	drv_set(d, VIRTIO_MMIO_QUEUE_NOTIFY, q);
}

void drv_send(struct fake_driver *d, unsigned q, uint64_t gpa, uint32_t len,
	      uint16_t flags)
{
	struct drv_ring *r = &d->ring[q];
	uint16_t i = r->next_desc++ % r->size;

	drv_put(d, q, i, (struct vring_desc){gpa, len, flags, 0});
	drv_offer(d, q, i);
}

unsigned drv_used_count(struct fake_driver *d, unsigned q)
{
	uint16_t idx =
		__atomic_load_n(drv_used_word(d, q, 1), __ATOMIC_ACQUIRE);

	return (uint16_t)(idx - d->ring[q].seen_used);
}

bool drv_take(struct fake_driver *d, unsigned q, struct drv_used *ret)
{
	struct drv_ring *r = &d->ring[q];

	if (!drv_used_count(d, q))
		return false;
	memcpy(ret, drv_used_word(d, q, 2u + 4u * (r->seen_used % r->size)),
	       sizeof(*ret));
	r->seen_used++;
	return true;
}
