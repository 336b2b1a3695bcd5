/* SPDX-License-Identifier: Apache-2.0 */
/* inet_ancillary.h - control messages of IP (ip(7), ipv6(7)): which address a
 * datagram was sent to, its hop limit and its traffic class. */
#pragma once

struct cmsg;
struct cmsg_writer;
struct msg;
struct socket;

/** inet_ancillary_get() - one message of a sender. 0 or -EINVAL. */
int inet_ancillary_get(const struct socket *s, struct msg *m,
		       const struct cmsg *c);
/** inet_ancillary_put() - what @s asked to be told of a received datagram. */
void inet_ancillary_put(const struct socket *s, const struct msg *m,
			struct cmsg_writer *w);
