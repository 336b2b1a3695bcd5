/* SPDX-License-Identifier: Apache-2.0 */
/* msg.h - one message on its way between a system call and a socket. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/net/packet.h"
#include "kernels/mote/net/sockname.h"

#define ROUTE_UNSET                                                            \
	{                                                                      \
		.hops = -1, .class = -1                                        \
	}

struct msg {
	struct uio *u;
	uint32_t flags;       /* MSG_*; a nonblocking file has MSG_DONTWAIT */
	uint32_t flags_out;   /* receive: MSG_TRUNC, MSG_EOR */
	struct sockname name; /* send: where to; receive: where from */
	/* Send: files to hand over, owned by the message until ->send takes
	 * them (and sets NULL). Receive: what came; the caller frees it. */
	struct rights *rights;
	struct cred cred;   /* send: who; receive: who it was */
	struct route route; /* send: -1 stands for the socket's own */
	bool has_cred;      /* receive: ->cred is set */
};

struct socket;
/** msg_send()/msg_recv() - through the socket's operations, with SIGPIPE
 * where send(2) raises it. */
long msg_send(struct socket *s, struct msg *m);
long msg_recv(struct socket *s, struct msg *m);
