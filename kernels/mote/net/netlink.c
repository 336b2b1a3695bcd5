/* SPDX-License-Identifier: Apache-2.0 */
/* netlink.c - rtnetlink(7) about the loopback interface. An answer is queued
 * while the question is sent. */
#include "kernels/mote/net/netlink.h"

#include <linux/errno.h>
#include <linux/poll.h>
#include <linux/rtnetlink.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/loopback.h"
#include "kernels/mote/net/message.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/socket.h"

#define QUESTION_MAX 1024u
#define ANSWER_MAX   1024u
#define FOREVER      0xffffffffu /* lifetime of an address */

struct answer {
	uint32_t bytes;
	uint8_t data[ANSWER_MAX] __attribute__((aligned(4)));
};

static void *grow(struct answer *a, uint32_t bytes)
{
	uint8_t *at = a->data + a->bytes;

	a->bytes += NLMSG_ALIGN(bytes);
	memset(at, 0, NLMSG_ALIGN(bytes));
	return at;
}

static void add_attribute(struct answer *a, uint16_t type, const void *data,
			  uint32_t bytes)
{
	struct rtattr *attr = grow(a, (uint32_t)RTA_LENGTH(bytes));

	attr->rta_type = type;
	attr->rta_len = (uint16_t)RTA_LENGTH(bytes);
	memcpy(RTA_DATA(attr), data, bytes);
}

static void add_u32(struct answer *a, uint16_t type, uint32_t value)
{
	add_attribute(a, type, &value, sizeof(value));
}

/* Begin one message of an answer; its length is set by end_message(). */
static struct nlmsghdr *
begin_message(struct answer *a, const struct nlmsghdr *question, uint16_t type)
{
	struct nlmsghdr *h = grow(a, NLMSG_HDRLEN);

	h->nlmsg_type = type;
	h->nlmsg_seq = question->nlmsg_seq;
	h->nlmsg_pid = question->nlmsg_pid;
	h->nlmsg_flags = question->nlmsg_flags & NLM_F_DUMP ? NLM_F_MULTI : 0;
	return h;
}

static void end_message(const struct answer *a, struct nlmsghdr *h)
{
	h->nlmsg_len = (uint32_t)(a->data + a->bytes - (uint8_t *)h);
}

static void add_link(struct answer *a, const struct nlmsghdr *question)
{
	struct nlmsghdr *h = begin_message(a, question, RTM_NEWLINK);
	struct ifinfomsg *link = grow(a, sizeof(*link));
	const uint8_t hardware[6] = {0};
	const uint8_t unknown = 0;

	link->ifi_type = LO_TYPE;
	link->ifi_index = LO_INDEX;
	link->ifi_flags = LO_FLAGS_LINK;
	add_attribute(a, IFLA_IFNAME, LO_NAME, sizeof(LO_NAME));
	add_u32(a, IFLA_TXQLEN, LO_QUEUE);
	add_attribute(a, IFLA_OPERSTATE, &unknown, 1);
	add_u32(a, IFLA_MTU, LO_MTU);
	add_attribute(a, IFLA_QDISC, "noqueue", sizeof("noqueue"));
	add_attribute(a, IFLA_ADDRESS, hardware, sizeof(hardware));
	add_attribute(a, IFLA_BROADCAST, hardware, sizeof(hardware));
	end_message(a, h);
}

static void add_address(struct answer *a, const struct nlmsghdr *question,
			uint8_t family)
{
	static const uint8_t ipv4[4] = {127, 0, 0, 1};
	static const uint8_t ipv6[16] = {[15] = 1};
	const struct ifa_cacheinfo life = {.ifa_prefered = FOREVER,
					   .ifa_valid = FOREVER};
	struct nlmsghdr *h = begin_message(a, question, RTM_NEWADDR);
	struct ifaddrmsg *m = grow(a, sizeof(*m));

	m->ifa_family = family;
	m->ifa_prefixlen = family == AF_INET ? 8 : 128;
	m->ifa_flags = IFA_F_PERMANENT;
	m->ifa_scope = RT_SCOPE_HOST;
	m->ifa_index = LO_INDEX;
	if (family == AF_INET) {
		add_attribute(a, IFA_ADDRESS, ipv4, sizeof(ipv4));
		add_attribute(a, IFA_LOCAL, ipv4, sizeof(ipv4));
		add_attribute(a, IFA_LABEL, LO_NAME, sizeof(LO_NAME));
	} else {
		add_attribute(a, IFA_ADDRESS, ipv6, sizeof(ipv6));
	}
	add_attribute(a, IFA_CACHEINFO, &life, sizeof(life));
	add_u32(a, IFA_FLAGS, IFA_F_PERMANENT);
	end_message(a, h);
}

static void add_done(struct answer *a, const struct nlmsghdr *question)
{
	struct nlmsghdr *h = begin_message(a, question, NLMSG_DONE);

	(void)grow(a, sizeof(int)); /* no error */
	end_message(a, h);
}

