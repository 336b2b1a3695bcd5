/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_helper.c - see vsock_helper.h. Trusts: neither the VMM nor a client.
 * Must not: wait for a client, keep more than a bounded number of them, or
 * connect to anything but NAME_PORT beside its own socket. */
#include "runner/cli/vsock_helper.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/vsock_wire.h"
#include "policies/policy_bpf.h"
#include "runner/cli/device_vsock.h"
#include "runner/cli/vsock_client.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define LISTEN_FD  0 /* the numbers they get */
#define VMM_FD     1
#define FIRST_FREE 2

#define CLIENTS_MAX 64u                   /* whose line is not there yet */
#define ASKS_MAX    VSOCK_CONNECTIONS_MAX /* whose server is busy */
#define LINE_NS     (5 * NS_PER_SEC)
#define BUSY_NS     (5 * NS_PER_SEC)
#define RETRY_MS    10
#define FILES       (CLIENTS_MAX + 16)

struct ask {
	uint32_t id, port;
	uint64_t deadline_ns;
};

struct helper {
	struct vsock_host host;
	struct client client[CLIENTS_MAX];
	unsigned clients;
	struct ask ask[ASKS_MAX];
	unsigned asks;
};

/** leave() - the VM is gone. The command removes the socket as well; perhaps it
 * was killed. */
static _Noreturn void leave(const struct helper *h)
{
	struct stat st;

	if (fstatat(AT_FDCWD, h->host.name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_dev == h->host.dev && st.st_ino == h->host.ino)
		unlink(h->host.name);
	_exit(0);
}

/** say() - to the VMM, with @fd unless it is -1. Waits for room: a VM that does
 * not listen has no use for more. */
static void say(const struct helper *h, struct vsock_message *m, int fd)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_len = CMSG_LEN(sizeof(int)),
			      .cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS}};
	struct iovec iov = {m, sizeof(*m)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct pollfd vmm = {.fd = VMM_FD, .events = POLLOUT};

	if (fd >= 0) {
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	while (sendmsg(VMM_FD, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ETOOMANYREFS)
			leave(h);
		(void)poll(&vmm, 1, errno == ETOOMANYREFS ? RETRY_MS : -1);
	}
}

/** connect_to() - NAME_port. @ret: does not block. Return: 0; -EAGAIN: it is
 * busy, try again; -errno. */
static int connect_to(const struct helper *h, uint32_t port, int *ret)
{
	cleanup_fd int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE ? -EAGAIN : -errno;
	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s_%u", h->host.name,
		       port);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	*ret = steal_fd(&fd);
	return 0;
}

/** try_ask() - Return: true when it is over. */
static bool try_ask(const struct helper *h, const struct ask *ask)
{
	struct vsock_message m = {.word = VSOCK_REFUSED, .id = ask->id};
	cleanup_fd int fd = -1;
	int err = connect_to(h, ask->port, &fd);

	if (err == -EAGAIN && clock_now_ns() < ask->deadline_ns)
		return false;
	if (!err)
		m.word = VSOCK_CONNECTED;
	say(h, &m, fd);
	return true;
}

static void retry_asks(struct helper *h)
{
	for (unsigned i = 0; i < h->asks;) {
		if (try_ask(h, &h->ask[i]))
			h->ask[i] = h->ask[--h->asks];
		else
			i++;
	}
}

static void hear(struct helper *h)
{
	struct vsock_message m;
	ssize_t n = recv(VMM_FD, &m, sizeof(m), MSG_DONTWAIT);
	struct ask ask;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != (ssize_t)sizeof(m) || m.word != VSOCK_CONNECT)
		leave(h); /* the end, or a VMM that is not ours any more */
	ask = (struct ask){m.id, m.port, clock_now_ns() + BUSY_NS};
	if (try_ask(h, &ask))
		return;
	if (h->asks < ASKS_MAX) {
		h->ask[h->asks++] = ask;
		return;
	}
	m = (struct vsock_message){.word = VSOCK_REFUSED, .id = ask.id};
	say(h, &m, -1);
}

