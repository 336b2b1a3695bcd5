/* SPDX-License-Identifier: Apache-2.0 */
/* packet.h - what waits in a socket to be read. A message is one packet, a
 * stream a few packets with a boundary only where the sender's identity or
 * handed-over files change.
 *
 *   queue --first--> packet --next--> packet
 *                      \--first--> chunk --next--> chunk    (the bytes)
 *
 * All memory counts: in ->charge of its queue, which senders respect, and in
 * one sum for the kernel, which nobody exceeds. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/net/sockname.h"

struct rights;
struct uio;

struct cred { /* as struct ucred of unix(7) */
	int32_t pid;
	uint32_t uid, gid;
};

struct route { /* of a datagram */
	struct in6_addr to;
	int hops, class; /* limit, and traffic class (TOS) */
};

struct chunk {
	struct chunk *next;
	uint32_t start, end, cap; /* of data */
	uint32_t memory;          /* bytes of the whole, as allocated */
	uint8_t data[];
};

struct packet {
	struct packet *next;
	struct chunk *first, *last;
	uint32_t bytes;        /* not read yet */
	uint32_t charge;       /* memory, this struct included */
	struct rights *rights; /* files handed over; owned; NULL: none */
	struct cred cred;      /* of the sender */
	struct route route;    /* UDP only */
	struct sockname from;  /* not of TCP */
};

struct queue {
	struct packet *first, *last;
	uint32_t packets;
	uint32_t charge;
	uint64_t bytes; /* not read yet */
};

/** packet_new() - an empty one; NULL: no memory. */
struct packet *packet_new(void);
/** packet_free() - with its bytes and rights; NULL is fine. */
void packet_free(struct packet *p);
/** packet_write() - append up to @bytes from @u. Return: bytes (fewer at a bad
 * address or without memory), -EFAULT, -ENOBUFS when none could be. */
long packet_write(struct packet *p, struct uio *u, uint64_t bytes);
/** packet_peek() - copy from byte @from on as much as @u has room for, without
 * taking it away. Return: bytes, -EFAULT. */
long packet_peek(const struct packet *p, struct uio *u, uint64_t from);

/** queue_add() - the queue takes over @p. queue_pop() - and gives back the
 * first; NULL: empty. */
void queue_add(struct queue *q, struct packet *p);
struct packet *queue_pop(struct queue *q);
/** queue_append() - bytes of a stream behind what is there. @rights belong to
 * the first of them; taken over when bytes were moved. Return: as
 * packet_write(). */
long queue_append(struct queue *q, struct uio *u, uint64_t bytes,
		  const struct cred *cred, struct rights *rights);
/** queue_consume() - read from the first packet only, taking the bytes away.
 * A packet read to its end stays until queue_drop_read(). Return: bytes,
 * -EFAULT. */
long queue_consume(struct queue *q, struct uio *u);
/** queue_drop_read() - free the first packet if nothing is left of it. */
void queue_drop_read(struct queue *q);
void queue_purge(struct queue *q);

/** packet_memory() - bytes that all packets hold now. */
uint64_t packet_memory(void);
