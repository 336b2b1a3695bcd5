/* SPDX-License-Identifier: Apache-2.0 */
/* queue.c - split rings, device side. Trusts: its own struct vq. Must not:
 * believe any byte of the rings; see queue.h. */
#include "devices-virtio/queue.h"

#include <errno.h>
#include <linux/virtio_ring.h>
#include <stdatomic.h>
#include <string.h>

#include "base/ckd.h"

#define DESC_BYTES      16u
#define USED_ELEM_BYTES 8u
#define RING_FLAGS      0u /* offsets in either ring */
#define RING_IDX        2u
#define RING_ENTRIES    4u

struct area {
	gpa_t at;
	uint64_t bytes;
	uint64_t align;
};

/* Where a walk reads its next descriptor. */
struct table {
	gpa_t at;
	uint32_t count;
};

static gpa_t gpa_at(gpa_t base, uint64_t off)
{
	return gpa(base.v + off); /* in an area that vq_enable() checked */
}

static bool area_ok(const struct gmem *gm, const struct area *a)
{
	struct iovec span;

	return a->at.v % a->align == 0 && !gm_iov(gm, a->at, a->bytes, &span);
}

static bool areas_apart(const struct area *a, const struct area *b)
{
	return a->at.v + a->bytes <= b->at.v || b->at.v + b->bytes <= a->at.v;
}

int vq_enable(struct vq *vq, const struct gmem *gm,
	      const struct vq_setup *setup)
{
	uint64_t n = setup->size;
	const struct area area[3] = {
		{setup->desc, DESC_BYTES * n, 16},
		{setup->avail, RING_ENTRIES + 2 * n + 2, 2},
		{setup->used, RING_ENTRIES + USED_ELEM_BYTES * n + 2, 4},
	};

	if (!is_pow2(n) || n > setup->max_size || n > VQ_SIZE_MAX)
		return -EPROTO;
	for (unsigned i = 0; i < 3; i++) {
		if (!area_ok(gm, &area[i]))
			return -EPROTO;
	}
	if (!areas_apart(&area[0], &area[1]) ||
	    !areas_apart(&area[1], &area[2]) ||
	    !areas_apart(&area[0], &area[2]))
		return -EPROTO;
	*vq = (struct vq){
		.gm = gm,
		.desc = setup->desc,
		.avail = setup->avail,
		.used = setup->used,
		.size = (uint16_t)n,
		.enabled = true,
		.event_idx = setup->event_idx,
		.indirect = setup->indirect,
	};
	return 0;
}

void vq_disable(struct vq *vq)
{
	memset(vq, 0, sizeof(*vq));
}

/** ask_for_kick() - tell the driver that the next entry deserves a kick, then
 * let the caller look again: an entry added before the driver could see this
 * would otherwise never be announced (virtio 1.2, 2.7.10.1). */
static int ask_for_kick(struct vq *vq)
{
	gpa_t event =
		gpa_at(vq->used, RING_ENTRIES + USED_ELEM_BYTES * vq->size);
	int err = gm_store16(vq->gm, event, vq->last_avail);

	atomic_thread_fence(memory_order_seq_cst);
	return err;
}

/** avail_count() - how many requests wait. Return: 0..size, or -EPROTO when
 * the driver's index is further ahead than its ring is long. */
static int avail_count(const struct vq *vq)
{
	uint16_t idx;

	if (gm_load16(vq->gm, gpa_at(vq->avail, RING_IDX), &idx))
		return -EPROTO;
	idx = (uint16_t)(idx - vq->last_avail);
	return idx <= vq->size ? idx : -EPROTO;
}

/** chain_add() - append a checked span. Readable ones come first (2.7.4.2). */
static int chain_add(const struct vq *vq, struct vq_chain *chain,
		     const struct vring_desc *d)
{
	uint32_t n = (uint32_t)chain->readable + chain->writable;
	bool write = d->flags & VRING_DESC_F_WRITE;

	if (n == vq->size || (chain->writable && !write))
		return -EPROTO;
	if (write ? gm_iov(vq->gm, gpa(d->addr), d->len, &chain->iov[n])
		  : gm_iov_source(vq->gm, gpa(d->addr), d->len, &chain->iov[n]))
		return -EPROTO;
	if (write) {
		chain->writable++;
		chain->writable_bytes += d->len;
	} else {
		chain->readable++;
		chain->readable_bytes += d->len;
	}
	return chain->readable_bytes + chain->writable_bytes > VQ_CHAIN_BYTES
		       ? -EPROTO
		       : 0;
}

static int read_desc(const struct vq *vq, const struct table *table,
		     uint32_t index, struct vring_desc *ret)
{
	if (index >= table->count)
		return -EPROTO;
	if (gm_read(vq->gm, gpa_at(table->at, DESC_BYTES * (uint64_t)index),
		    ret, sizeof(*ret)))
		return -EPROTO;
	return 0;
}

