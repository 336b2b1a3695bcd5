/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_items.h - an epoll and what it watches: epoll.c waits, epoll_items.c
 * keeps the table.
 *
 *   struct epoll --- bucket[] -> item -> item      by file and descriptor
 *          \                      |
 *           ready list -> item    item->file, whose ->watchers lists its items
 *
 * An item holds no reference: when its file goes, the item goes. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/lib/list.h"
#include "kernels/mote/proc/waitq.h"

struct file;

#define EPOLL_ITEMS_MAX 131072u /* of all epolls together */
#define EPOLL_DEPTH_MAX 5u      /* epolls in epolls, the outermost included */

struct epoll {
	struct waitq waitq; /* an item became ready */
	struct list ready;  /* items to look at */
	struct epoll_item **bucket;
	uint32_t buckets; /* a power of two */
	uint32_t count;
	struct file *file; /* its own */
	/* While nesting is measured: */
	uint32_t round, depth;
};

struct epoll_item {
	struct epoll *epoll;
	struct file *file;
	int fd; /* under which it was added */
	uint32_t events;
	uint64_t data;
	struct waiter waiter;
	struct list in_ready;
	struct list in_file;
	struct epoll_item *hash_next;
};

/** epoll_table_new()/epoll_table_free() - the table of @e, without items; with
 * all its items. 0 or -ENOMEM. */
int epoll_table_new(struct epoll *e);
void epoll_table_free(struct epoll *e);

/** epoll_item_find() - NULL: not watched under that number. */
struct epoll_item *epoll_item_find(struct epoll *e, const struct file *f,
				   int fd);
/** epoll_item_new() - watch @f, which has a poll operation. The caller looks
 * at it first. NULL: no memory, or too many (EPOLL_ITEMS_MAX). */
struct epoll_item *epoll_item_new(struct epoll *e, struct file *f, int fd);
void epoll_item_free(struct epoll_item *item);

/** epoll_nesting() - may @e watch @inner? 0, or -ELOOP: it would watch itself,
 * or be too deep. */
int epoll_nesting(struct epoll *e, struct epoll *inner);
/** epoll_of() - the epoll behind @f; NULL: another kind of file. */
struct epoll *epoll_of(const struct file *f);
