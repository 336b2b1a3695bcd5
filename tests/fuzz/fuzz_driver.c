/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_driver.c - see fuzz_driver.h. */
#include "tests/fuzz/fuzz_driver.h"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

void fuzz_take(struct fuzz_input *in, void *dst, size_t len)
{
	size_t n = len < in->left ? len : in->left;

	memset(dst, 0, len);
	if (!n)
		return;
	memcpy(dst, in->at, n);
	in->at += n;
	in->left -= n;
}

uint8_t fuzz_u8(struct fuzz_input *in)
{
	uint8_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

uint16_t fuzz_u16(struct fuzz_input *in)
{
	uint16_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

uint32_t fuzz_u32(struct fuzz_input *in)
{
	uint32_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

uint64_t fuzz_u64(struct fuzz_input *in)
{
	uint64_t v;

	fuzz_take(in, &v, sizeof(v));
	return v;
}

void fuzz_memory(struct fuzz_guest *g)
{
	if (!g->mem) /* exact: a sanitizer sees the first byte beyond */
		g->mem = aligned_alloc(0x1000, FUZZ_MEM_BYTES);
	if (!g->mem)
		abort();
	memset(g->mem, 0, FUZZ_MEM_BYTES);
	gm_init(&g->gm);
	if (gm_add_region(&g->gm, gpa(0), FUZZ_MEM_BYTES, g->mem))
		abort();
}

static void count_interrupt(void *ctx, uint32_t source)
{
	struct fuzz_guest *g = ctx;

	if (source != VDEV_CONFIG && source >= g->vd->ops->queue_count)
		abort();
	g->interrupts++;
}

void fuzz_attach(struct fuzz_guest *g, struct vdev *vd)
{
	const struct vdev_host host = {count_interrupt, g};

	fuzz_memory(g);
	g->vd = vd;
	vmmio_init(&g->m, vd, &g->gm, &host);
}

void fuzz_write(struct fuzz_guest *g, uint32_t reg, uint32_t value)
{
	vmmio_write(&g->m, reg, &value, sizeof(value));
}

static void start_queue(struct fuzz_guest *g, uint32_t q)
{
	uint32_t base = q * FUZZ_QUEUE_BYTES;

	fuzz_write(g, VIRTIO_MMIO_QUEUE_SEL, q);
	fuzz_write(g, VIRTIO_MMIO_QUEUE_NUM, FUZZ_QUEUE_SIZE);
	fuzz_write(g, VIRTIO_MMIO_QUEUE_DESC_LOW, base);
	fuzz_write(g, VIRTIO_MMIO_QUEUE_AVAIL_LOW, base + FUZZ_AVAIL);
	fuzz_write(g, VIRTIO_MMIO_QUEUE_USED_LOW, base + FUZZ_USED);
	fuzz_write(g, VIRTIO_MMIO_QUEUE_READY, 1);
}

void fuzz_start(struct fuzz_guest *g, uint64_t features)
{
	uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			  VIRTIO_CONFIG_S_FEATURES_OK;

	features |= 1ull << VIRTIO_F_VERSION_1;
	fuzz_write(g, VIRTIO_MMIO_STATUS, 0);
	for (uint32_t word = 0; word < 2; word++) {
		fuzz_write(g, VIRTIO_MMIO_DRIVER_FEATURES_SEL, word);
		fuzz_write(g, VIRTIO_MMIO_DRIVER_FEATURES,
			   (uint32_t)(features >> (32 * word)));
	}
	fuzz_write(g, VIRTIO_MMIO_STATUS, status);
	for (uint32_t q = 0; q < g->vd->ops->queue_count; q++)
		start_queue(g, q);
	fuzz_write(g, VIRTIO_MMIO_STATUS, status | VIRTIO_CONFIG_S_DRIVER_OK);
}

void fuzz_poke(struct fuzz_guest *g, struct fuzz_input *in)
{
	uint16_t at = fuzz_u16(in);
	size_t len = 1 + fuzz_u8(in) % 64;

	if (len > FUZZ_MEM_BYTES - at)
		len = FUZZ_MEM_BYTES - at;
	fuzz_take(in, g->mem + at, len);
}

void fuzz_access(struct fuzz_guest *g, struct fuzz_input *in)
{
	uint8_t how = fuzz_u8(in);
	uint64_t offset = fuzz_u16(in) % VMMIO_WINDOW_BYTES;
	uint64_t value = fuzz_u64(in);
	size_t len = 1u << (how & 3);

	if (how & 4) /* the registers themselves more often */
		offset &= 0x1ff;
	if (how & 8)
		vmmio_read(&g->m, offset, &value, len);
	else
		vmmio_write(&g->m, offset, &value, len);
}

void fuzz_request(struct fuzz_guest *g, struct fuzz_input *in)
{
	uint32_t q = fuzz_u8(in) % VDEV_QUEUES_MAX;
	uint32_t base = q * FUZZ_QUEUE_BYTES;
	struct vring_desc d;
	uint16_t idx, head = fuzz_u8(in) % (FUZZ_QUEUE_SIZE + 1);

	d.addr = fuzz_u32(in) % (FUZZ_MEM_BYTES + 64);
	d.len = fuzz_u16(in);
	d.flags = fuzz_u8(in) & 7;
	d.next = fuzz_u8(in) % (FUZZ_QUEUE_SIZE + 1);
	if (head < FUZZ_QUEUE_SIZE)
		memcpy(g->mem + base + 16u * head, &d, sizeof(d));
	memcpy(&idx, g->mem + base + FUZZ_AVAIL + 2, sizeof(idx));
	memcpy(g->mem + base + FUZZ_AVAIL + 4 + 2u * (idx % FUZZ_QUEUE_SIZE),
	       &head, sizeof(head));
	idx++;
	memcpy(g->mem + base + FUZZ_AVAIL + 2, &idx, sizeof(idx));
	fuzz_write(g, VIRTIO_MMIO_QUEUE_NOTIFY, q);
}
