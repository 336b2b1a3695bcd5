/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - see session.h. */
#include "tests/fuzz/session.h"

#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/unit/fake_driver.h"

#define GUARD 0x1000u

bool session_is(struct fuzz_input *in)
{
	if (in->left < 4 || memcmp(in->at, SESSION_MAGIC, 4) != 0)
		return false;
	in->at += 4;
	in->left -= 4;
	return true;
}

/** map() - zeroed memory between pages that nobody may touch. */
static uint8_t *map(size_t bytes)
{
	uint8_t *p = mmap(NULL, bytes + 2 * GUARD, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED ||
	    mprotect(p + GUARD, bytes, PROT_READ | PROT_WRITE))
		abort();
	return p + GUARD;
}

void session_memory(struct session *s)
{
	if (!s->mem) {
		s->mem = map(DRV_MEM_BYTES);
		s->high = map(DRV_HIGH_BYTES);
	}
	/* Only what the last input touched has pages to give back. */
	if (madvise(s->mem, DRV_MEM_BYTES, MADV_DONTNEED) ||
	    madvise(s->high, DRV_HIGH_BYTES, MADV_DONTNEED))
		abort();
	gm_init(&s->gm);
	if (gm_add_region(&s->gm, gpa(0), DRV_MEM_BYTES, s->mem) ||
	    gm_add_region(&s->gm, gpa(DRV_HIGH), DRV_HIGH_BYTES, s->high))
		abort();
}

static void on_interrupt(void *ctx, uint32_t source)
{
	struct session *s = ctx;

	if (source != VDEV_CONFIG && source >= s->vd->ops->queue_count)
		abort();
	s->interrupts++;
}

static void mmio_read(void *ctx, uint32_t offset, void *data, size_t len)
{
	vmmio_read(ctx, offset % VMMIO_WINDOW_BYTES, data, len);
}

static void mmio_write(void *ctx, uint32_t offset, const void *data, size_t len)
{
	vmmio_write(ctx, offset % VMMIO_WINDOW_BYTES, data, len);
}

void session_attach(struct session *s, struct vdev *vd)
{
	const struct vdev_host host = {on_interrupt, s};

	session_memory(s);
	s->vd = vd;
	vmmio_init(&s->m, vd, &s->gm, &host);
	s->port = (struct session_port){mmio_read, mmio_write, &s->m};
	s->other = (struct session_port){0};
}

/** area_at() - where an area begins. @ret_left: how much follows. */
static uint8_t *area_at(struct session *s, uint8_t area, uint16_t offset,
			size_t *ret_left)
{
	uint64_t base = DRV_DATA + (area % SESSION_AREAS - 16ull) * 0x10000;

	if (area % SESSION_AREAS == 64) {
		*ret_left = DRV_HIGH_BYTES - offset;
		return s->high + offset;
	}
	if (area % SESSION_AREAS < 16)
		base = DRV_QUEUE_BASE +
		       area % SESSION_AREAS * (uint64_t)DRV_QUEUE_STRIDE;
	*ret_left = DRV_MEM_BYTES - (base + offset);
	return s->mem + base + offset;
}

static uint64_t area_gpa(struct session *s, uint8_t area, uint16_t offset)
{
	size_t left;
	uint8_t *p = area_at(s, area, offset, &left);

	return area % SESSION_AREAS == 64 ? DRV_HIGH + offset
					  : (uint64_t)(p - s->mem);
}

static void access(const struct session_port *port, struct fuzz_input *in,
		   bool write)
{
	size_t len = 1u << (fuzz_u8(in) & 3);
	uint32_t offset = fuzz_u16(in);
	uint64_t value = 0;

	if (!port->read)
		return;
	if (write) {
		fuzz_take(in, &value, len);
		port->write(port->ctx, offset, &value, len);
	} else {
		port->read(port->ctx, offset, &value, len);
	}
}

static void poke(struct session *s, struct fuzz_input *in)
{
	uint8_t area = fuzz_u8(in);
	uint16_t offset = fuzz_u16(in);
	size_t left, len = 1 + fuzz_u8(in) % 64;
	uint8_t *p = area_at(s, area, offset, &left);

	fuzz_take(in, p, len < left ? len : left);
}

