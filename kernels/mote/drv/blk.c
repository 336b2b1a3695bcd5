/* SPDX-License-Identifier: Apache-2.0 */
/* blk.c - the block driver.
 *
 * A request is one indirect descriptor (virtio 1.2, 2.7.5.3): its table, header
 * and status lie in one of the disk's slots, and as many as there are slots can
 * be in flight.
 *
 *   ring:  desc[s] --> slot s:  header | data ... | status
 *
 * Our VMM answers what the host's page cache has while we notify, so the used
 * ring is looked at next, and only then is it waited for. */
#include "kernels/mote/drv/blk.h"

#include <linux/errno.h>
#include <stddef.h>

#include "kernels/mote/arch/smp.h"
#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/waitq.h"

#define F_RO           (1u << 5) /* 5.2.3 */
#define F_BLK_SIZE     (1u << 6)
#define F_FLUSH        (1u << 9)
#define F_DISCARD      (1u << 13)
#define F_WRITE_ZEROES (1u << 14)
#define F_INDIRECT     (1u << 28) /* 6 */
#define F_WANTED                                                               \
	(F_RO | F_BLK_SIZE | F_FLUSH | F_DISCARD | F_WRITE_ZEROES | F_INDIRECT)

#define CONFIG_CAPACITY    0u /* 5.2.4 */
#define CONFIG_BLK_SIZE    20u
#define CONFIG_MAX_DISCARD 36u
#define CONFIG_MAX_ZEROES  48u

#define DESC_INDIRECT 4u
#define SLOTS         16u
#define SLOT_PAGES    8u     /* two slots a page */
#define SPINS         20000u /* before sleeping where devices are polled */

enum status {
	STATUS_OK = 0,
	STATUS_UNSUPPORTED = 2,
	STATUS_NONE = 0xff, /* ours: not answered */
};

/* Shared with the device. */
struct slot {
	struct virtq_desc table[BLK_SPANS_MAX + 2];
	struct {
		uint32_t type, reserved;
		uint64_t sector;
	} header;
	struct {
		uint64_t sector;
		uint32_t count, flags;
	} range;
	uint8_t status;
	bool busy, done; /* the driver's own */
} __attribute__((aligned(16)));
_Static_assert(sizeof(struct slot) <= PAGE_SIZE * SLOT_PAGES / SLOTS, "");

struct blk_disk {
	struct virtio_device *device;
	struct slot *slot[SLOTS];
	struct waitq waitq;
	uint64_t sectors;
	uint32_t block_bytes;
	uint32_t features;
	uint32_t waiting;               /* threads that want interrupts */
	uint32_t discard_max, zero_max; /* sectors of a request */
	bool tried;
};

static struct blk_disk disks[BLK_DISKS_MAX];
static struct virtq queues[BLK_DISKS_MAX];

static struct virtq *queue_of(const struct blk_disk *d)
{
	return &queues[d - disks];
}

/* Start */

bool blk_exists(uint32_t n)
{
	return n < BLK_DISKS_MAX && virtio_find_nth(VIRTIO_ID_BLOCK, n);
}

static bool make_slots(struct blk_disk *d)
{
	uint8_t *at = pages_alloc_counted(SLOT_PAGES);

	if (!at)
		return false;
	memset(at, 0, SLOT_PAGES * PAGE_SIZE);
	for (unsigned i = 0; i < SLOTS; i++)
		d->slot[i] = (struct slot *)(at + i * PAGE_SIZE * SLOT_PAGES /
							  SLOTS);
	return true;
}

static void read_config(struct blk_disk *d)
{
	const struct virtio_device *v = d->device;

	d->sectors = virtio_config64(v, CONFIG_CAPACITY);
	d->sectors = MIN(d->sectors, INT64_MAX / BLK_SECTOR);
	d->block_bytes = BLK_SECTOR;
	if (d->features & F_BLK_SIZE)
		d->block_bytes = virtio_config32(v, CONFIG_BLK_SIZE);
	if (d->block_bytes < BLK_SECTOR || d->block_bytes > PAGE_SIZE ||
	    (d->block_bytes & (d->block_bytes - 1)))
		d->block_bytes = BLK_SECTOR;
	if (d->features & F_DISCARD)
		d->discard_max = virtio_config32(v, CONFIG_MAX_DISCARD);
	if (d->features & F_WRITE_ZEROES)
		d->zero_max = virtio_config32(v, CONFIG_MAX_ZEROES);
}

