/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_items.c - what an epoll watches: a hash table that grows, the lists
 * that connect it with the watched files, and how deep epolls are nested. */
#include "kernels/mote/fs/epoll_items.h"

#include <linux/errno.h>

#include "kernels/mote/fs/epoll.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/poll.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"

#define BUCKETS_FIRST 16u

static uint32_t items; /* of all epolls */
static uint32_t round; /* of measuring */

static struct epoll_item **bucket_of(const struct epoll *e,
				     const struct file *f, int fd)
{
	uint64_t hash = ((uint64_t)f ^ (uint32_t)fd) * 0x9e3779b97f4a7c15ull;

	return &e->bucket[hash >> 32 & (e->buckets - 1)];
}

int epoll_table_new(struct epoll *e)
{
	list_init(&e->ready);
	e->bucket = kzalloc(BUCKETS_FIRST * sizeof(*e->bucket));
	e->buckets = BUCKETS_FIRST;
	return e->bucket ? 0 : -ENOMEM;
}

void epoll_table_free(struct epoll *e)
{
	for (uint32_t i = 0; i < e->buckets; i++)
		while (e->bucket[i])
			epoll_item_free(e->bucket[i]);
	kfree(e->bucket);
}

/* Without memory for it the lists just get longer. */
static void grow(struct epoll *e)
{
	struct epoll old = *e;

	e->bucket = kzalloc(2ul * old.buckets * sizeof(*e->bucket));
	if (!e->bucket) {
		e->bucket = old.bucket;
		return;
	}
	e->buckets = 2 * old.buckets;
	for (uint32_t i = 0; i < old.buckets; i++) {
		struct epoll_item *item = old.bucket[i], *next;

		for (; item; item = next) {
			struct epoll_item **to =
				bucket_of(e, item->file, item->fd);

			next = item->hash_next;
			item->hash_next = *to;
			*to = item;
		}
	}
	kfree(old.bucket);
}

struct epoll_item *epoll_item_find(struct epoll *e, const struct file *f,
				   int fd)
{
	struct epoll_item *item = *bucket_of(e, f, fd);

	while (item && (item->file != f || item->fd != fd))
		item = item->hash_next;
	return item;
}

/* The file changed, perhaps. An item that is to be looked at already has woken
 * whoever waits; that also ends a walk through epolls in epolls. */
static void told(struct waiter *w)
{
	struct epoll_item *item = w->private;

	if (!list_empty(&item->in_ready))
		return;
	list_push(&item->epoll->ready, &item->in_ready);
	waitq_wake(&item->epoll->waitq);
}

struct epoll_item *epoll_item_new(struct epoll *e, struct file *f, int fd)
{
	struct waitq *waitq = poll_waitq(f);
	struct epoll_item *item, **bucket;

	if (items >= EPOLL_ITEMS_MAX)
		return NULL;
	item = kzalloc(sizeof(*item));
	if (!item)
		return NULL;
	if (e->count >= e->buckets)
		grow(e);
	item->epoll = e;
	item->file = f;
	item->fd = fd;
	item->waiter.wake = told;
	item->waiter.private = item;
	list_init(&item->in_ready);
	if (!f->watchers.next)
		list_init(&f->watchers);
	list_push(&f->watchers, &item->in_file);
	bucket = bucket_of(e, f, fd);
	item->hash_next = *bucket;
	*bucket = item;
	if (waitq)
		waitq_add(waitq, &item->waiter);
	e->count++;
	items++;
	return item;
}

void epoll_item_free(struct epoll_item *item)
{
	/* Freed items have left their bucket, which the analyzer cannot see.
	 * NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	struct epoll *e = item->epoll;
	struct epoll_item **link = bucket_of(e, item->file, item->fd);

	while (*link != item)
		link = &(*link)->hash_next;
	*link = item->hash_next;
	waitq_remove(&item->waiter);
	list_remove(&item->in_ready);
	list_remove(&item->in_file);
	e->count--;
	items--;
	kfree(item);
}

void epoll_forget(struct file *f)
{
	while (!list_empty(&f->watchers))
		epoll_item_free(container_of(f->watchers.next,
					     struct epoll_item, in_file));
}

/* How many epolls deep @e is, itself included; each is measured once in a
 * round. The recursion is as deep as epolls are nested. @sought: found on the
 * way if its round is set. */
static uint32_t depth_below(struct epoll *e)
{
	uint32_t deepest = 0;

	if (e->round == round)
		return e->depth;
	e->round = round;
	for (uint32_t i = 0; i < e->buckets; i++) {
		struct epoll_item *item = e->bucket[i];

		for (; item; item = item->hash_next) {
			struct epoll *inner = epoll_of(item->file);

			if (inner)
				deepest = MAX(deepest, depth_below(inner));
		}
	}
	e->depth = deepest + 1;
	return e->depth;
}

static uint32_t depth_above(struct epoll *e)
{
	uint32_t deepest = 0;

	if (e->round == round)
		return e->depth;
	e->round = round;
	if (e->file->watchers.next)
		LIST_EACH(at, &e->file->watchers) {
			struct epoll_item *item =
				container_of(at, struct epoll_item, in_file);

			deepest = MAX(deepest, depth_above(item->epoll));
		}
	e->depth = deepest + 1;
	return e->depth;
}

int epoll_nesting(struct epoll *e, struct epoll *inner)
{
	uint32_t below, above;

	round++;
	below = depth_below(inner);
	if (e->round == round) /* reached from there */
		return -ELOOP;
	round++;
	above = depth_above(e);
	return above + below > EPOLL_DEPTH_MAX ? -ELOOP : 0;
}
