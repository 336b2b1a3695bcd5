/* SPDX-License-Identifier: Apache-2.0 */
/* unix.h - AF_UNIX: names, and what its kinds of sockets share. Names are
 * paths in the tree, abstract (a leading NUL), or missing. */
#pragma once
#include <stdint.h>

#include "kernels/mote/net/sockname.h"

struct socket;
struct socket_ops;

extern const struct socket_ops unix_stream_ops, unix_seqpacket_ops,
	unix_dgram_ops;

/** unix_bind() - give a name: 0, -EINVAL (has one), -EADDRINUSE, -errno of
 * making the file. unix_autobind() - a free abstract one, unless it has one. */
int unix_bind(struct socket *s, const struct sockname *name);
int unix_autobind(struct socket *s);
/** unix_find() - the living socket of @s's type with a name; borrowed.
 * 0, -EINVAL (no name), -ECONNREFUSED, -EPROTOTYPE, -EACCES, -errno of the
 * path. */
int unix_find(const struct socket *s, const struct sockname *name,
	      struct socket **ret);
/** unix_unbind() - nobody finds it any more. */
void unix_unbind(struct socket *s);
void unix_name(const struct socket *s, struct sockname *ret);
int unix_peer_name(const struct socket *s, struct sockname *ret);
/** unix_pair() - connect @a and @b (socketpair(2)). */
void unix_pair(struct socket *a, struct socket *b);
