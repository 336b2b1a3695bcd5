/* SPDX-License-Identifier: Apache-2.0 */
/* balloon_size.c - the balloon itself. Its pages are allocated and never
 * touched; their numbers stand in pages of their own, each of which is what
 * one or more requests to the device point at:
 *
 *   lists -> | next | count | number, number, ... | -> | next | count | ...
 *
 * It grows as far as the host asks and enough is left; when memory is short it
 * shrinks before anything is ended for it, and stays so for a while. */
#include <stddef.h>

#include "kernels/mote/drv/balloon.h"
#include "kernels/mote/drv/balloon_internal.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/timer.h"
#include "kernels/mote/proc/wait.h"

#define CONFIG        0x100u /* of the registers' page */
#define CONFIG_PAGES  (CONFIG + 0u)
#define CONFIG_ACTUAL (CONFIG + 4u)
#define RETRY_NS      NS_PER_SEC
#define CALM_NS       (5 * NS_PER_SEC) /* after memory was short */
#define HUGE_PAGES    512u

enum queue {
	QUEUE_INFLATE = 0,
	QUEUE_DEFLATE = 1
};

#define LIST_PAGES ((PAGE_SIZE - 16) / sizeof(uint32_t))

struct pages {
	struct pages *next;
	uint64_t count;
	uint32_t number[LIST_PAGES];
};
_Static_assert(sizeof(struct pages) == PAGE_SIZE, "a page of page numbers");

static struct virtq inflate_queue, deflate_queue;
static struct pages *lists; /* the first may have room, the others are full */
static uint64_t actual;     /* pages in all of them */
static bool sending;        /* the device is at work on the newest */
static uint64_t calm_until; /* does not grow until then */

static void retry(struct timer *t);
static struct timer timer = {.fire = retry};

static uint32_t target(void)
{
	const struct virtio_device *d = balloon_device();

	return *(volatile uint32_t *)(d->regs + CONFIG_PAGES);
}

static void tell_actual(void)
{
	const struct virtio_device *d = balloon_device();

	*(volatile uint32_t *)(d->regs + CONFIG_ACTUAL) = (uint32_t)actual;
}

/* What programs may need at once stays with them. */
static bool can_grow(void)
{
	return pages_free() > HUGE_PAGES + pages_total() / 32;
}

/* A list with room; NULL: no memory for one. */
static struct pages *open_list(void)
{
	struct pages *l = lists;

	if (l && l->count < LIST_PAGES)
		return l;
	l = page_alloc();
	if (!l)
		return NULL;
	l->next = lists;
	l->count = 0;
	lists = l;
	return l;
}

static void close_list(struct pages *l)
{
	if (!l || l->count)
		return;
	lists = l->next;
	page_unref(kva_to_pa(l));
}

/* Up to @most pages, side by side if possible. Return: how many. */
static uint64_t add_some(struct pages *l, uint64_t most)
{
	uint64_t n = most >= HUGE_PAGES ? HUGE_PAGES : 1;
	void *page = n > 1 ? pages_alloc_counted(n) : NULL;

	if (!page) {
		n = 1;
		page = page_alloc();
	}
	if (!page)
		return 0;
	for (uint64_t i = 0; i < n; i++)
		l->number[l->count++] =
			(uint32_t)((kva_to_pa(page) >> PAGE_SHIFT) + i);
	return n;
}

/* One request's worth. */
static void grow(uint64_t want)
{
	struct pages *l = open_list();
	uint64_t from = l ? l->count : 0, added = 0;
	struct phys_span span;

	want = l ? MIN(want, LIST_PAGES - from) : 0;
	while (added < want && can_grow()) {
		uint64_t n = add_some(l, want - added);

		if (!n)
			break;
		added += n;
	}
	if (!added) { /* later, perhaps */
		close_list(l);
		timer_start(&timer, deadline_after(RETRY_NS));
		return;
	}
	actual += added;
	sending = true;
	span = (struct phys_span){kva_to_pa(&l->number[from]),
				  (uint32_t)(added * sizeof(l->number[0]))};
	virtq_submit(&inflate_queue, &span, 1, 0);
	virtio_notify(balloon_device(), &inflate_queue);
}

static void free_list(struct pages *l, uint64_t count)
{
	while (count--)
		page_unref((uint64_t)l->number[--l->count] << PAGE_SHIFT);
	close_list(l);
}

/* The newest ones, one request's worth. Our device answers while it is
 * notified; a page is of use only when it has. */
static bool shrink(uint64_t want)
{
	struct pages *l = lists;
	struct phys_span span;

	if (!l || sending)
		return false;
	want = MIN(want, l->count);
	span = (struct phys_span){kva_to_pa(&l->number[l->count - want]),
				  (uint32_t)(want * sizeof(l->number[0]))};
	virtq_submit(&deflate_queue, &span, 1, 0);
	virtio_notify(balloon_device(), &deflate_queue);
	while (!virtq_is_done(&deflate_queue))
		__asm__ volatile("pause");
	virtq_skip(&deflate_queue);
	actual -= want;
	free_list(l, want);
	tell_actual();
	return true;
}

void balloon_adjust(void)
{
	uint64_t want;

	if (!balloon_device() || sending)
		return;
	want = target();
	while (actual > want)
		if (!shrink(actual - want))
			return;
	if (actual == want)
		return;
	if (clock_monotonic_ns() < calm_until)
		timer_start(&timer, calm_until);
	else
		grow(want - actual);
}

static void retry(struct timer *t)
{
	balloon_adjust();
}

void balloon_size_done(void)
{
	if (!sending || !virtq_is_done(&inflate_queue))
		return;
	virtq_skip(&inflate_queue);
	sending = false;
	tell_actual();
}

static bool is_sent(void *unused)
{
	return !sending;
}

bool balloon_shrink(void)
{
	if (!actual)
		return false;
	calm_until = deadline_after(CALM_NS);
	if (sending)
		wait_for_device(is_sent, NULL);
	return shrink(LIST_PAGES);
}

void balloon_size_start(void)
{
	balloon_queue_start(&inflate_queue, QUEUE_INFLATE);
	balloon_queue_start(&deflate_queue, QUEUE_DEFLATE);
	deflate_queue.avail_flags = VIRTQ_NO_INTERRUPT;
}