/* Take what is done off the ring. */
static void reap(struct blk_disk *d)
{
	struct virtq *q = queue_of(d);
	bool any = false;

	while (virtq_is_done(q)) {
		uint32_t id = q->used[q->seen++ & (q->size - 1)].id;

		if (id < SLOTS)
			d->slot[id]->done = any = true;
	}
	if (any)
		waitq_wake(&d->waitq);
}

static void interrupt(void)
{
	for (unsigned i = 0; i < BLK_DISKS_MAX; i++) {
		if (!disks[i].slot[0])
			continue;
		virtio_ack(disks[i].device);
		reap(&disks[i]);
	}
}

static bool start(struct blk_disk *d)
{
	struct virtq *q = queue_of(d);

	d->features = virtio_features(d->device) & F_WANTED;
	if (!(d->features & F_INDIRECT) ||
	    virtio_negotiate(d->device, d->features) || !make_slots(d))
		return false;
	read_config(d);
	q->size = VIRTQ_SIZE;
	q->avail_flags = VIRTQ_NO_INTERRUPT;
	d->device->interrupt = interrupt;
	virtio_queue_start(d->device, q);
	virtio_run(d->device);
	return true;
}

struct blk_disk *blk_get(uint32_t n)
{
	struct blk_disk *d = &disks[n];

	if (n >= BLK_DISKS_MAX)
		return NULL;
	if (!d->tried) {
		d->tried = true;
		d->device = virtio_find_nth(VIRTIO_ID_BLOCK, n);
		if (d->device && !start(d)) {
			kprintf("mote: disk %u cannot be used: it has no "
				"indirect descriptors, or there is no memory\n",
				n);
			d->device = NULL;
		}
	}
	return d->device ? d : NULL;
}

uint64_t blk_bytes(const struct blk_disk *d)
{
	return d->sectors * BLK_SECTOR;
}

uint32_t blk_block_bytes(const struct blk_disk *d)
{
	return d->block_bytes;
}

bool blk_is_read_only(const struct blk_disk *d)
{
	return d->features & F_RO;
}

/* Requests */

/* The last one is for who lets nobody else run, and so give one back. */
static struct slot *free_slot(const struct blk_disk *d, enum blk_wait wait)
{
	if (wait == BLK_STAYS)
		return d->slot[SLOTS - 1];
	for (unsigned i = 0; i < SLOTS - 1; i++)
		if (!d->slot[i]->busy)
			return d->slot[i];
	return NULL;
}

static bool has_free_slot(void *arg)
{
	reap(arg);
	return free_slot(arg, BLK_SLEEPS);
}

struct awaited {
	struct blk_disk *disk;
	const struct slot *slot;
};

static bool is_done(void *arg)
{
	const struct awaited *w = arg;

	reap(w->disk);
	return w->slot->done;
}

/* A CPU that idles lets others into the kernel: with more than one, who lets
 * nobody else run keeps on looking. */
static void stand_still(bool (*ready)(void *arg), void *arg)
{
	if (smp_possible() == 1)
		wait_for_device(ready, arg);
	while (!ready(arg))
		__asm__ volatile("pause");
}

/* With interrupts on as long as anybody waits. */
static void wait_for(struct blk_disk *d, bool (*ready)(void *arg), void *arg,
		     enum blk_wait wait)
{
	for (unsigned i = 0; !d->device->ours && i < SPINS && !ready(arg); i++)
		__asm__ volatile("pause");
	if (ready(arg))
		return;
	d->waiting++;
	virtq_interrupts(queue_of(d), true);
	if (wait == BLK_SLEEPS)
		waitq_wait_device(&d->waitq, ready, arg);
	else
		stand_still(ready, arg);
	if (!--d->waiting)
		virtq_interrupts(queue_of(d), false);
}

static struct slot *take_slot(struct blk_disk *d, enum blk_wait wait)
{
	struct slot *s = free_slot(d, wait);

