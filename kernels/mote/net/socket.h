/* SPDX-License-Identifier: Apache-2.0 */
/* socket.h - sockets: one struct for all families, one table of operations a
 * family and type.
 *
 *   file --private--> socket --peer--> socket <--private-- file
 *                       rx: packets that wait to be read
 *
 * There is no network and no packet on a wire: a sender puts bytes straight
 * into the queue of who will read them. A socket lives as long as its file, or
 * as somebody has it as peer (then it is ->dead). Whatever changes what poll(2)
 * would say wakes ->waitq. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/net/option.h"
#include "kernels/mote/net/packet.h"
#include "kernels/mote/net/sockname.h"
#include "kernels/mote/proc/timer.h"
#include "kernels/mote/proc/waitq.h"

struct file;
struct inode;
struct msg;
struct socket;

#define SOCKETS_MAX    65536u /* at once, all families */
#define SOCKET_BACKLOG 4096u  /* net.core.somaxconn */

enum socket_state {
	SOCKET_IDLE,
	SOCKET_LISTENING,
	SOCKET_CONNECTING, /* TCP: waits for room in the listener's queue */
	SOCKET_CONNECTED,
	SOCKET_CLOSED, /* was connected, and reset */
};

enum socket_shut { /* the two halves of a connection */
	SHUT_IN = 1,
	SHUT_OUT = 2,
	SHUT_BOTH = 3,
};

/* NULL: the default errno of the call, in socket_call.c. @flags: MSG_DONTWAIT
 * or 0. */
struct socket_ops {
	int (*bind)(struct socket *s, const struct sockname *name);
	int (*connect)(struct socket *s, const struct sockname *name,
		       uint32_t flags);
	int (*listen)(struct socket *s, uint32_t backlog);
	int (*accept)(struct socket *s, uint32_t flags, struct socket **ret);
	int (*shutdown)(struct socket *s, uint32_t how);
	/* Bytes or -errno; see msg.h. */
	long (*send)(struct socket *s, struct msg *m);
	long (*recv)(struct socket *s, struct msg *m);
	unsigned (*poll)(struct socket *s);
	/* Own name and the other side's (-ENOTCONN). */
	void (*name)(const struct socket *s, struct sockname *ret);
	int (*peer_name)(const struct socket *s, struct sockname *ret);
	/* What the ioctls FIONREAD and TIOCOUTQ tell: bytes or -errno. */
	long (*unread)(const struct socket *s);
	long (*unsent)(const struct socket *s);
	/* The file is gone; give up names, peers and queues. */
	void (*release)(struct socket *s);
};

struct accept_queue { /* of a listening socket */
	struct socket *first, *last;
	uint32_t count, backlog;
};

struct unix_name { /* AF_UNIX */
	struct sockname name;
	struct inode *inode;    /* a path's; referenced */
	struct socket *next;    /* abstract: in the same hash chain */
	struct socket *senders; /* datagrams: who is connected to this one */
	struct socket *sender_next, **sender_link;
};

struct endpoint {
	struct in6_addr addr; /* IPv4 as ::ffff:a.b.c.d */
	uint16_t port;        /* host order; 0: none */
};

struct inet_name { /* AF_INET, AF_INET6; see inet.h */
	struct endpoint own, peer;
	bool fixed;                  /* own.addr was given by bind(2) */
	bool fixed_port;             /* and so was own.port */
	bool any;                    /* own.addr is a wildcard */
	struct socket *next, **link; /* in the table of ports; link NULL: not */
};

