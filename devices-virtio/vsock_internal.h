/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_internal.h - what the files of the vsock device share:
 *
 *   vsock.c	      set-up, queues, configuration, what the loop calls
 *   vsock_conn.c     the table of connections, their life and end
 *   vsock_tx.c	      packets from the guest
 *   vsock_rx.c	      packets to the guest
 *   vsock_helper.c   messages from and to the helper
 *
 * All of it runs under vd->lock. Closing and shutting down an fd, and arming
 * the timer, are left to the loop thread: a thread that runs the guest may not
 * make these calls.
 *
 *            helper asked            fd came
 *   REQUEST ------------> ASKED --------------> OPEN --+
 *   client  ------------> OFFERED ------------> OPEN --+--> free, RST
 *            fd, REQUEST            RESPONSE           |
 *                                            either side closed
 */
#pragma once
#include <linux/virtio_vsock.h>
#include <stdbool.h>
#include <stdint.h>

#include "devices-virtio/vsock.h"

#define VSOCK_HASH    256u
#define VSOCK_RESETS  64u /* replies to packets of no connection */
#define VSOCK_NONE    UINT16_MAX
#define VSOCK_TICK_MS 250u

/* How long we wait, in ticks. */
#define TICKS_HELPER 40u /* for the helper to connect */
#define TICKS_GUEST  8u  /* for the guest to accept */
#define TICKS_CLOSE  8u  /* for the guest to confirm an end */

enum vsock_queue {
	VSOCK_RX,
	VSOCK_TX,
	VSOCK_EVENT
};

enum conn_state {
	CONN_FREE,
	CONN_ASKED,
	CONN_OFFERED,
	CONN_OPEN
};

enum conn_want { /* what the guest is still to be told, most urgent first */
	WANT_RESET = 1,
	WANT_REQUEST = 2,
	WANT_RESPONSE = 4,
	WANT_SHUTDOWN = 8,
	WANT_CREDIT = 16,
	WANT_ASK_CREDIT = 32,
};

enum conn_halt { /* shutdown(2) that the loop thread has to do */
	HALT_READ = 1,
	HALT_WRITE = 2,
};

#define SHUT_ALL (VIRTIO_VSOCK_SHUTDOWN_RCV | VIRTIO_VSOCK_SHUTDOWN_SEND)

struct conn {
	enum conn_state state;
	uint32_t guest_port, host_port;
	int fd; /* owned; -1: none */
	uint16_t generation;
	uint16_t hash_next;    /* VSOCK_NONE: the last */
	uint16_t next, before; /* in the list of those with work; next: free */
	bool listed;           /* in the list of those with work */
	bool hashed;           /* the guest's packets find it */
	bool to_ask;           /* the helper was not told yet */
	uint8_t want;          /* enum conn_want */
	uint8_t halt;          /* enum conn_halt */
	uint8_t ticks;         /* until patience ends; 0: for ever */
	/* The host's end, as epoll told and no call has denied since. */
	bool readable, writable;
	bool eof;  /* it sent all it will */
	bool deaf; /* it takes no more: what the guest sends is dropped */
	uint8_t guest_shut, told_shut; /* VIRTIO_VSOCK_SHUTDOWN_* */
	/* Credit (5.10.6.3), counters modulo 2^32. */
	uint32_t guest_alloc, guest_forwarded, sent;
	uint32_t received, forwarded, told_forwarded;
	bool asked_credit;
	/* What the host has not taken: a ring in the connection's buffer. */
	uint32_t buffer_at, buffer_bytes;
};

struct reset { /* a reply to a packet that belongs to no connection */
	uint64_t src_cid;
	uint32_t src_port, dst_port;
	uint16_t type;
};