static void accept_one(struct helper *h)
{
	int fd = accept4(LISTEN_FD, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0)
		h->client[h->clients++] = (struct client){
			.fd = fd, .deadline_ns = clock_now_ns() + LINE_NS};
}

/** serve_client() - Return: true when it is passed on or turned away. */
static bool serve_client(const struct helper *h, struct client *c, bool ready)
{
	struct vsock_message m = {.word = VSOCK_INCOMING};
	int err = ready ? client_read(c, &m.port) : -EAGAIN;

	if (err == -EAGAIN && clock_now_ns() < c->deadline_ns)
		return false;
	if (!err)
		say(h, &m, c->fd);
	close(c->fd);
	return true;
}

static int timeout_ms(const struct helper *h)
{
	if (h->asks)
		return RETRY_MS;
	return h->clients ? 100 : -1;
}

/** turn() - wait, and do what there is to do. */
static void turn(struct helper *h)
{
	struct pollfd fds[FIRST_FREE + CLIENTS_MAX];
	unsigned clients = h->clients;

	fds[VMM_FD] = (struct pollfd){.fd = VMM_FD, .events = POLLIN};
	fds[LISTEN_FD] = (struct pollfd){
		.fd = clients < CLIENTS_MAX ? LISTEN_FD : -1,
		.events = POLLIN,
	};
	for (unsigned i = 0; i < clients; i++)
		fds[FIRST_FREE + i] = (struct pollfd){.fd = h->client[i].fd,
						      .events = POLLIN};
	if (poll(fds, FIRST_FREE + clients, timeout_ms(h)) < 0)
		return;
	if (fds[VMM_FD].revents)
		hear(h);
	retry_asks(h);
	/* From the end: the last one takes the place of one that goes. */
	for (unsigned i = clients; i-- > 0;) {
		if (serve_client(h, &h->client[i], fds[FIRST_FREE + i].revents))
			h->client[i] = h->client[--h->clients];
	}
	if (fds[LISTEN_FD].revents)
		accept_one(h);
}

/** keep_connecting() - of all capabilities the one by which root connects to
 * other users' sockets. The policy lets it be used for nothing else. */
static int keep_connecting(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct cap[_LINUX_CAPABILITY_U32S_3];
	uint32_t kept;

	if (syscall(SYS_capget, &header, cap) < 0)
		return -errno;
	kept = cap[0].permitted & (1u << CAP_DAC_OVERRIDE);
	memset(cap, 0, sizeof(cap));
	cap[0].permitted = kept;
	cap[0].effective = kept;
	return syscall(SYS_capset, &header, cap) < 0 ? -errno : 0;
}

/** place_fds() - the two of ours at their numbers, and no other. */
static int place_fds(int listen_fd, int vmm_fd)
{
	int high = fcntl(listen_fd, F_DUPFD, FIRST_FREE);
	int vmm = fcntl(vmm_fd, F_DUPFD, FIRST_FREE);

	if (dup2(high, LISTEN_FD) < 0 || dup2(vmm, VMM_FD) < 0)
		return -errno;
	return syscall(SYS_close_range, FIRST_FREE, ~0u, 0) < 0 ? -errno : 0;
}

static int lock_in(const struct vsock_host *h, int listen_fd, int vmm_fd)
{
	const struct rlimit no_core = {0}, files = {FILES, FILES};
	int err;

	if (fchdir(h->dir_fd) < 0)
		return -errno;
	err = place_fds(listen_fd, vmm_fd);
	if (!err)
		err = keep_connecting();
	if (err)
		return err;
	if (prctl(PR_SET_NAME, "ampoule-vsock") < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    setrlimit(RLIMIT_CORE, &no_core) < 0 ||
	    setrlimit(RLIMIT_NOFILE, &files) < 0)
		return -errno;
	return policy_install(POLICY_VSOCK);
}

void vsock_helper(const struct vsock_host *host, int listen_fd, int vmm_fd)
{
	static struct helper h;

	h.host = *host;
	if (lock_in(host, listen_fd, vmm_fd))
		_exit(1);
	for (;;)
		turn(&h);
}
