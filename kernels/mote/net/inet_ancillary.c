/* SPDX-License-Identifier: Apache-2.0 */
/* inet_ancillary.c - what goes beside an IP datagram. */
#include "kernels/mote/net/inet_ancillary.h"

#include <linux/errno.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/cmsg.h"
#include "kernels/mote/net/inet.h"
#include "kernels/mote/net/loopback.h"
#include "kernels/mote/net/msg.h"
#include "kernels/mote/net/socket.h"

struct info6 { /* struct in6_pktinfo */
	struct in6_addr addr;
	uint32_t interface;
};

/* A number from 0 to 255; -1 stands for the socket's own. */
static int get_byte(const struct cmsg *c, int *ret)
{
	int value;

	if (c->bytes != sizeof(value))
		return -EINVAL;
	memcpy(&value, c->data, sizeof(value));
	if (value < -1 || value > 255)
		return -EINVAL;
	*ret = value == -1 ? *ret : value;
	return 0;
}

static int get6(struct msg *m, const struct cmsg *c)
{
	switch (c->type) {
	case IPV6_HOPLIMIT:
		return get_byte(c, &m->route.hops);
	case IPV6_TCLASS:
		return get_byte(c, &m->route.class);
	case IPV6_PKTINFO: /* there is one interface to send by */
		return c->bytes < sizeof(struct info6) ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static int get4(struct msg *m, const struct cmsg *c)
{
	switch (c->type) {
	case IP_TTL:
		return get_byte(c, &m->route.hops);
	case IP_TOS:
		return get_byte(c, &m->route.class);
	case IP_PKTINFO:
		return c->bytes != sizeof(struct in_pktinfo) ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

int inet_ancillary_get(const struct socket *s, struct msg *m,
		       const struct cmsg *c)
{
	if (c->level == IPPROTO_IP)
		return get4(m, c);
	if (c->level == IPPROTO_IPV6 && s->domain == AF_INET6)
		return get6(m, c);
	return 0;
}

static void put(struct cmsg_writer *w, int level, int type, const void *data,
		uint32_t bytes)
{
	struct cmsg c = {level, type, data, bytes};

	cmsg_put(w, &c);
}

static void put4(const struct socket *s, const struct msg *m,
		 struct cmsg_writer *w)
{
	uint8_t class = (uint8_t)m->route.class;

	if (s->option[OPTION_IP_PKTINFO]) {
		struct in_pktinfo info = {.ipi_ifindex = LO_INDEX};

		memcpy(&info.ipi_addr, &m->route.to.s6_addr[12], 4);
		info.ipi_spec_dst = info.ipi_addr;
		put(w, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	}
	if (s->option[OPTION_IP_RECVTTL])
		put(w, IPPROTO_IP, IP_TTL, &m->route.hops, sizeof(int));
	if (s->option[OPTION_IP_RECVTOS])
		put(w, IPPROTO_IP, IP_TOS, &class, sizeof(class));
}

static void put6(const struct socket *s, const struct msg *m,
		 struct cmsg_writer *w)
{
	if (s->option[OPTION_IP6_RECVPKTINFO]) {
		struct info6 info = {m->route.to, LO_INDEX};

		put(w, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
	if (s->option[OPTION_IP6_RECVHOPLIMIT])
		put(w, IPPROTO_IPV6, IPV6_HOPLIMIT, &m->route.hops,
		    sizeof(int));
	if (s->option[OPTION_IP6_RECVTCLASS])
		put(w, IPPROTO_IPV6, IPV6_TCLASS, &m->route.class, sizeof(int));
}

void inet_ancillary_put(const struct socket *s, const struct msg *m,
			struct cmsg_writer *w)
{
	if (s->type != SOCK_DGRAM || !m->has_cred)
		return;
	if (s->domain == AF_INET6)
		put6(s, m, w);
	else
		put4(s, m, w);
}
