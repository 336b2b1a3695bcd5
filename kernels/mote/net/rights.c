/* SPDX-License-Identifier: Apache-2.0 */
/* rights.c - files in messages, and the collector of sockets that nothing but
 * messages of each other hold: found by marking what descriptors reach. */
#include "kernels/mote/net/rights.h"

#include <linux/errno.h>
#include <stdbool.h>
#include <stddef.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/net/socket.h"

static uint32_t files_in_flight, sockets_in_flight;

static struct socket *local_socket(const struct file *f)
{
	struct socket *s = socket_of(f);

	return s && s->domain == AF_UNIX ? s : NULL;
}

static void take_off(const struct file *f)
{
	struct socket *s = local_socket(f);

	files_in_flight++;
	if (s) {
		s->in_flight++;
		sockets_in_flight++;
	}
}

static void land(const struct file *f)
{
	struct socket *s = local_socket(f);

	files_in_flight--;
	if (s) {
		s->in_flight--;
		sockets_in_flight--;
	}
}

static bool too_many(uint32_t more)
{
	if (files_in_flight + more > RIGHTS_IN_FLIGHT_MAX)
		rights_collect();
	return files_in_flight + more > RIGHTS_IN_FLIGHT_MAX;
}

static struct rights *rights_alloc(uint32_t room)
{
	return kzalloc(sizeof(struct rights) + room * sizeof(struct file *));
}

/* The same files, with room for @more; what was there before is gone. */
static struct rights *grow(struct rights *old, uint32_t more)
{
	uint32_t count = old ? old->count : 0;
	struct rights *r = rights_alloc(count + more);

	for (; r && r->count < count; r->count++)
		r->file[r->count] = old->file[r->count];
	if (r)
		kfree(old);
	return r;
}

int rights_add(struct rights **rights, const int *fd, uint32_t count)
{
	struct rights *r;

	if (count > RIGHTS_MAX - (*rights ? (*rights)->count : 0))
		return -EINVAL;
	if (too_many(count))
		return -ETOOMANYREFS;
	r = grow(*rights, count);
	if (!r)
		return -ENOMEM;
	*rights = r;
	for (uint32_t i = 0; i < count; i++) {
		struct file *f = file_get(fd[i]);

		if (!f)
			return -EBADF; /* the caller frees what is held */
		take_off(f);
		r->file[r->count++] = f;
	}
	return 0;
}

struct rights *rights_copy(const struct rights *rights)
{
	struct rights *r = NULL;

	if (!too_many(rights->count))
		r = rights_alloc(rights->count);
	if (!r)
		return NULL;
	for (; r->count < rights->count; r->count++) {
		r->file[r->count] = rights->file[r->count];
		file_ref(r->file[r->count]);
		take_off(r->file[r->count]);
	}
	return r;
}

struct file *rights_take(struct rights *rights, uint32_t index)
{
	struct file *f = rights->file[index];

	rights->file[index] = NULL;
	land(f);
	return f;
}

void rights_free(struct rights *rights)
{
	if (!rights)
		return;
	for (uint32_t i = 0; i < rights->count; i++)
		if (rights->file[i])
			file_unref(rights_take(rights, i));
	kfree(rights);
}

/* Sockets that no descriptor holds: every reference is a message's. */
static void find_candidates(void)
{
	for (struct socket *s = socket_first(); s; s = s->all_next)
		s->garbage = s->file && s->in_flight &&
			     s->file->refs == s->in_flight;
}

/* What the messages in @s's queue lead to is in use after all. */
static void mark_queue(const struct socket *s, struct socket **todo)
{
	for (const struct packet *p = s->rx.first; p; p = p->next)
		for (uint32_t i = 0; p->rights && i < p->rights->count; i++) {
			struct socket *t = local_socket(p->rights->file[i]);

			if (!t || !t->garbage)
				continue;
			t->garbage = false;
			t->mark_next = *todo;
			*todo = t;
		}
}

/* Connections not accepted yet belong to who listens. */
static void mark_from(const struct socket *s, struct socket **todo)
{
	mark_queue(s, todo);
	for (const struct socket *e = s->accept.first; e; e = e->accept_next)
		mark_queue(e, todo);
}

static void mark_all(void)
{
	struct socket *todo = NULL;

	for (struct socket *s = socket_first(); s; s = s->all_next)
		if (s->domain == AF_UNIX && s->file && !s->garbage)
			mark_from(s, &todo);
	while (todo) {
		struct socket *s = todo;

		todo = s->mark_next;
		mark_from(s, &todo);
	}
}

static void move_queue(struct queue *to, struct socket *s)
{
	struct packet *p;

	while ((p = queue_pop(&s->rx)))
		queue_add(to, p);
}

void rights_collect(void)
{
	static bool running; /* freeing files closes sockets */
	struct queue dropped = {0};

	if (running || !sockets_in_flight)
		return;
	running = true;
	find_candidates();
	mark_all();
	for (struct socket *s = socket_first(); s; s = s->all_next) {
		if (!s->garbage)
			continue;
		move_queue(&dropped, s);
		for (struct socket *e = s->accept.first; e; e = e->accept_next)
			move_queue(&dropped, e);
	}
	queue_purge(&dropped);
	running = false;
}