	while (!s) {
		wait_for(d, has_free_slot, d, wait);
		s = free_slot(d, wait);
	}
	s->busy = true;
	s->done = false;
	s->status = STATUS_NONE;
	return s;
}

static void put_desc(struct slot *s, uint32_t i, const void *at, uint32_t bytes,
		     uint32_t flags)
{
	s->table[i] = (struct virtq_desc){
		.addr = kva_to_pa(at),
		.len = bytes,
		.flags = (uint16_t)flags,
		.next = (uint16_t)(i + 1),
	};
}

/* Make slot @s with @count descriptors available, and tell. */
static void submit(struct blk_disk *d, struct slot *s, uint32_t count)
{
	struct virtq *q = queue_of(d);
	uint16_t id = 0;

	while (d->slot[id] != s)
		id++;
	q->desc[id] = (struct virtq_desc){
		.addr = kva_to_pa(s->table),
		.len = (uint32_t)(count * sizeof(s->table[0])),
		.flags = DESC_INDIRECT,
	};
	q->avail[q->avail_idx & (q->size - 1)] = id;
	__asm__ volatile("" ::: "memory"); /* x86 keeps stores in order */
	q->avail_idx++;
	virtio_notify(d->device, q);
}

/* Header, @spans, status; and wait. 0, -EIO, -EOPNOTSUPP. */
static int run(struct blk_disk *d, struct slot *s,
	       const struct phys_span *spans, uint32_t count,
	       enum blk_wait wait)
{
	uint32_t flags = s->header.type == BLK_READ ? VIRTQ_DESC_WRITE : 0;
	struct awaited w = {d, s};
	uint8_t status;

	put_desc(s, 0, &s->header, sizeof(s->header), VIRTQ_DESC_NEXT);
	for (uint32_t i = 0; i < count; i++)
		s->table[i + 1] = (struct virtq_desc){
			.addr = spans[i].pa,
			.len = spans[i].bytes,
			.flags = (uint16_t)(flags | VIRTQ_DESC_NEXT),
			.next = (uint16_t)(i + 2),
		};
	put_desc(s, count + 1, &s->status, 1, VIRTQ_DESC_WRITE);
	submit(d, s, count + 2);
	wait_for(d, is_done, &w, wait);
	status = *(volatile uint8_t *)&s->status;
	s->busy = false;
	waitq_wake(&d->waitq); /* who wants a slot */
	if (status == STATUS_UNSUPPORTED)
		return -EOPNOTSUPP;
	return status == STATUS_OK ? 0 : -EIO;
}

int blk_transfer(struct blk_disk *d, enum blk_type type, uint64_t sector,
		 const struct phys_span *spans, uint32_t count,
		 enum blk_wait wait)
{
	struct slot *s = take_slot(d, wait);

	s->header.type = type;
	s->header.sector = sector;
	return run(d, s, spans, count, wait) ? -EIO : 0;
}

int blk_flush(struct blk_disk *d)
{
	struct slot *s;

	if (!(d->features & F_FLUSH)) /* all is stable when it is answered */
		return 0;
	s = take_slot(d, BLK_SLEEPS);
	s->header.type = BLK_FLUSH;
	s->header.sector = 0;
	return run(d, s, NULL, 0, BLK_SLEEPS) ? -EIO : 0;
}

int blk_range(struct blk_disk *d, enum blk_type type, uint64_t sector,
	      uint64_t count)
{
	uint64_t most = type == BLK_DISCARD ? d->discard_max : d->zero_max;
	int err = 0;

	if (!most)
		return -EOPNOTSUPP;
	while (count && !err) {
		uint64_t n = MIN(count, most);
		struct slot *s = take_slot(d, BLK_SLEEPS);
		struct phys_span span = {kva_to_pa(&s->range),
					 sizeof(s->range)};

		s->header.type = type;
		s->header.sector = 0;
		s->range.sector = sector;
		s->range.count = (uint32_t)n;
		s->range.flags = 0;
		err = run(d, s, &span, 1, BLK_SLEEPS);
		sector += n;
		count -= n;
	}
	return err;
}
