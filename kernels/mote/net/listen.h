/* SPDX-License-Identifier: Apache-2.0 */
/* listen.h - sockets that wait for connections: the queue of those not
 * accepted yet. A connection in it is complete, its client may send; what
 * lies beyond the backlog (TCP) waits to become so. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct socket;

/** listen_start() - take connections from now on, or change the backlog. */
void listen_start(struct socket *s, uint32_t backlog);
/** listen_full() - are backlog + 1 waiting, as many as Linux lets? */
bool listen_full(const struct socket *s);
/** listen_add() - the queue takes over the reference to @child. */
void listen_add(struct socket *s, struct socket *child);
/** listen_remove() - @child leaves its queue; the caller owns it again. */
void listen_remove(struct socket *child);
/** listen_accept() - the oldest connection, whose reference is the caller's.
 * 0, -EAGAIN, -EINTR, -EINVAL (not listening, or no more). */
int listen_accept(struct socket *s, uint32_t flags, struct socket **ret);
/** listen_stop() - close all that were not accepted. */
void listen_stop(struct socket *s);
