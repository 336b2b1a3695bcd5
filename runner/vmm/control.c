/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - answers what the control plane asks a running VM. Trusts: no
 * field of a message. Must not: see control.h. */
#include "runner/vmm/control.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/control.h"
#include "base/loop.h"
#include "devices-virtio/balloon.h"
#include "devices-virtio/harness.h"

#define VISIT_MESSAGES 16u

_Static_assert(CONTROL_STATS == BALLOON_STATS, "a slot for each statistic");

/** wake_driver() - a kernel of ours starts its driver when it is needed. */
static void wake_driver(const struct control *c)
{
	if (c->devices->harness)
		harness_request(c->devices->harness, HARNESS_REQ_BALLOON);
}

static int look(const struct control *c, struct control_msg *msg)
{
	struct control_balloon *to = &msg->u.balloon;
	struct balloon_look look;

	balloon_look_at(c->devices->balloon, &look);
	*to = (struct control_balloon){
		.target_bytes = look.target_bytes,
		.actual_bytes = look.actual_bytes,
		.inflated_bytes = look.inflated_bytes,
		.reported_bytes = look.reported_bytes,
		.failures = look.failures,
		.live = look.live,
		.stats_serial = look.stats_serial,
		.stats_mask = look.stats_mask,
	};
	memcpy(to->stat, look.stat, sizeof(to->stat));
	return 0;
}

static int set_target(const struct control *c, struct control_msg *msg)
{
	int err = balloon_set_target(c->devices->balloon,
				     msg->u.balloon.target_bytes);

	if (err != -EAGAIN)
		return err;
	wake_driver(c);
	return 0;
}

static int ask_stats(const struct control *c, struct control_msg *msg)
{
	(void)msg;
	if (balloon_ask_stats(c->devices->balloon))
		wake_driver(c); /* it sends them when it starts */
	return 0;
}

static const struct {
	int (*serve)(const struct control *c, struct control_msg *msg);
} services[CONTROL_TYPES] = {
	[CONTROL_BALLOON_LOOK] = {look},
	[CONTROL_BALLOON_SET] = {set_target},
	[CONTROL_BALLOON_STATS] = {ask_stats},
};

/** serve() - Return: what msg->error becomes. */
static int serve(const struct control *c, struct control_msg *msg, size_t bytes)
{
	if (bytes != sizeof(*msg) || msg->version != CONTROL_VERSION)
		return -EPROTO;
	if (msg->type >= CONTROL_TYPES || !services[msg->type].serve)
		return -EOPNOTSUPP;
	if (!c->devices->balloon)
		return -ENODEV;
	return services[msg->type].serve(c, msg);
}

/** take() - one message. Return: bytes, 0 at the end, -errno. */
static ssize_t take(const struct control *c, struct control_msg *msg)
{
	struct iovec iov = {.iov_base = msg, .iov_len = sizeof(*msg)};
	struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	memset(msg, 0, sizeof(*msg));
	do
		n = recvmsg(c->fd, &head, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return head.msg_flags & MSG_TRUNC ? 1 : n; /* too long: none of ours */
}

/** answer() - one that the other side does not take is lost: it asked for more
 * than it reads. */
static void answer(const struct control *c, struct control_msg *msg)
{
	struct iovec iov = {.iov_base = msg, .iov_len = sizeof(*msg)};
	struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1};

	if (sendmsg(c->fd, &head, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return;
}

static void on_message(void *arg, uint32_t events)
{
	struct control *c = arg;
	struct control_msg msg;

	(void)events;
	for (unsigned i = 0; i < VISIT_MESSAGES; i++) {
		ssize_t n = take(c, &msg);

		if (n == -EAGAIN)
			return;
		if (n <= 0) { /* the report socket tells of its end, too */
			(void)loop_set(c->source, 0);
			return;
		}
		msg.error = serve(c, &msg, (size_t)n);
		answer(c, &msg);
	}
}

int control_start(struct control *c, const struct plan *plan,
		  const struct devices *devices, struct loop *loop)
{
	struct stat st;

	*c = (struct control){
		.fd = plan->fd[PLAN_FD_CONTROL],
		.devices = devices,
	};
	if (c->fd < 0)
		return 0;
	if (fstat(c->fd, &st) < 0)
		return -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	return loop_add(loop, c->fd, EPOLLIN, on_message, c, &c->source);
}