struct vsock {
	struct vdev vd;
	uint64_t cid;
	uint32_t conn_count;
	struct conn *conn;
	uint8_t *buffers; /* VSOCK_BUFFER_BYTES each, touched when needed */
	uint16_t bucket[VSOCK_HASH];
	uint16_t free; /* list of free connections */
	uint16_t work_first, work_last;
	uint32_t next_port; /* for a client of the host */
	struct reset resets[VSOCK_RESETS];
	unsigned reset_first, reset_count;
	bool tx_stalled; /* until there is room for a reset */
	bool rx_held;    /* rx_chain waits for a packet */
	bool event_due;  /* the guest has to forget connections */
	bool helper_gone, helper_full;
	bool halts; /* some connection has ->halt */
	bool woken; /* the loop will look */
	bool timer_on;
	unsigned waiting; /* connections with ->ticks */
	unsigned dead_count;
	int *dead;     /* fds to close; as many as connections */
	int helper_fd; /* borrowed */
	int epoll_fd, more_fd, timer_fd;
	struct loop_source *on_epoll, *on_more, *on_timer, *on_helper;
	struct vq_chain tx_chain, rx_chain;
};

/* vsock_conn.c */

void conn_init_all(struct vsock *v);
/** conn_new() - a connection in @state, not found by the guest yet; NULL: all
 * are in use. */
struct conn *conn_new(struct vsock *v, enum conn_state state);
/** conn_find() - by the ports of a packet; NULL: none. */
struct conn *conn_find(struct vsock *v, uint32_t guest_port,
		       uint32_t host_port);
/** conn_publish() - the guest's packets find it by its ports from now on. */
void conn_publish(struct vsock *v, struct conn *c);
/** conn_hide() - not any more. */
void conn_hide(struct vsock *v, struct conn *c);
/** conn_free() - the end; its fd is closed by the loop thread. */
void conn_free(struct vsock *v, struct conn *c);
/** conn_reset() - tell the guest RST, then the end. */
void conn_reset(struct vsock *v, struct conn *c);
/** conn_drop_all() - the guest knows of none any more. */
void conn_drop_all(struct vsock *v);
/** conn_id() - for helper and epoll; conn_by_id() - NULL: not any more. */
uint32_t conn_id(const struct vsock *v, const struct conn *c);
struct conn *conn_by_id(struct vsock *v, uint32_t id);
/** conn_attach() - @fd is its host end. Return: 0 or -errno; @fd is taken over
 * in any case. */
int conn_attach(struct vsock *v, struct conn *c, int fd);
/** conn_wait() - patience for @ticks; 0: for ever. */
void conn_wait(struct vsock *v, struct conn *c, uint8_t ticks);
/** conn_port() - a host port for a client that wants @guest_port. */
uint32_t conn_port(struct vsock *v, uint32_t guest_port);
/** conn_tick() - VSOCK_TICK_MS have passed. */
void conn_tick(struct vsock *v);
/** conn_close_dead() - close and shut down what is due. Loop thread. */
void conn_close_dead(struct vsock *v);

/* vsock_tx.c */

/** tx_serve() - all packets of the guest that can be taken now. */
void tx_serve(struct vsock *v);
/** tx_flush() - what lies in the buffer, to the host, as far as it takes it. */
void tx_flush(struct vsock *v, struct conn *c);
/** tx_deaf() - the host's end takes no more. */
void tx_deaf(struct vsock *v, struct conn *c);

/* vsock_rx.c */

/** rx_want() - the guest has to be told @want (enum conn_want), soon. */
void rx_want(struct vsock *v, struct conn *c, uint8_t want);
/** rx_ready() - put it on the list if it has anything for the guest. */
void rx_ready(struct vsock *v, struct conn *c);
/** rx_forget() - take it off the list. */
void rx_forget(struct vsock *v, struct conn *c);
/** rx_reject() - answer RST to a packet of no connection. */
void rx_reject(struct vsock *v, const struct virtio_vsock_hdr *packet);
/** rx_serve() - packets to the guest, as far as it has buffers. */
void rx_serve(struct vsock *v);
/** rx_ended() - the host's end told something new: pass it on. */
void rx_ended(struct vsock *v, struct conn *c);

/* vsock_helper.c */

/** helper_ask() - for a connection in state ASKED. */
void helper_ask(struct vsock *v, struct conn *c);
/** helper_listen() - take all its messages. Loop thread. */
void helper_listen(struct vsock *v);
/** helper_retry() - what it had no room for. Loop thread. */
void helper_retry(struct vsock *v);

/* vsock.c */

/** vsock_wake() - let the loop thread have a look. */
void vsock_wake(struct vsock *v);
/** vsock_turn() - all that the loop thread would do now. For tests, which have
 * no such thread. */
void vsock_turn(struct vdev *vd);
