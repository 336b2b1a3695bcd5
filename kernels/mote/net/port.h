/* SPDX-License-Identifier: Apache-2.0 */
/* port.h - which internet socket has which port: one table for TCP, one for
 * UDP. Accepted connections are in none: they are found by their peer. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct endpoint;
struct socket;

/** port_bind() - enter @s with @own; port 0: a free one is chosen.
 * 0, -EADDRINUSE. */
int port_bind(struct socket *s, const struct endpoint *own);
/** port_release() - take it out; fine if it is not in. */
void port_release(struct socket *s);
/** port_may_listen() - is nobody else listening there? */
bool port_may_listen(const struct socket *s);
/** port_listener() - who takes connections to @to; NULL: nobody. Of several
 * (SO_REUSEPORT) the one with the shortest queue. */
struct socket *port_listener(const struct endpoint *to);
/** port_receiver() - who gets a datagram @from @to; NULL: nobody. */
struct socket *port_receiver(const struct endpoint *to,
			     const struct endpoint *from);
