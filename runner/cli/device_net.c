/* SPDX-License-Identifier: Apache-2.0 */
/* device_net.c - see device_net.h. */
#include "runner/cli/device_net.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/net_tap.h"
#include "runner/cli/net_user.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <resolv.h>
#include <string.h>
#include <sys/random.h>

#define USER_MTU 65520u /* as large as passt can: fewer, larger frames */
#define PORT_DNS 53u

/** random_mac() - locally administered, nobody's group. */
static int random_mac(uint8_t mac[6])
{
	if (getrandom(mac, 6, 0) != 6)
		return -EIO;
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02);
	return 0;
}

/** host_resolver() - the first of the host's, if it is IPv4 and not the host
 * itself: passt has DHCP name that one. */
static bool host_resolver(struct net_addr *ret)
{
	struct __res_state state = {0};
	uint8_t v4[4];
	bool found = false;

	if (res_ninit(&state) < 0)
		return false;
	if (state.nscount > 0 && state.nsaddr_list[0].sin_family == AF_INET) {
		memcpy(v4, &state.nsaddr_list[0].sin_addr, sizeof(v4));
		*ret = net_addr_v4(v4);
		found = !net_addr_is_group(ret);
	}
	res_nclose(&state);
	return found;
}

/** user_defaults() - a network of its own, with a resolver that is passt's. */
static int user_defaults(struct net_option *o, struct problem *why)
{
	static const uint8_t guest[] = {10, 0, 2, 15},
			     gateway[] = {10, 0, 2, 2},
			     resolver[] = {10, 0, 2, 3};

	if (o->queues > 1 || o->any_source)
		return problem_set(why, EXIT_AMPOULE,
				   "--net user has one queue and an address "
				   "that is known: no queues=, no address=any");
	if (!o->own_count && !o->has_gateway) {
		o->own[o->own_count++] =
			(struct net_prefix){net_addr_v4(guest), 96 + 24, {0}};
		o->gateway = net_addr_v4(gateway);
		o->has_gateway = true;
	}
	if (o->own_count != 1 || !o->has_gateway ||
	    !net_addr_is_v4(&o->own[0].addr) ||
	    !net_addr_in(&o->gateway, &o->own[0]))
		return problem_set(why, EXIT_AMPOULE,
				   "--net user takes one IPv4 address= with a "
				   "gateway= in its network, such as "
				   "address=10.0.0.2/24,gateway=10.0.0.1, or "
				   "neither");
	if (!o->resolver_count) {
		o->resolver[o->resolver_count++] = net_addr_v4(resolver);
		if (host_resolver(&o->resolver[1]))
			o->resolver_count++;
	}
	return 0;
}

/** fill_policy() - what was allowed, by whom, and who resolves. */
static int fill_policy(struct net_option *o, struct problem *why)
{
	struct net_policy *p = &o->policy;

	if (o->any_source)
		p->flags |= NET_POLICY_ANY_SOURCE;
	p->own_count = o->own_count;
	for (uint32_t i = 0; i < o->own_count; i++) {
		p->own[i] = o->own[i];
		/* IPv6 hosts make addresses of their prefix; IPv4 ones do
		 * not. */
		if (net_addr_is_v4(&o->own[i].addr))
			p->own[i].bits = 128;
	}
	p->resolver_count = o->resolver_count;
	memcpy(p->resolver, o->resolver, sizeof(p->resolver));
	if (p->name_count && !o->resolver_count)
		return problem_set(
			why, EXIT_AMPOULE,
			"--allow %s: a name needs to know the "
			"resolver: add resolver=ADDRESS to --net tap",
			p->name[0].name);
	for (uint32_t i = 0; o->resolve && i < o->resolver_count; i++) {
		struct net_rule *r = &p->rule[p->rule_count];

		if (p->rule_count == NET_POLICY_RULES)
			break;
		*r = (struct net_rule){
			.to = {o->resolver[i], 128, {0}},
			.service = {PORT_DNS, PORT_DNS, NET_ANY, {0}},
		};
		p->rule_count++;
	}
	for (uint32_t i = 0; i < o->publish_count; i++)
		p->published[p->published_count++] = (struct net_service){
			.first = o->publish[i].guest_port,
			.last = o->publish[i].guest_port,
			.protocol = o->publish[i].protocol,
		};
	return 0;
}

