/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_name.c - addresses of AF_VSOCK, and the table of ports in use. */
#include <linux/errno.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/vsock.h"
#include "kernels/mote/proc/random.h"

#define HASH          64u
#define RESERVED_LAST 1023u /* ports up to here are the superuser's */
#define FLAG_TO_HOST  1u
#define CONNECT_NS    2000000000ull

static struct socket *table[HASH];

void vsock_init(struct socket *s)
{
	s->vs.own_cid = s->vs.own_port = VMADDR_ANY;
	s->vs.peer_cid = s->vs.peer_port = VMADDR_ANY;
	s->vs.buffer = s->vs.buffer_max = VSOCK_BUFFER;
	s->vs.buffer_min = 128;
	s->vs.connect_ns = CONNECT_NS;
}

int vsock_get(const struct sockname *name, uint32_t *ret_cid,
	      uint32_t *ret_port)
{
	if (name->bytes < sizeof(name->vm) || name->family != AF_VSOCK ||
	    (name->vm.flags & ~FLAG_TO_HOST))
		return -EINVAL;
	*ret_cid = name->vm.cid;
	*ret_port = name->vm.port;
	return 0;
}

static void put(uint32_t cid, uint32_t port, struct sockname *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->bytes = sizeof(ret->vm);
	ret->vm.family = AF_VSOCK;
	ret->vm.cid = cid;
	ret->vm.port = port;
}

void vsock_name(const struct socket *s, struct sockname *ret)
{
	put(s->vs.own_cid, s->vs.own_port, ret);
}

int vsock_peer_name(const struct socket *s, struct sockname *ret)
{
	if (s->state != SOCKET_CONNECTED && s->state != SOCKET_CLOSED)
		return -ENOTCONN;
	put(s->vs.peer_cid, s->vs.peer_port, ret);
	return 0;
}

bool vsock_is_own(uint32_t cid)
{
	return cid == VMADDR_LOCAL || (vsock_up() && cid == vsock_cid());
}

void vsock_insert(struct socket *s)
{
	struct socket **head = &table[s->vs.own_port % HASH];

	s->vs.next = *head;
	s->vs.link = head;
	if (*head)
		(*head)->vs.link = &s->vs.next;
	*head = s;
}

void vsock_remove(struct socket *s)
{
	if (!s->vs.link)
		return;
	*s->vs.link = s->vs.next;
	if (s->vs.next)
		s->vs.next->vs.link = s->vs.link;
	s->vs.link = NULL;
}

struct socket *vsock_find(uint32_t own_port, uint32_t peer_cid,
			  uint32_t peer_port)
{
	struct socket *s = table[own_port % HASH];

	while (s &&
	       (!s->vs.remote || s->vs.own_port != own_port ||
		s->vs.peer_cid != peer_cid || s->vs.peer_port != peer_port))
		s = s->vs.next;
	return s;
}

struct socket *vsock_find_listener(uint32_t port)
{
	struct socket *s = table[port % HASH];

	while (s && (s->vs.own_port != port || s->state != SOCKET_LISTENING))
		s = s->vs.next;
	return s;
}

void vsock_for_each(void (*fn)(struct socket *s))
{
	for (uint32_t i = 0; i < HASH; i++) {
		for (struct socket *s = table[i], *next; s; s = next) {
			next = s->vs.next;
			fn(s);
		}
	}
}

/* Accepted connections have their listener's port: they keep nobody from
 * binding it again, but no free port is found there. */
static bool in_use(uint32_t port, bool accepted_too)
{
	for (struct socket *s = table[port % HASH]; s; s = s->vs.next)
		if (s->vs.own_port == port && (s->vs.bound || accepted_too))
			return true;
	return false;
}

static int free_port(uint32_t *ret)
{
	static uint32_t next;

	for (uint32_t i = 0; i <= SOCKETS_MAX; i++, next++) {
		if (!next) /* random at first, so that it differs each time */
			random_bytes(&next, sizeof(next));
		if (next <= RESERVED_LAST || next == VMADDR_ANY)
			next = RESERVED_LAST + 1;
		if (!in_use(next, true)) {
			*ret = next++;
			return 0;
		}
	}
	return -EADDRNOTAVAIL;
}

static int take_port(struct socket *s, uint32_t cid, uint32_t port)
{
	int err = port == VMADDR_ANY ? free_port(&port) : 0;

	if (err)
		return err;
	if (port <= RESERVED_LAST && cred_current().uid)
		return -EACCES;
	if (in_use(port, false))
		return -EADDRINUSE;
	s->vs.own_cid = cid;
	s->vs.own_port = port;
	s->vs.bound = true;
	vsock_insert(s);
	return 0;
}

int vsock_bind(struct socket *s, const struct sockname *name)
{
	uint32_t cid, port;
	int err = vsock_get(name, &cid, &port);

	if (err)
		return err;
	if (s->vs.bound)
		return -EINVAL;
	if (cid != VMADDR_ANY && !vsock_is_own(cid))
		return -EADDRNOTAVAIL;
	return take_port(s, cid, port);
}

int vsock_autobind(struct socket *s)
{
	return s->vs.bound ? 0 : take_port(s, VMADDR_ANY, VMADDR_ANY);
}
