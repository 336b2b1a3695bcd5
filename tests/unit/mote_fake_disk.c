/* SPDX-License-Identifier: Apache-2.0 */
/* mote_fake_disk.c - see mote_fake_disk.h. Instead of drv/virtio.c, whose
 * registers need a device behind them. */
#include "tests/unit/mote_fake_disk.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/mm/page.h"

#define DESC_INDIRECT 4u
#define F_INDIRECT    (1u << 28)
#define F_FLUSH       (1u << 9)
#define SPANS_MAX     (BLK_SPANS_MAX + 2)

struct header {
	uint32_t type, reserved;
	uint64_t sector;
};

struct chain { /* a request as it lies in memory */
	struct header header;
	struct virtq_desc span[SPANS_MAX];
	uint32_t spans;
	uint64_t bytes;
	uint8_t *status;
};

struct fake_disk fake_disk[FAKE_DISKS];
static struct virtio_device device[FAKE_DISKS];
static uint8_t registers[FAKE_DISKS][4096] __attribute__((aligned(8)));
static struct virtq *queue[FAKE_DISKS];
static uint16_t looked[FAKE_DISKS];
static bool running[FAKE_DISKS];

void fake_disk_make(unsigned n, uint64_t sectors)
{
	struct fake_disk *d = &fake_disk[n];

	*d = (struct fake_disk){.sectors = sectors, .status = -1};
	d->features = F_INDIRECT | F_FLUSH;
	d->data = malloc(sectors * BLK_SECTOR);
	for (uint64_t i = 0; i < sectors; i++)
		memset(d->data + i * BLK_SECTOR, (uint8_t)(i * 7 + 1),
		       BLK_SECTOR);
}

static unsigned number_of(const struct virtio_device *v)
{
	return (unsigned)(v - device);
}

struct virtio_device *virtio_find_nth(uint32_t id, uint32_t n)
{
	cr_assert_eq(id, VIRTIO_ID_BLOCK);
	if (n >= FAKE_DISKS || !fake_disk[n].data)
		return NULL;
	device[n].regs = registers[n];
	device[n].ours = !fake_disk[n].by_interrupts;
	return &device[n];
}

uint32_t virtio_features(const struct virtio_device *v)
{
	return fake_disk[number_of(v)].features;
}

int virtio_negotiate(const struct virtio_device *v, uint32_t features)
{
	const struct fake_disk *d = &fake_disk[number_of(v)];

	cr_assert(!(features & ~d->features), "features not offered");
	return d->refuses ? -ENODEV : 0;
}

uint32_t virtio_config32(const struct virtio_device *v, uint32_t offset)
{
	const struct fake_disk *d = &fake_disk[number_of(v)];

	switch (offset) { /* 5.2.4 */
	case 20:
		return d->block_bytes;
	case 36:
		return d->discard_max;
	case 48:
		return d->zero_max;
	default:
		cr_assert_fail("field at %u", offset);
	}
	return 0;
}

uint64_t virtio_config64(const struct virtio_device *v, uint32_t offset)
{
	cr_assert_eq(offset, 0, "capacity");
	return fake_disk[number_of(v)].sectors;
}

void virtio_queue_start(const struct virtio_device *v, struct virtq *q)
{
	cr_assert(q->size && q->size <= VIRTQ_SIZE &&
		  !(q->size & (q->size - 1)));
	queue[number_of(v)] = q;
}

void virtio_run(const struct virtio_device *v)
{
	running[number_of(v)] = true;
}

void virtio_ack(const struct virtio_device *v)
{
	cr_assert(running[number_of(v)]);
}

void fake_disk_interrupt(unsigned n)
{
	device[n].interrupt();
}

