/* SPDX-License-Identifier: Apache-2.0 */
/* relay.c - between commands that ask a running VM something and its VMM. */
#include "runner/cli/relay.h"

#include "base/cleanup.h"
#include "base/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/** address() - a path may be too long for one; the directory's fd is not. */
static struct sockaddr_un address(int dir_fd)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	(void)snprintf(to.sun_path, sizeof(to.sun_path),
		       "/proc/self/fd/%d/" RELAY_SOCKET, dir_fd);
	return to;
}

int relay_start(struct relay *r, const struct claim *claim, int vmm_fd)
{
	const int kind = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;
	cleanup_fd int fd = -1;
	struct sockaddr_un at = address(claim->dir_fd);

	*r = (struct relay){.listen_fd = -1, .vmm_fd = -1, .dir_fd = -1};
	for (unsigned i = 0; i < RELAY_CLIENTS; i++)
		r->client[i].fd = -1;
	if (claim->dir_fd < 0 || vmm_fd < 0)
		return 0;
	fd = socket(AF_UNIX, kind, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 ||
	    fchmodat(claim->dir_fd, RELAY_SOCKET, 0600, 0) < 0 ||
	    listen(fd, (int)RELAY_CLIENTS) < 0)
		return -errno;
	r->listen_fd = steal_fd(&fd);
	r->vmm_fd = vmm_fd;
	r->dir_fd = claim->dir_fd;
	return 0;
}

static void drop(struct relay_client *c)
{
	cleanup_fd_run(&c->fd);
	c->fd = -1;
	c->asked = false;
	c->turn++;
}

void relay_stop(struct relay *r)
{
	for (unsigned i = 0; i < RELAY_CLIENTS; i++) {
		if (r->client[i].fd >= 0)
			drop(&r->client[i]);
	}
	if (r->listen_fd >= 0)
		(void)unlinkat(r->dir_fd, RELAY_SOCKET, 0);
	cleanup_fd_run(&r->listen_fd);
	r->listen_fd = -1;
	r->vmm_fd = -1;
}

/** is_ours() - the directory lets nobody else in; this is the second lock. */
static bool is_ours(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) &&
	       (who.uid == geteuid() || who.uid == 0);
}

static void take_client(struct relay *r)
{
	cleanup_fd int fd =
		accept4(r->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 || !is_ours(fd))
		return;
	for (unsigned i = 0; i < RELAY_CLIENTS; i++) {
		if (r->client[i].fd >= 0)
			continue;
		r->client[i].fd = steal_fd(&fd);
		return;
	}
}

/** receive() - Return: whether it is one whole message. */
static bool receive(int fd, struct control_msg *msg)
{
	return recv(fd, msg, sizeof(*msg), MSG_DONTWAIT | MSG_TRUNC) ==
	       sizeof(*msg);
}

static bool pass_on(int fd, const struct control_msg *msg)
{
	return send(fd, msg, sizeof(*msg), MSG_DONTWAIT | MSG_NOSIGNAL) ==
	       sizeof(*msg);
}

/** take_question() - a client that says anything else is let go. */
static void take_question(struct relay *r, unsigned i)
{
	struct relay_client *c = &r->client[i];
	struct control_msg msg;

	if (c->asked || !receive(c->fd, &msg)) {
		drop(c);
		return;
	}
	c->id = msg.id;
	msg.id = (uint64_t)c->turn << 32 | i;
	c->asked = pass_on(r->vmm_fd, &msg);
	if (!c->asked)
		drop(c);
}

static void take_answer(struct relay *r)
{
	struct relay_client *c;
	struct control_msg msg;

	if (!receive(r->vmm_fd, &msg)) {
		relay_stop(r); /* the VMM is gone, or talks nonsense */
		return;
	}
	if ((uint32_t)msg.id >= RELAY_CLIENTS)
		return;
	c = &r->client[(uint32_t)msg.id];
	if (!c->asked || c->turn != msg.id >> 32)
		return;
	c->asked = false;
	msg.id = c->id;
	if (!pass_on(c->fd, &msg))
		drop(c);
}

void relay_fill(const struct relay *r, struct pollfd fds[RELAY_POLLS])
{
	fds[0] = (struct pollfd){.fd = r->listen_fd, .events = POLLIN};
	fds[1] = (struct pollfd){.fd = r->vmm_fd, .events = POLLIN};
	for (unsigned i = 0; i < RELAY_CLIENTS; i++)
		fds[2 + i] = (struct pollfd){.fd = r->client[i].fd,
					     .events = POLLIN};
}

void relay_serve(struct relay *r, const struct pollfd fds[RELAY_POLLS])
{
	for (unsigned i = 0; i < RELAY_CLIENTS; i++) {
		if (fds[2 + i].revents)
			take_question(r, i);
	}
	if (fds[1].revents)
		take_answer(r);
	if (fds[0].revents && r->listen_fd >= 0)
		take_client(r);
}

int relay_ask(int dir_fd, struct control_msg *msg, int timeout_ms)
{
	struct sockaddr_un to = address(dir_fd);
	cleanup_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct pollfd p = {.events = POLLIN};
	struct control_msg back;
	int n;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	msg->version = CONTROL_VERSION;
	msg->id = 1;
	if (send(fd, msg, sizeof(*msg), MSG_NOSIGNAL) < 0)
		return -errno;
	p.fd = fd;
	n = poll(&p, 1, timeout_ms);
	if (n <= 0)
		return n < 0 ? -errno : -ETIME;
	if (!receive(fd, &back))
		return -EBUSY; /* let go: it has all the clients it takes */
	if (back.version != CONTROL_VERSION || back.type != msg->type ||
	    back.id != msg->id)
		return -EPROTO;
	if (back.error < -4095 || back.error > 0)
		return -EPROTO;
	*msg = back;
	return back.error;
}
