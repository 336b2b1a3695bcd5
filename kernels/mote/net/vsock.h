/* SPDX-License-Identifier: Apache-2.0 */
/* vsock.h - AF_VSOCK, streams to the host (and within this VM).
 *
 *   vsock_socket.c   the system calls' half: socket_ops
 *   vsock_packet.c   the wire's half: packets that come, answers that are due
 *   vsock_name.c     addresses and ports
 *   vsock_option.c   its options, /dev/vsock
 *
 * A connection to the host lies in the table of ports from connect(2) or its
 * REQUEST on until both sides know its end, also when its file is closed by
 * then. One within the VM is two sockets that are each other's peer (stream.h),
 * as with AF_UNIX. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/drv/vsock.h"
#include "kernels/mote/net/sockname.h"

struct inode_ops;
struct msg;
struct socket;
struct socket_ops;

#define VMADDR_ANY      0xffffffffu /* CID and port */
#define VMADDR_LOCAL    1u
#define VMADDR_HOST     2u
#define VSOCK_BUFFER    262144u /* what Linux begins with */
#define VSOCK_SHUT_BOTH (VSOCK_SHUT_RCV | VSOCK_SHUT_SEND)

extern const struct socket_ops vsock_ops;
extern const struct inode_ops vsock_inode_ops; /* /dev/vsock */

/* vsock_name.c */

void vsock_init(struct socket *s);
int vsock_bind(struct socket *s, const struct sockname *name);
/** vsock_autobind() - a free port, unless it has one. 0, -EADDRNOTAVAIL. */
int vsock_autobind(struct socket *s);
/** vsock_get() - 0, -EINVAL. */
int vsock_get(const struct sockname *name, uint32_t *ret_cid,
	      uint32_t *ret_port);
void vsock_name(const struct socket *s, struct sockname *ret);
int vsock_peer_name(const struct socket *s, struct sockname *ret);
/** vsock_is_own() - does @cid stand for this VM? */
bool vsock_is_own(uint32_t cid);
/** vsock_insert()/vsock_remove() - in the table, by own port; removing one that
 * is not there is fine. */
void vsock_insert(struct socket *s);
void vsock_remove(struct socket *s);
/** vsock_find() - the connection to the host with these ports; NULL: none. */
struct socket *vsock_find(uint32_t own_port, uint32_t peer_cid,
			  uint32_t peer_port);
/** vsock_find_listener() - NULL: nobody listens to @port. */
struct socket *vsock_find_listener(uint32_t port);
/** vsock_for_each() - @fn may remove the socket. */
void vsock_for_each(void (*fn)(struct socket *s));

/* vsock_packet.c */

/** vsock_up() - set the device up, if there is one. */
bool vsock_up(void);
/** vsock_tell() - a packet without payload. */
void vsock_tell(struct socket *s, enum vsock_op op, uint32_t flags);
/** vsock_payload() - at most @most bytes. Return: bytes or -EFAULT. */
long vsock_payload(struct socket *s, struct msg *m, uint32_t most);
/** vsock_credit() - bytes that the other side has room for. */
uint32_t vsock_credit(const struct socket *s);
/** vsock_consumed() - the program read; the other side may send as much. */
void vsock_consumed(struct socket *s);
/** vsock_detach() - both sides know that the connection is over. */
void vsock_detach(struct socket *s);
/** vsock_abort() - the same, and the other side gets an RST. */
void vsock_abort(struct socket *s);
/** vsock_answer() - send what is due, also where no packet brought it about.
 * Return: was there any? */
bool vsock_answer(void);
/** vsock_linger() - the file is gone, the other side not told of it yet. */
void vsock_linger(struct socket *s);
/** vsock_connect_host() - ask; s->vs.timer bounds the wait. */
void vsock_connect_host(struct socket *s);

/* vsock_option.c */

int vsock_setsockopt(struct socket *s, int name, uint64_t user, uint64_t bytes);
/** vsock_getsockopt() - @value: 16 bytes of room. */
int vsock_getsockopt(const struct socket *s, int name, void *value,
		     uint32_t room, uint32_t *ret_bytes);
