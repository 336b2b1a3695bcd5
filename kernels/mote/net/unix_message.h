/* SPDX-License-Identifier: Apache-2.0 */
/* unix_message.h - AF_UNIX's messages: datagrams and SEQPACKET. */
#pragma once

struct msg;
struct socket;

long unix_seqpacket_send(struct socket *s, struct msg *m);
long unix_seqpacket_recv(struct socket *s, struct msg *m);
/** unix_dgram_pair() - each is the other's destination. */
void unix_dgram_pair(struct socket *a, struct socket *b);