/** walk() - follow a chain in one table. A cycle ends at the length limit of
 * chain_add(), so at most size + 1 descriptors are read.
 * @ret_indirect: set when the chain ends in an indirect descriptor; NULL
 * inside an indirect table, where none may follow (2.7.5.3.1). */
static int walk(const struct vq *vq, const struct table *table, uint32_t index,
		struct vq_chain *chain, struct vring_desc *ret_indirect)
{
	struct vring_desc d;
	int err;

	do {
		err = read_desc(vq, table, index, &d);
		if (err)
			return err;
		if (d.flags & VRING_DESC_F_INDIRECT) {
			if (!ret_indirect || (d.flags & VRING_DESC_F_NEXT))
				return -EPROTO;
			*ret_indirect = d;
			return 0;
		}
		err = chain_add(vq, chain, &d);
		if (err)
			return err;
		index = d.next;
	} while (d.flags & VRING_DESC_F_NEXT);
	return 0;
}

/** walk_indirect() - the table an indirect descriptor names (2.7.5.3). */
static int walk_indirect(const struct vq *vq, const struct vring_desc *d,
			 struct vq_chain *chain)
{
	struct table table = {gpa(d->addr), d->len / DESC_BYTES};
	struct iovec span;

	if (!vq->indirect || !d->len || d->len % DESC_BYTES)
		return -EPROTO;
	if (table.count > vq->size || gm_iov(vq->gm, table.at, d->len, &span))
		return -EPROTO;
	return walk(vq, &table, 0, chain, NULL);
}

static int read_chain(const struct vq *vq, uint16_t head,
		      struct vq_chain *chain)
{
	const struct table table = {vq->desc, vq->size};
	struct vring_desc indirect = {.len = 0, .flags = 0};
	int err;

	chain->head = head;
	chain->readable = chain->writable = 0;
	chain->readable_bytes = chain->writable_bytes = 0;
	err = walk(vq, &table, head, chain, &indirect);
	if (!err && (indirect.flags & VRING_DESC_F_INDIRECT))
		err = walk_indirect(vq, &indirect, chain);
	return err;
}

int vq_pop(struct vq *vq, struct vq_chain *ret_chain)
{
	uint64_t slot;
	uint16_t head;
	int n;

	if (!vq->enabled)
		return 0;
	n = avail_count(vq);
	if (n == 0 && vq->event_idx) {
		if (ask_for_kick(vq))
			return -EPROTO;
		n = avail_count(vq);
	}
	if (n <= 0)
		return n;
	slot = vq->last_avail & (vq->size - 1u); /* ours, not the guest's */
	if (gm_load16(vq->gm, gpa_at(vq->avail, RING_ENTRIES + 2 * slot),
		      &head))
		return -EPROTO;
	if (read_chain(vq, head, ret_chain))
		return -EPROTO;
	vq->last_avail++;
	return 1;
}

void vq_untake(struct vq *vq)
{
	if (vq->enabled)
		vq->last_avail--;
}

int vq_push(struct vq *vq, uint16_t head, uint32_t written)
{
	const struct vring_used_elem elem = {.id = head, .len = written};
	uint64_t slot = vq->next_used & (vq->size - 1u);

	if (!vq->enabled)
		return 0;
	if (gm_write(vq->gm,
		     gpa_at(vq->used, RING_ENTRIES + USED_ELEM_BYTES * slot),
		     &elem, sizeof(elem)))
		return -EPROTO;
	vq->next_used++;
	if (gm_store16(vq->gm, gpa_at(vq->used, RING_IDX), vq->next_used))
		return -EPROTO;
	return 0;
}

bool vq_wants_signal(struct vq *vq)
{
	uint16_t fresh = (uint16_t)(vq->next_used - vq->signalled);
	uint16_t word = 0;

	if (!vq->enabled || !fresh)
		return false;
	vq->signalled = vq->next_used;
	/* The used index above must be visible before we look at what the
	 * driver wants: it writes its wish, then looks at the index. */
	atomic_thread_fence(memory_order_seq_cst);
	if (!vq->event_idx) {
		if (gm_load16(vq->gm, gpa_at(vq->avail, RING_FLAGS), &word))
			return false;
		return !(word & VRING_AVAIL_F_NO_INTERRUPT);
	}
	if (gm_load16(vq->gm, gpa_at(vq->avail, RING_ENTRIES + 2ull * vq->size),
		      &word))
		return false;
	/* Did next_used pass used_event since the last decision? (2.7.10.1) */
	return (uint16_t)(vq->next_used - word - 1) < fresh;
}
