/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.h - a connection's state by the names of RFC 9293. */
#pragma once
struct socket;

enum tcp_state { /* numbers as in TCP_INFO and /proc/net/tcp */
	TCP_STATE_ESTABLISHED = 1,
	TCP_STATE_SYN_SENT = 2,
	TCP_STATE_FIN_WAIT2 = 5,
	TCP_STATE_CLOSE = 7,
	TCP_STATE_CLOSE_WAIT = 8,
	TCP_STATE_LAST_ACK = 9,
	TCP_STATE_LISTEN = 10,
};

enum tcp_state tcp_state(const struct socket *s);
