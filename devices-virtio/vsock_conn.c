/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_conn.c - the connections of a vsock device: a fixed table, found by
 * ports (the guest) or by id (helper, epoll). Trusts: nothing that guest or
 * helper name. Must not: allocate; close on a thread that runs the guest. */
#include "devices-virtio/vsock_internal.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PORT_FIRST (1u << 30) /* as others number a host's clients */
#define PORT_LAST  ((1u << 31) - 1)

static uint16_t index_of(const struct vsock *v, const struct conn *c)
{
	return (uint16_t)(c - v->conn);
}

static uint16_t *bucket_of(struct vsock *v, uint32_t guest_port,
			   uint32_t host_port)
{
	uint32_t hash = guest_port * 31 + host_port;

	return &v->bucket[(hash ^ hash >> 8) % VSOCK_HASH];
}

void conn_init_all(struct vsock *v)
{
	v->next_port = PORT_FIRST;
	v->work_first = v->work_last = v->free = VSOCK_NONE;
	for (uint32_t i = 0; i < VSOCK_HASH; i++)
		v->bucket[i] = VSOCK_NONE;
	for (uint32_t i = v->conn_count; i-- > 0;) {
		v->conn[i].fd = -1;
		v->conn[i].next = v->free;
		v->free = (uint16_t)i;
	}
}

struct conn *conn_new(struct vsock *v, enum conn_state state)
{
	struct conn *c;
	uint16_t generation;

	if (v->free == VSOCK_NONE)
		return NULL;
	c = &v->conn[v->free];
	v->free = c->next;
	generation = (uint16_t)(c->generation + 1);
	*c = (struct conn){
		.state = state,
		.fd = -1,
		.generation = generation,
		.hash_next = VSOCK_NONE,
		.next = VSOCK_NONE,
	};
	return c;
}

struct conn *conn_find(struct vsock *v, uint32_t guest_port, uint32_t host_port)
{
	uint16_t i = *bucket_of(v, guest_port, host_port);

	for (; i != VSOCK_NONE; i = v->conn[i].hash_next) {
		struct conn *c = &v->conn[i];

		if (c->guest_port == guest_port && c->host_port == host_port)
			return c;
	}
	return NULL;
}

void conn_publish(struct vsock *v, struct conn *c)
{
	uint16_t *bucket = bucket_of(v, c->guest_port, c->host_port);

	c->hash_next = *bucket;
	*bucket = index_of(v, c);
	c->hashed = true;
}

void conn_hide(struct vsock *v, struct conn *c)
{
	uint16_t *link = bucket_of(v, c->guest_port, c->host_port);

	if (!c->hashed)
		return;
	while (*link != index_of(v, c))
		link = &v->conn[*link].hash_next;
	*link = c->hash_next;
	c->hashed = false;
}

/** let_go() - of its fd: nothing is read or written any more. */
static void let_go(struct vsock *v, struct conn *c)
{
	if (c->fd < 0)
		return;
	epoll_ctl(v->epoll_fd, EPOLL_CTL_DEL, c->fd, NULL);
	/* An fd comes on the loop thread, which closes these before. */
	assert(v->dead_count < v->conn_count);
	v->dead[v->dead_count++] = c->fd;
	c->fd = -1;
	c->halt = 0;
	vsock_wake(v);
}

void conn_free(struct vsock *v, struct conn *c)
{
	conn_wait(v, c, 0);
	conn_hide(v, c);
	rx_forget(v, c);
	let_go(v, c);
	c->state = CONN_FREE;
	c->to_ask = false;
	c->want = 0;
	c->next = v->free;
	v->free = index_of(v, c);
}

void conn_reset(struct vsock *v, struct conn *c)
{
	if (!c->hashed) { /* the guest has never heard, or forgot it */
		conn_free(v, c);
		return;
	}
	conn_wait(v, c, 0);
	let_go(v, c);
	c->want = 0;
	c->readable = c->writable = false;
	rx_want(v, c, WANT_RESET);
}

void conn_drop_all(struct vsock *v)
{
	for (uint32_t i = 0; i < v->conn_count; i++) {
		if (v->conn[i].state != CONN_FREE)
			conn_free(v, &v->conn[i]);
	}
	v->reset_count = 0;
}

uint32_t conn_id(const struct vsock *v, const struct conn *c)
{
	return (uint32_t)c->generation << 16 | index_of(v, c);
}

struct conn *conn_by_id(struct vsock *v, uint32_t id)
{
	uint32_t i = id & 0xffff;
	struct conn *c = i < v->conn_count ? &v->conn[i] : NULL;

	if (!c || c->state == CONN_FREE || c->generation != id >> 16)
		return NULL;
	return c;
}

int conn_attach(struct vsock *v, struct conn *c, int fd)
{
	/* Edge-triggered: each change is told once, and remembered here. */
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.u64 = conn_id(v, c),
	};

	if (epoll_ctl(v->epoll_fd, EPOLL_CTL_ADD, fd, &ev) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	c->fd = fd;
	c->readable = c->writable = true; /* until a call says no */
	return 0;
}

void conn_wait(struct vsock *v, struct conn *c, uint8_t ticks)
{
	if (!c->ticks && ticks) {
		v->waiting++;
		if (!v->timer_on)
			vsock_wake(v);
	} else if (c->ticks && !ticks) {
		v->waiting--;
	}
	c->ticks = ticks;
}

uint32_t conn_port(struct vsock *v, uint32_t guest_port)
{
	uint32_t port;

	do { /* ends: there are more ports than connections */
		port = v->next_port++;
		if (v->next_port > PORT_LAST)
			v->next_port = PORT_FIRST;
	} while (conn_find(v, guest_port, port));
	return port;
}

void conn_tick(struct vsock *v)
{
	for (uint32_t i = 0; v->waiting && i < v->conn_count; i++) {
		struct conn *c = &v->conn[i];

		if (c->state == CONN_FREE || !c->ticks)
			continue;
		if (c->ticks > 1)
			c->ticks--;
		else
			conn_reset(v, c);
	}
}

static void halt(struct conn *c)
{
	if (c->halt & HALT_READ)
		(void)shutdown(c->fd, SHUT_RD);
	if (c->halt & HALT_WRITE)
		(void)shutdown(c->fd, SHUT_WR);
	c->halt = 0;
}

void conn_close_dead(struct vsock *v)
{
	while (v->dead_count)
		close(v->dead[--v->dead_count]);
	if (!v->halts)
		return;
	v->halts = false;
	for (uint32_t i = 0; i < v->conn_count; i++) {
		if (v->conn[i].halt)
			halt(&v->conn[i]);
	}
}