/* Also the acknowledgement: error 0. */
static void add_error(struct answer *a, const struct nlmsghdr *question,
		      int error)
{
	struct nlmsghdr *h = begin_message(a, question, NLMSG_ERROR);
	struct nlmsgerr *e = grow(a, sizeof(*e));

	h->nlmsg_flags = 0;
	e->error = error;
	e->msg = *question;
	end_message(a, h);
}

static void add_addresses(struct answer *a, const struct nlmsghdr *question,
			  uint8_t family)
{
	if (family == AF_UNSPEC || family == AF_INET)
		add_address(a, question, AF_INET);
	if (family == AF_UNSPEC || family == AF_INET6)
		add_address(a, question, AF_INET6);
}

static void answer(struct answer *a, const struct nlmsghdr *question,
		   uint8_t family)
{
	bool dump = (question->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP;
	int error = 0;

	if (question->nlmsg_type == RTM_GETLINK)
		add_link(a, question);
	else if (question->nlmsg_type == RTM_GETADDR && dump)
		add_addresses(a, question, family);
	else if (!dump)
		error = question->nlmsg_type == RTM_GETROUTE ? -ENETUNREACH
							     : -EOPNOTSUPP;
	if (dump)
		add_done(a, question);
	else if (error || (question->nlmsg_flags & NLM_F_ACK))
		add_error(a, question, error);
}

static int queue_answer(struct socket *s, struct answer *a)
{
	struct packet *p;
	struct uio u;
	struct msg m = {.u = &u};
	int err;

	if (s->rx.charge >= (uint32_t)s->option[OPTION_RCVBUF])
		return -ENOBUFS;
	uio_init_kernel(&u, a->data, a->bytes);
	err = message_make(&m, &p);
	if (err)
		return err;
	p->from.bytes = sizeof(p->from.nl);
	p->from.nl = (struct sockname_netlink){.family = AF_NETLINK};
	queue_add(&s->rx, p);
	socket_wake(s);
	return 0;
}

static void name_self(struct socket *s)
{
	if (!s->netlink_pid)
		s->netlink_pid = (uint32_t)cred_current().pid;
}

static int ask(struct socket *s, const uint8_t *data, uint32_t bytes)
{
	struct nlmsghdr h;
	struct answer a;
	uint8_t family = AF_UNSPEC;

	if (bytes < sizeof(h))
		return 0;
	memcpy(&h, data, sizeof(h));
	if (h.nlmsg_len < sizeof(h) || h.nlmsg_len > bytes ||
	    !(h.nlmsg_flags & NLM_F_REQUEST))
		return 0; /* as Linux: nothing to say to that */
	if (h.nlmsg_len > sizeof(h))
		family = data[sizeof(h)];
	h.nlmsg_pid = s->netlink_pid;
	a.bytes = 0;
	answer(&a, &h, family);
	return queue_answer(s, &a);
}

static long netlink_send(struct socket *s, struct msg *m)
{
	uint8_t data[QUESTION_MAX];
	uint64_t bytes = m->u->left;
	long n;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (bytes > sizeof(data))
		return -EMSGSIZE;
	if (m->name.bytes && (m->name.bytes < sizeof(m->name.nl) ||
			      m->name.family != AF_NETLINK))
		return -EINVAL;
	if (m->name.bytes && m->name.nl.pid)
		return -ECONNREFUSED; /* the kernel is 0 */
	name_self(s);
	n = uio_copy_in(m->u, data, bytes);
	if (n < 0 || (uint64_t)n < bytes)
		return -EFAULT;
	n = ask(s, data, (uint32_t)bytes);
	return n ? n : (long)bytes;
}

static int netlink_bind(struct socket *s, const struct sockname *name)
{
	if (name->bytes < sizeof(name->nl) || name->family != AF_NETLINK)
		return -EINVAL;
	if (name->nl.groups && cred_current().uid)
		return -EPERM;
	if (s->netlink_pid)
		return name->nl.pid == s->netlink_pid ? 0 : -EINVAL;
	s->netlink_pid = name->nl.pid;
	name_self(s);
	return 0;
}

static int netlink_connect(struct socket *s, const struct sockname *name,
			   uint32_t flags)
{
	if (name->bytes < sizeof(name->nl) || name->family != AF_NETLINK)
		return -EINVAL;
	name_self(s);
	return 0;
}

static void netlink_name(const struct socket *s, struct sockname *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->bytes = sizeof(ret->nl);
	ret->nl = (struct sockname_netlink){.family = AF_NETLINK,
					    .pid = s->netlink_pid};
}

static int netlink_peer_name(const struct socket *s, struct sockname *ret)
{
	netlink_name(s, ret);
	ret->nl.pid = 0;
	return 0;
}

static unsigned netlink_poll(struct socket *s)
{
	return message_poll(s) | POLLOUT | POLLWRNORM | POLLWRBAND;
}

const struct socket_ops netlink_ops = {
	.bind = netlink_bind,
	.connect = netlink_connect,
	.send = netlink_send,
	.recv = message_recv,
	.poll = netlink_poll,
	.name = netlink_name,
	.peer_name = netlink_peer_name,
	.unread = message_unread,
};
