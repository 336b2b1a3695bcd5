/* SPDX-License-Identifier: Apache-2.0 */
/* message.h - sockets that keep messages apart: datagrams and SEQPACKET. */
#pragma once
#include <stdint.h>

struct msg;
struct packet;
struct socket;

/** message_recv() - the oldest message, cut to the room there is. Return:
 * bytes (the whole length with MSG_TRUNC), 0 after shutdown, -EAGAIN, -EINTR,
 * -EFAULT, a pending error. */
long message_recv(struct socket *s, struct msg *m);
/** message_make() - a packet of all bytes of @m, with sender and rights, not
 * queued yet. Return: 0, -EFAULT, -ENOBUFS. */
int message_make(struct msg *m, struct packet **ret);
/** message_poll() - POLLIN, POLLERR, POLLHUP, POLLRDHUP; whether there is room
 * to send is the caller's to say. */
unsigned message_poll(const struct socket *s);
/** message_unread() - bytes of the next message (FIONREAD). */
long message_unread(const struct socket *s);