/** read_chain() - one indirect table: header, spans, status. */
static void read_chain(const struct virtq_desc *d, struct chain *ret)
{
	const struct virtq_desc *table = pa_to_va(d->addr);
	uint32_t count = d->len / sizeof(*table);

	cr_assert_eq(d->flags, DESC_INDIRECT);
	cr_assert(d->len % sizeof(*table) == 0 && count >= 2 &&
		  count - 2 <= BLK_SPANS_MAX);
	cr_assert_eq(table[0].len, sizeof(ret->header));
	memcpy(&ret->header, pa_to_va(table[0].addr), sizeof(ret->header));
	ret->spans = count - 2;
	ret->bytes = 0;
	for (uint32_t i = 0; i < count; i++) {
		bool last = i == count - 1;
		bool fills = last || (i && ret->header.type == BLK_READ);
		unsigned want = (last ? 0 : VIRTQ_DESC_NEXT) |
				(fills ? VIRTQ_DESC_WRITE : 0);

		cr_assert_eq(table[i].flags, want, "descriptor %u", i);
		cr_assert(last || table[i].next == i + 1);
		if (i && !last) {
			ret->span[i - 1] = table[i];
			ret->bytes += table[i].len;
		}
	}
	cr_assert_eq(table[count - 1].len, 1);
	ret->status = pa_to_va(table[count - 1].addr);
}

static void move(struct fake_disk *d, const struct chain *c)
{
	uint8_t *at = d->data + c->header.sector * BLK_SECTOR;

	for (uint32_t i = 0; i < c->spans; i++) {
		void *page = pa_to_va(c->span[i].addr);

		if (c->header.type == BLK_READ)
			memcpy(page, at, c->span[i].len);
		else
			memcpy(at, page, c->span[i].len);
		at += c->span[i].len;
	}
}

/** clear() - BLK_DISCARD and BLK_ZERO of one range (5.2.6.2). */
static uint8_t clear(struct fake_disk *d, const struct chain *c)
{
	struct {
		uint64_t sector;
		uint32_t count, flags;
	} range;
	uint32_t most =
		c->header.type == BLK_ZERO ? d->zero_max : d->discard_max;

	cr_assert_eq(c->bytes, sizeof(range));
	cr_assert_eq(c->header.sector, 0);
	memcpy(&range, pa_to_va(c->span[0].addr), sizeof(range));
	cr_assert(range.count && range.count <= most && !range.flags);
	cr_assert(range.sector + range.count <= d->sectors);
	if (range.sector < d->bad_to && range.sector >= d->bad_from)
		return 1;
	memset(d->data + range.sector * BLK_SECTOR, 0,
	       (size_t)range.count * BLK_SECTOR);
	return 0;
}

static uint8_t perform(struct fake_disk *d, const struct chain *c)
{
	uint64_t end = c->header.sector + c->bytes / BLK_SECTOR;

	if (d->status >= 0)
		return (uint8_t)d->status;
	if (c->header.type == BLK_DISCARD || c->header.type == BLK_ZERO)
		return clear(d, c);
	if (c->header.type == BLK_FLUSH) {
		cr_assert(!c->bytes && d->features & F_FLUSH);
		return 0;
	}
	cr_assert(c->bytes && c->bytes % BLK_SECTOR == 0 && end <= d->sectors);
	if (c->header.sector < d->bad_to && end > d->bad_from)
		return 1;
	move(d, c);
	return 0;
}

static void use(unsigned n, uint32_t id)
{
	struct virtq *q = queue[n];

	q->used[q->used_idx & (q->size - 1)].id = id;
	q->used_idx++;
}

static void serve(unsigned n)
{
	struct fake_disk *d = &fake_disk[n];
	struct virtq *q = queue[n];

	while (looked[n] != q->avail_idx) {
		uint16_t id = q->avail[looked[n]++ & (q->size - 1)];
		struct chain c;
		uint8_t status;

		cr_assert(id < q->size && d->requests < FAKE_LOG);
		read_chain(&q->desc[id], &c);
		d->log[d->requests++] = (struct fake_request){
			c.header.type, c.spans, c.header.sector, c.bytes};
		status = perform(d, &c);
		if (!d->silent)
			*c.status = status;
		if (d->noise) {
			use(n, q->size - 1);
			use(n, UINT32_MAX);
		}
		use(n, id);
	}
}

/* The last that the driver does before it waits. */
void virtq_interrupts(struct virtq *q, bool on)
{
	for (unsigned n = 0; n < FAKE_DISKS; n++) {
		struct fake_disk *d = &fake_disk[n];

		if (queue[n] != q)
			continue;
		d->interrupts = on;
		if (on && d->before)
			d->before();
		if (on)
			serve(n);
	}
}