static void fill(struct session *s, struct fuzz_input *in)
{
	uint8_t area = fuzz_u8(in);
	uint16_t offset = fuzz_u16(in);
	size_t left, len = fuzz_u16(in);
	uint8_t *p = area_at(s, area, offset, &left);

	memset(p, fuzz_u8(in), len < left ? len : left);
}

/** request() - a chain that is formed well, of buffers that the input chose,
 * where fuzz and fake driver have a queue's rings. */
static void request(struct session *s, struct fuzz_input *in)
{
	uint32_t q = fuzz_u8(in) % VDEV_QUEUES_MAX;
	uint8_t *base = s->mem + DRV_QUEUE_BASE + q * DRV_QUEUE_STRIDE;
	uint16_t size = s->vd->queue[q].size, idx, n = 1 + fuzz_u8(in) % 8;
	struct vring_desc d;

	memcpy(&idx, base + DRV_AVAIL + 2, sizeof(idx));
	if (!size || n > size)
		return;
	for (uint16_t i = 0; i < n; i++) {
		uint8_t area = fuzz_u8(in), flags;
		uint16_t at = (uint16_t)(idx * n + i) % size;

		d.addr = area_gpa(s, area, fuzz_u16(in));
		d.len = fuzz_u16(in);
		flags = fuzz_u8(in);
		if (flags & 1)
			d.len <<= 8;
		d.flags = flags & VRING_DESC_F_WRITE;
		d.next = (uint16_t)(at + 1) % size;
		if (i + 1 < n)
			d.flags |= VRING_DESC_F_NEXT;
		memcpy(base + DRV_DESC + 16u * at, &d, sizeof(d));
	}
	n = (uint16_t)(idx * n) % size;
	memcpy(base + DRV_AVAIL + 4 + 2u * (idx % size), &n, sizeof(n));
	idx++;
	memcpy(base + DRV_AVAIL + 2, &idx, sizeof(idx));
	vdev_lock(s->vd);
	vdev_kick(s->vd, q);
	vdev_unlock(s->vd);
}

/** check() - what status claims agrees with what there is (2.1, 3.1). */
static void check(const struct vdev *vd)
{
	bool agreed = vd->status & VIRTIO_CONFIG_S_FEATURES_OK;

	if (agreed && (vd->driver_features & ~vd->features))
		abort();
	if ((vd->status & VIRTIO_CONFIG_S_DRIVER_OK) && !agreed)
		abort();
	for (uint32_t i = 0; i < vd->ops->queue_count; i++) {
		if (vd->queue[i].enabled &&
		    (!agreed || vd->queue[i].size > vd->ops->queue_max))
			abort();
	}
}

void session_run(struct session *s, struct fuzz_input *in,
		 void (*host)(void *arg, struct fuzz_input *in), void *arg)
{
	for (unsigned i = 0; i < SESSION_OPS && in->left; i++) {
		uint8_t op = fuzz_u8(in) & 7;

		switch ((enum session_op)op) {
		case SESSION_WRITE:
		case SESSION_READ:
			access(&s->port, in, op == SESSION_WRITE);
			break;
		case SESSION_POKE:
			poke(s, in);
			break;
		case SESSION_FILL:
			fill(s, in);
			break;
		case SESSION_HOST:
			if (host)
				host(arg, in);
			break;
		case SESSION_REQUEST:
			request(s, in);
			break;
		case SESSION_WRITE_OTHER:
		case SESSION_READ_OTHER:
			access(&s->other, in, op == SESSION_WRITE_OTHER);
			break;
		}
		check(s->vd);
	}
}

int session_play(struct session *s, struct vdev *vd, struct fuzz_input *in,
		 void (*host)(void *arg, struct fuzz_input *in), void *arg)
{
	session_attach(s, vd);
	session_run(s, in, host, arg);
	vdev_lock(vd);
	vdev_set_status(vd, 0);
	vdev_unlock(vd);
	if (vd->status)
		abort();
	return 0;
}
