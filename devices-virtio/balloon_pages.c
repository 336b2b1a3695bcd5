/* SPDX-License-Identifier: Apache-2.0 */
/* balloon_pages.c - which memory a balloon gives back: page numbers of the
 * inflate queue, gathered into runs, and the spans of a report. Trusts: gmem
 * for what is RAM. Must not: touch a page, or work for longer than a visit.
 *
 * A chain that one visit does not finish stays in its work with its spans
 * advanced; the loop comes back to it. */
#include "devices-virtio/balloon_internal.h"

#include <errno.h>

#include "base/ckd.h"

#define PAGE_BYTES   4096u
#define VISIT_BYTES  (32u << 20) /* given back in one visit */
#define VISIT_CALLS  128u        /* of give_back() */
#define VISIT_CHAINS BALLOON_QUEUE_SIZE
#define BATCH        256u       /* page numbers read and sorted together */
#define PIECE_BYTES  (4u << 20) /* of a report, at a time */

struct visit {
	uint64_t bytes;
	unsigned calls, chains;
};

static bool is_over(const struct visit *v)
{
	return v->bytes >= VISIT_BYTES || v->calls >= VISIT_CALLS ||
	       v->chains >= VISIT_CHAINS;
}

bool balloon_take(struct balloon *b, unsigned queue)
{
	struct balloon_work *w = &b->work[queue];

	if (!vdev_live(&b->vd))
		return false;
	if (!w->held) {
		if (!vdev_pop(&b->vd, queue, &w->chain))
			return false;
		w->held = true;
		w->at = 0;
		w->zeroed = 0;
		w->all_zeroed = true;
	}
	return true;
}

static void give_chain(struct balloon *b, unsigned queue, uint32_t written)
{
	b->work[queue].held = false;
	vdev_push(&b->vd, queue, &b->work[queue].chain, written);
}

/** give_back() - one piece of RAM. Return: 0 or -errno. */
static int give_back(struct balloon *b, const struct iovec *span, bool zero)
{
	int err = b->give_back(b->ctx, span->iov_base, span->iov_len, zero);

	if (err)
		b->look.failures++;
	return err;
}

/* Inflate */

/** read_batch() - the next page numbers of a chain, at most BATCH.
 * Return: how many. */
static unsigned read_batch(struct balloon_work *w, uint32_t pfn[BATCH])
{
	const size_t want = BATCH * sizeof(pfn[0]);
	struct vq_chain *chain = &w->chain;
	size_t done = 0;

	while (w->at < chain->readable && done < want) {
		struct iovec *iov = &chain->iov[w->at];
		size_t n =
			gm_iov_read(iov, 1, (uint8_t *)pfn + done, want - done);

		done += n;
		iov->iov_base = (uint8_t *)iov->iov_base + n;
		iov->iov_len -= n;
		if (!iov->iov_len)
			w->at++;
	}
	return (unsigned)(done / sizeof(pfn[0]));
}

static void reverse(uint32_t *pfn, unsigned count)
{
	for (unsigned i = 0; i < count / 2; i++) {
		uint32_t first = pfn[i];

		pfn[i] = pfn[count - 1 - i];
		pfn[count - 1 - i] = first;
	}
}

/** sort() - most lists are sorted already, one way or the other. */
static void sort(uint32_t *pfn, unsigned count)
{
	if (count && pfn[0] > pfn[count - 1])
		reverse(pfn, count);
	for (unsigned i = 1; i < count; i++) {
		uint32_t value = pfn[i];
		unsigned at = i;

		for (; at > 0 && pfn[at - 1] > value; at--)
			pfn[at] = pfn[at - 1];
		pfn[at] = value;
	}
}

/** inflate_run() - @pages pages from @pfn on; what is no RAM is passed over.
 * The driver's word is all we have that they are free (5.5.6). */
static void inflate_run(struct balloon *b, struct visit *v, uint32_t pfn,
			unsigned pages)
{
	struct iovec span;

	v->calls++;
	v->bytes += (uint64_t)pages * PAGE_BYTES;
	if (!gm_iov(b->vd.gm, gpa((uint64_t)pfn * PAGE_BYTES),
		    (size_t)pages * PAGE_BYTES, &span)) {
		if (!give_back(b, &span, false))
			b->look.inflated_bytes += span.iov_len;
		return;
	}
	for (unsigned i = 0; i < pages && pages > 1; i++)
		inflate_run(b, v, pfn + i, 1);
}