static int add(struct device_set *set, const struct net_option *o,
	       struct plan_device *dev, const int *link, uint32_t links,
	       struct problem *why)
{
	int fd[1 + PLAN_NET_PAIRS], err;

	err = net_policy_seal(&o->policy, &fd[0]);
	if (err) {
		for (uint32_t i = 0; i < links; i++)
			close(link[i]);
		return problem_set(why, EXIT_AMPOULE,
				   "--net: cannot write the policy: %s",
				   error_text(err));
	}
	memcpy(fd + 1, link, links * sizeof(*link));
	memcpy(dev->u.net.mac, o->mac, sizeof(o->mac));
	memcpy(dev->u.net.rate, o->rate, sizeof(o->rate));
	dev->kind = PLAN_DEVICE_NET;
	return device_set_add(set, dev, fd, 1 + links, why);
}

static int open_user(struct device_set *set, struct net_option *o,
		     struct problem *why)
{
	struct plan_device dev = {0};
	uint32_t mtu = o->mtu ? o->mtu : USER_MTU;
	int fd, err = user_defaults(o, why);

	if (!err)
		err = fill_policy(o, why);
	if (!err)
		err = net_user_start(o, o->mac, mtu, &fd, &set->helper, why);
	if (err)
		return err;
	dev.u.net.link = PLAN_NET_STREAM;
	dev.u.net.mtu = (uint16_t)mtu;
	return add(set, o, &dev, &fd, 1, why);
}

static int open_tap(struct device_set *set, struct net_option *o,
		    struct problem *why)
{
	struct plan_device dev = {.flags = PLAN_NET_OFFLOADS};
	struct net_tap tap;
	int err;

	if ((o->tap[0] || o->tap_fd >= 0) && !o->own_count && !o->any_source)
		return problem_set(why, EXIT_AMPOULE,
				   "--net tap=%s: say which address the guest "
				   "has, so that it can take no other: "
				   "address=10.0.0.2/24, or address=any",
				   o->tap[0] ? o->tap : "fd:N");
	for (uint32_t i = 0; i < o->publish_count; i++) {
		if (o->publish[i].host_port != o->publish[i].guest_port)
			return problem_set(why, EXIT_AMPOULE,
					   "--publish: through a tap a port of "
					   "the guest is asked directly; use "
					   "the same number twice");
	}
	err = net_tap_open(o, &tap, why);
	if (!err)
		err = fill_policy(o, why);
	if (err) {
		net_tap_done(&tap);
		return err;
	}
	if (tap.uso)
		dev.flags |= PLAN_NET_USO;
	dev.u.net.link = PLAN_NET_TAP;
	dev.u.net.mtu =
		(uint16_t)(o->mtu && o->mtu < tap.mtu ? o->mtu : tap.mtu);
	return add(set, o, &dev, tap.fd, tap.count, why);
}

int device_net_open(struct device_set *set, const struct settings *s,
		    struct problem *why)
{
	struct net_option o = s->net;

	if (o.mode == NET_MODE_NONE) {
		if (o.policy.rule_count || o.policy.name_count ||
		    o.publish_count)
			return problem_set(why, EXIT_AMPOULE,
					   "--allow and --publish are about a "
					   "network, and this VM has none; add "
					   "--net user or --net tap");
		return 0;
	}
	if (!o.has_mac && random_mac(o.mac))
		return problem_set(why, EXIT_AMPOULE,
				   "--net: no random numbers for a MAC "
				   "address");
	return o.mode == NET_MODE_USER ? open_user(set, &o, why)
				       : open_tap(set, &o, why);
}