struct vsock_name { /* AF_VSOCK; see vsock.h */
	uint32_t own_cid, own_port, peer_cid, peer_port;
	bool bound;        /* own_port is its own, by bind(2) or connect(2) */
	bool remote;       /* a connection to the host, or on the way to it */
	uint8_t peer_shut; /* VSOCK_SHUT_*: what the other side will not do */
	uint32_t due;      /* answers that are to be sent */
	struct socket *due_next;
	/* Credit (virtio 1.2, 5.10.6.3): bytes, modulo 2^32. */
	uint32_t received, told_forwarded, promised;
	uint32_t sent, peer_alloc, peer_forwarded;
	uint64_t buffer, buffer_min, buffer_max; /* SO_VM_SOCKETS_BUFFER_* */
	uint64_t connect_ns;
	struct timer timer;          /* until connected, until gone */
	struct socket *next, **link; /* in the table of ports; link NULL: not */
};

struct socket {
	const struct socket_ops *ops;
	struct waitq waitq;
	uint32_t refs;
	uint16_t domain, type;
	int protocol;
	enum socket_state state;
	uint32_t shut;     /* enum socket_shut */
	int error;         /* errno to report once (SO_ERROR), 0: none */
	bool dead;         /* its file is gone */
	bool fin;          /* TCP: the other side sent all it will */
	bool full;         /* it saw no room to send: wake it when there is */
	bool crowded;      /* senders sleep on ->waitq until there is room */
	bool urgent_there; /* TCP: a byte sent with MSG_OOB waits */
	uint8_t urgent;
	bool told;          /* TCP: connect(2) reported the connection */
	bool garbage;       /* for rights_collect() */
	uint32_t in_flight; /* messages that hold its file */
	struct file *file;  /* borrowed; NULL until accept(2) */
	struct queue rx;
	struct socket *peer; /* referenced */
	struct cred cred;    /* of who made it */
	struct cred peer_cred;
	struct accept_queue accept;
	struct socket *listener; /* not accepted yet: whose queue; borrowed */
	struct socket *accept_next; /* ... and the next there */
	struct socket *all_next, **all_link, *mark_next;
	int option[OPTION_COUNT];
	uint64_t recv_timeout_ns, send_timeout_ns; /* WAIT_FOREVER: none */
	union {
		struct unix_name un;
		struct inet_name inet;
		struct vsock_name vs;
		uint32_t netlink_pid;
	};
};

/** socket_new() - one reference, in the list of all. 0, -ENFILE, -ENOMEM. */
int socket_new(const struct socket_ops *ops, uint16_t domain, uint16_t type,
	       int protocol, struct socket **ret);
/** socket_new_like() - for the other end of a connection to @s: its kind and
 * its options. */
int socket_new_like(const struct socket *s, struct socket **ret);
void socket_ref(struct socket *s);
void socket_unref(struct socket *s); /* NULL is fine */
/** socket_close() - what the last close(2) does: ->release, dead, unref. */
void socket_close(struct socket *s);
/** socket_first() - the list of all, linked by ->all_next. */
struct socket *socket_first(void);

/** socket_file() - an open file for @s, which takes over the reference, also
 * on failure. @flags: O_NONBLOCK or 0. 0 or -errno. */
int socket_file(struct socket *s, uint32_t flags, struct file **ret);
/** socket_of() - the socket behind a file; NULL: it is none. */
struct socket *socket_of(const struct file *f);

/** socket_wait() - until @ready(@arg): 0; -EAGAIN at once with MSG_DONTWAIT in
 * @flags or at the deadline; -EINTR. @s must be held by the caller. */
int socket_wait(struct socket *s, bool (*ready)(void *arg), void *arg,
		uint32_t flags, uint64_t deadline_ns);
/** socket_deadline() - of a call with SO_RCVTIMEO or SO_SNDTIMEO @ns. */
uint64_t socket_deadline(uint64_t ns);
/** socket_take_error() - the pending error as -errno, which is over then. */
int socket_take_error(struct socket *s);
/** socket_fail() - report @error (positive) once, and wake who waits. */
void socket_fail(struct socket *s, int error);
/** socket_wake() - something changed. */
void socket_wake(struct socket *s);
/** socket_set_peer() - hold @peer as the other side; NULL: let go. */
void socket_set_peer(struct socket *s, struct socket *peer);
/** cred_current() - who is calling. */
struct cred cred_current(void);