static void inflate_batch(struct balloon *b, struct visit *v, uint32_t *pfn,
			  unsigned count)
{
	sort(pfn, count);
	for (unsigned i = 0, n; i < count; i += n) {
		unsigned pages = 1;

		for (n = 1; i + n < count; n++) {
			uint32_t next = pfn[i + n];

			if (next == pfn[i] + pages)
				pages++;
			else if (next != pfn[i + n - 1]) /* one named twice */
				break;
		}
		inflate_run(b, v, pfn[i], pages);
	}
}

bool balloon_inflate(struct balloon *b)
{
	struct balloon_work *w = &b->work[QUEUE_INFLATE];
	struct visit v = {0};
	uint32_t pfn[BATCH];

	while (!is_over(&v) && balloon_take(b, QUEUE_INFLATE)) {
		unsigned count;

		if (w->chain.writable ||
		    w->chain.readable_bytes % sizeof(pfn[0])) {
			vdev_break(&b->vd);
			return false;
		}
		count = read_batch(w, pfn);
		inflate_batch(b, &v, pfn, count);
		if (w->at == w->chain.readable) {
			give_chain(b, QUEUE_INFLATE, 0);
			v.chains++;
		}
	}
	vdev_signal(&b->vd, QUEUE_INFLATE);
	return is_over(&v);
}

/* Reports */

/** whole_pages() - what of a span is: the rest stays as it is. */
static struct iovec whole_pages(const struct iovec *span, size_t bytes)
{
	uintptr_t start = (uintptr_t)span->iov_base;
	uintptr_t end = start + bytes;
	size_t skip = -start & (PAGE_BYTES - 1);

	end &= ~(uintptr_t)(PAGE_BYTES - 1);
	if (skip >= bytes || start + skip >= end)
		return (struct iovec){0};
	return (struct iovec){(uint8_t *)span->iov_base + skip,
			      end - start - skip};
}

/** piece_bytes() - the next piece of a span ends at a multiple of its size, so
 * that no page lies on a border. */
static size_t piece_bytes(const struct iovec *span)
{
	size_t room =
		PIECE_BYTES - ((uintptr_t)span->iov_base & (PIECE_BYTES - 1));

	return span->iov_len < room ? span->iov_len : room;
}

/** keeps_content() - pages that are poisoned have to stay so: virtio 1.2,
 * 5.5.6.5. What we give back reads as zero. */
static bool keeps_content(const struct balloon *b)
{
	return vdev_has(&b->vd, VIRTIO_BALLOON_F_PAGE_POISON) &&
	       b->config.poison_val;
}

/** report_piece() - at the front of the span in turn. */
static void report_piece(struct balloon *b, struct visit *v,
			 struct balloon_work *w)
{
	bool zero = vdev_has(&b->vd, VIRTIO_BALLOON_F_PAGE_POISON);
	struct iovec *span = &w->chain.iov[w->at];
	size_t bytes = piece_bytes(span);
	struct iovec pages = whole_pages(span, bytes);
	bool given = pages.iov_len && !keeps_content(b) &&
		     !give_back(b, &pages, zero);

	v->calls++;
	v->bytes += bytes;
	if (given)
		b->look.reported_bytes += pages.iov_len;
	w->all_zeroed = w->all_zeroed && given && pages.iov_len == bytes;
	if (w->all_zeroed)
		w->zeroed += (uint32_t)bytes;
	span->iov_base = (uint8_t *)span->iov_base + bytes;
	span->iov_len -= bytes;
	if (!span->iov_len)
		w->at++;
}

bool balloon_report(struct balloon *b, unsigned queue)
{
	struct balloon_work *w = &b->work[queue];
	struct visit v = {0};

	while (!is_over(&v) && balloon_take(b, queue)) {
		if (w->chain.readable) {
			vdev_break(&b->vd);
			return false;
		}
		if (w->at < w->chain.writable)
			report_piece(b, &v, w);
		if (w->at == w->chain.writable) {
			give_chain(b, queue, w->zeroed);
			v.chains++;
		}
	}
	vdev_signal(&b->vd, queue);
	return is_over(&v);
}
