/* SPDX-License-Identifier: Apache-2.0 */
/* inet.h - AF_INET and AF_INET6 on the loopback interface, the only one.
 * Inside, every address is one of IPv6; IPv4 is its mapped part. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/net/sockname.h"

struct endpoint;
struct socket;
struct socket_ops;

extern const struct socket_ops tcp_ops, udp_ops;

#define INET_PRIVILEGED 1024u /* ports below are the superuser's */

/** inet_get() - an address of @s's family: 0, -EINVAL, -EAFNOSUPPORT. */
int inet_get(const struct socket *s, const struct sockname *name,
	     struct endpoint *ret);
/** inet_get4() - an AF_INET address, whatever the socket. */
int inet_get4(const struct sockname *name, struct endpoint *ret);
/** inet_put() - as a program with a socket of @domain sees it. */
void inet_put(uint16_t domain, const struct endpoint *end,
	      struct sockname *ret);
bool inet_is_ipv4(const struct in6_addr *addr);
bool inet_is_any(const struct in6_addr *addr);
bool inet_is_loopback(const struct in6_addr *addr);
/** inet_unspec() - does connect(2) with @name mean to disconnect? */
bool inet_unspec(const struct sockname *name);

/** inet_route() - check a destination; a wildcard becomes the loopback
 * address. 0, -ENETUNREACH (what is not loopback), -EINVAL. */
int inet_route(const struct socket *s, struct endpoint *to);
/** inet_source() - the address a message to @to comes from. */
struct in6_addr inet_source(const struct socket *s, const struct endpoint *to);

/** inet_init() - of a fresh socket: the wildcard of its family. */
void inet_init(struct socket *s);
int inet_bind(struct socket *s, const struct sockname *name);
/** inet_autobind() - a free port, unless it has one. 0, -EADDRINUSE. */
int inet_autobind(struct socket *s);
/** inet_connect() - @to is the peer, and decides a source not chosen yet.
 * inet_disconnect() - it is not any more. */
void inet_connect(struct socket *s, const struct endpoint *to);
void inet_disconnect(struct socket *s);
void inet_name(const struct socket *s, struct sockname *ret);
int inet_peer_name(const struct socket *s, struct sockname *ret);
