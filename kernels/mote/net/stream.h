/* SPDX-License-Identifier: Apache-2.0 */
/* stream.h - connected byte streams: AF_UNIX's and TCP's. What differs
 * between the two is how the end of the other side shows. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct msg;
struct socket;

/** stream_join() - make @a and @b the two ends of one connection. */
void stream_join(struct socket *a, struct socket *b);
long stream_send(struct socket *s, struct msg *m);
long stream_recv(struct socket *s, struct msg *m);
/** stream_shutdown() - @how: enum socket_shut. Tells the other side. */
void stream_shutdown(struct socket *s, uint32_t how);
/** stream_release() - this end is gone: the other reads to the end of what
 * was sent, or is told of a reset if bytes were left unread here. */
void stream_release(struct socket *s, bool reset);
/** stream_writable() - is there room worth waking a sender for? Remembers that
 * somebody asked in vain. */
bool stream_writable(struct socket *s);
