/* SPDX-License-Identifier: Apache-2.0 */
/* packet.c - bytes on their way from socket to socket. Bounded: all sockets
 * together hold at most a quarter of the machine's memory. */
#include "kernels/mote/net/packet.h"

#include <linux/errno.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/net/rights.h"

#define MEMORY_SHARE 4u /* part of RAM that packets may hold */
#define SMALL_MEMORY 496u
#define HALF_MEMORY  2016u /* the two sizes kmalloc() packs well */

static uint64_t memory;

uint64_t packet_memory(void)
{
	return memory;
}

static bool memory_take(uint32_t bytes)
{
	if (memory + bytes > pages_total() * PAGE_SIZE / MEMORY_SHARE)
		return false;
	memory += bytes;
	return true;
}

static struct chunk *chunk_new(uint64_t want)
{
	uint64_t total = want + sizeof(struct chunk);
	uint32_t size = (uint32_t)PAGE_SIZE;
	struct chunk *c;

	if (total <= HALF_MEMORY)
		size = total <= SMALL_MEMORY ? SMALL_MEMORY : HALF_MEMORY;
	if (!memory_take(size))
		return NULL;
	c = size < PAGE_SIZE ? kmalloc(size) : page_alloc();
	if (!c) {
		memory -= size;
		return NULL;
	}
	*c = (struct chunk){
		.cap = size - (uint32_t)sizeof(struct chunk),
		.memory = size,
	};
	return c;
}

static void chunk_free(struct chunk *c)
{
	memory -= c->memory;
	if (c->memory < PAGE_SIZE)
		kfree(c);
	else
		page_unref(kva_to_pa(c));
}

struct packet *packet_new(void)
{
	struct packet *p;

	if (!memory_take(sizeof(*p)))
		return NULL;
	p = kzalloc(sizeof(*p));
	if (p)
		p->charge = sizeof(*p);
	else
		memory -= sizeof(*p);
	return p;
}

void packet_free(struct packet *p)
{
	if (!p)
		return;
	for (struct chunk *c = p->first, *next; c; c = next) {
		next = c->next;
		chunk_free(c);
	}
	rights_free(p->rights);
	memory -= sizeof(*p);
	kfree(p);
}

/* The last chunk if it has room, or a new one for @want bytes. */
static struct chunk *chunk_with_room(struct packet *p, uint64_t want)
{
	struct chunk *c = p->last;

	if (c && c->end < c->cap)
		return c;
	c = chunk_new(want);
	if (!c)
		return NULL;
	if (p->last)
		p->last->next = c;
	else
		p->first = c;
	p->last = c;
	p->charge += c->memory;
	return c;
}

long packet_write(struct packet *p, struct uio *u, uint64_t bytes)
{
	uint64_t done = 0;

	while (done < bytes) {
		struct chunk *c = chunk_with_room(p, bytes - done);
		uint64_t want;
		long n;

		if (!c)
			return done ? (long)done : -ENOBUFS;
		want = MIN(bytes - done, c->cap - c->end);
		n = uio_copy_in(u, c->data + c->end, want);
		if (n <= 0)
			return done ? (long)done : n;
		c->end += (uint32_t)n;
		p->bytes += (uint32_t)n;
		done += (uint64_t)n;
		if ((uint64_t)n < want)
			break;
	}
	return (long)done;
}

long packet_peek(const struct packet *p, struct uio *u, uint64_t from)
{
	uint64_t done = 0;

	for (const struct chunk *c = p->first; c && u->left; c = c->next) {
		uint64_t have = c->end - c->start, want;
		long n;

		if (from >= have) {
			from -= have;
			continue;
		}
		want = MIN(have - from, u->left);
		n = uio_copy_out(u, c->data + c->start + from, want);
		if (n <= 0)
			return done ? (long)done : n;
		done += (uint64_t)n;
		if ((uint64_t)n < want)
			break;
		from = 0;
	}
	return (long)done;
}

void queue_add(struct queue *q, struct packet *p)
{
	p->next = NULL;
	if (q->last)
		q->last->next = p;
	else
		q->first = p;
	q->last = p;
	q->packets++;
	q->charge += p->charge;
	q->bytes += p->bytes;
}

struct packet *queue_pop(struct queue *q)
{
	struct packet *p = q->first;

	if (!p)
		return NULL;
	q->first = p->next;
	if (!q->first)
		q->last = NULL;
	q->packets--;
	q->charge -= p->charge;
	q->bytes -= p->bytes;
	return p;
}

void queue_purge(struct queue *q)
{
	struct packet *p;

	while ((p = queue_pop(q)))
		packet_free(p);
}

static bool same_cred(const struct cred *a, const struct cred *b)
{
	return a->pid == b->pid && a->uid == b->uid && a->gid == b->gid;
}

/* The last packet, if @cred's bytes may join it: where files were handed over,
 * a read has to end. */
static struct packet *joinable(struct queue *q, const struct cred *cred,
			       const struct rights *rights)
{
	struct packet *p = q->last;

	if (!p || rights || p->rights || !same_cred(&p->cred, cred))
		return NULL;
	return p->bytes < UINT32_MAX / 2 ? p : NULL;
}

static long append_packet(struct queue *q, struct uio *u, uint64_t bytes,
			  const struct cred *cred, struct rights *rights)
{
	struct packet *p = packet_new();
	long n;

	if (!p)
		return -ENOBUFS;
	p->cred = *cred;
	n = packet_write(p, u, bytes);
	if (n <= 0) {
		packet_free(p);
		return n;
	}
	p->rights = rights;
	queue_add(q, p);
	return n;
}

long queue_append(struct queue *q, struct uio *u, uint64_t bytes,
		  const struct cred *cred, struct rights *rights)
{
	struct packet *p = joinable(q, cred, rights);
	uint32_t charge;
	long n;

	if (!p)
		return append_packet(q, u, bytes, cred, rights);
	charge = p->charge;
	n = packet_write(p, u, bytes);
	q->charge += p->charge - charge;
	q->bytes += n > 0 ? (uint64_t)n : 0;
	return n;
}

/* Chunks read to their end go. */
static void packet_trim(struct queue *q, struct packet *p)
{
	while (p->first && p->first->start == p->first->end) {
		struct chunk *c = p->first;

		p->first = c->next;
		if (!p->first)
			p->last = NULL;
		p->charge -= c->memory;
		q->charge -= c->memory;
		chunk_free(c);
	}
}

long queue_consume(struct queue *q, struct uio *u)
{
	struct packet *p = q->first;
	uint64_t done = 0;

	while (p->bytes && u->left) {
		struct chunk *c = p->first;
		uint64_t want = MIN(c->end - c->start, u->left);
		long n = uio_copy_out(u, c->data + c->start, want);

		if (n <= 0)
			return done ? (long)done : n;
		c->start += (uint32_t)n;
		p->bytes -= (uint32_t)n;
		q->bytes -= (uint32_t)n;
		done += (uint64_t)n;
		packet_trim(q, p);
		if ((uint64_t)n < want)
			break;
	}
	return (long)done;
}

void queue_drop_read(struct queue *q)
{
	if (q->first && !q->first->bytes)
		packet_free(queue_pop(q));
}
