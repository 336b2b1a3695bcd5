/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_helper.c - what the device says to the helper that holds its host's
 * sockets, and hears from it. Trusts: no message; it checks each again. Must
 * not: wait for the helper, or keep an fd that nobody has a use for. */
#include "devices-virtio/vsock_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fd.h"

#define MESSAGES_A_TURN 64u

union control {
	struct cmsghdr head; /* for its alignment */
	char space[CMSG_SPACE(sizeof(int))];
};

/** say() - Return: 0; -EAGAIN: no room now; -errno: it is gone. */
static int say(struct vsock *v, struct vsock_message *m)
{
	struct iovec iov = {m, sizeof(*m)};

	/* writev, which a vCPU thread may call anyhow. */
	if (fd_writev(v->helper_fd, &iov, 1) == (ssize_t)sizeof(*m))
		return 0;
	return errno == EAGAIN || errno == EINTR ? -EAGAIN : -errno;
}

void helper_ask(struct vsock *v, struct conn *c)
{
	struct vsock_message m = {
		.word = VSOCK_CONNECT,
		.id = conn_id(v, c),
		.port = c->host_port,
	};
	int err = v->helper_gone ? -EPIPE : say(v, &m);

	c->to_ask = err == -EAGAIN;
	if (c->to_ask) {
		v->helper_full = true;
		vsock_wake(v);
	} else if (err) {
		conn_reset(v, c);
	}
}

void helper_retry(struct vsock *v)
{
	v->helper_full = false;
	for (uint32_t i = 0; i < v->conn_count && !v->helper_full; i++) {
		if (v->conn[i].to_ask)
			helper_ask(v, &v->conn[i]);
	}
}

/** on_connected() - the guest's REQUEST is fulfilled. @fd: taken over. */
static void on_connected(struct vsock *v, struct conn *c, int fd)
{
	if (conn_attach(v, c, fd)) {
		conn_reset(v, c);
		return;
	}
	c->state = CONN_OPEN;
	conn_wait(v, c, 0);
	rx_want(v, c, WANT_RESPONSE);
}

/** on_incoming() - a client of the host wants to talk to a port of the guest.
 * Before the guest listens to us, and when all is in use, it is turned away. */
static void on_incoming(struct vsock *v, uint32_t port, int fd)
{
	struct conn *c = vdev_live(&v->vd) ? conn_new(v, CONN_OFFERED) : NULL;

	if (!c) {
		close(fd);
		return;
	}
	c->guest_port = port;
	c->host_port = conn_port(v, port);
	if (conn_attach(v, c, fd)) {
		conn_free(v, c);
		return;
	}
	conn_publish(v, c);
	conn_wait(v, c, TICKS_GUEST);
	rx_want(v, c, WANT_REQUEST);
}

/** on_message() - @fd: -1 for none; taken over. */
static void on_message(struct vsock *v, const struct vsock_message *m, int fd)
{
	cleanup_fd int held = fd;
	struct conn *c = conn_by_id(v, m->id);

	if (c && (c->state != CONN_ASKED || (c->want & WANT_RESET)))
		c = NULL;
	switch ((enum vsock_word)m->word) {
	case VSOCK_CONNECTED:
		if (c && held >= 0)
			on_connected(v, c, steal_fd(&held));
		else if (c) /* we have too many open files to get it */
			conn_reset(v, c);
		break;
	case VSOCK_REFUSED:
		if (c)
			conn_reset(v, c);
		break;
	case VSOCK_INCOMING:
		if (held >= 0)
			on_incoming(v, m->port, steal_fd(&held));
		break;
	case VSOCK_CONNECT: /* ours to say */
		break;
	}
}

/** on_gone() - nobody connects for us any more; what is open stays. */
static void on_gone(struct vsock *v)
{
	v->helper_gone = true;
	for (uint32_t i = 0; i < v->conn_count; i++) {
		if (v->conn[i].state == CONN_ASKED)
			conn_reset(v, &v->conn[i]);
	}
}

/** fd_in() - the one that came along. Return: an fd or -1. */
static int fd_in(struct msghdr *msg)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/** hear() - Return: true when there may be more. */
static bool hear(struct vsock *v)
{
	struct vsock_message m;
	struct iovec iov = {&m, sizeof(m)};
	union control control;
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n =
		recvmsg(v->helper_fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	cleanup_fd int fd = n >= 0 ? fd_in(&msg) : -1;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		on_gone(v);
		return false;
	}
	if (n == (ssize_t)sizeof(m) && !(msg.msg_flags & MSG_TRUNC))
		on_message(v, &m, steal_fd(&fd));
	return true;
}

void helper_listen(struct vsock *v)
{
	for (unsigned i = 0; i < MESSAGES_A_TURN && !v->helper_gone; i++) {
		/* So that there is always a place for one more. */
		conn_close_dead(v);
		if (!hear(v))
			break;
	}
}
