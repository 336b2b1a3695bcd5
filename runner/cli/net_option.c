/* SPDX-License-Identifier: Apache-2.0 */
/* net_option.c - the words of --net. */
#include "runner/cli/net_option.h"

#include "base/bucket.h"
#include "runner/cli/parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALUE_BYTES 128u

void net_option_init(struct net_option *o)
{
	memset(o, 0, sizeof(*o));
	o->tap_fd = -1;
	net_policy_init(&o->policy);
}

bool net_parse_addr(const char *text, struct net_addr *ret)
{
	struct net_addr a;
	uint8_t v4[4];

	if (inet_pton(AF_INET, text, v4) == 1) {
		*ret = net_addr_v4(v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, a.b) != 1 || net_addr_is_v4(&a))
		return false;
	*ret = a;
	return true;
}

bool net_parse_cidr(const char *text, struct net_prefix *ret)
{
	const char *slash = strchrnul(text, '/');
	char addr[INET6_ADDRSTRLEN];
	struct net_prefix p = {.bits = 128};
	uint32_t bits, most;

	if ((size_t)(slash - text) >= sizeof(addr))
		return false;
	memcpy(addr, text, (size_t)(slash - text));
	addr[slash - text] = '\0';
	if (!net_parse_addr(addr, &p.addr))
		return false;
	most = net_addr_is_v4(&p.addr) ? 32 : 128;
	if (*slash) {
		if (parse_count(slash + 1, 0, most, &bits))
			return false;
		p.bits = (uint8_t)(128 - most + bits);
	}
	*ret = p;
	return true;
}

const char *net_addr_text(const struct net_addr *a, char *buf)
{
	bool v4 = net_addr_is_v4(a);

	return inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? a->b + 12 : a->b, buf,
			 INET6_ADDRSTRLEN);
}

/** read_mac() - six times two digits, ':' between. */
static bool read_mac(const char *text, uint8_t ret[6])
{
	for (int i = 0; i < 6; i++) {
		char digits[3] = "";

		for (int k = 0; k < 2; k++) {
			digits[k] = *text;
			if (!isxdigit((unsigned char)*text++))
				return false;
		}
		ret[i] = (uint8_t)strtoul(digits, NULL, 16);
		if (*text++ != (i < 5 ? ':' : '\0'))
			return false;
	}
	return true;
}

static const char *set_mac(struct net_option *o, const char *value)
{
	uint8_t b[6];

	if (!read_mac(value, b))
		return "has a mac that is not like 02:00:00:00:00:01";
	if (b[0] & 1)
		return "has a mac that is a group's: its first number is odd";
	memcpy(o->mac, b, sizeof(b));
	o->has_mac = true;
	return NULL;
}

static const char *set_address(struct net_option *o, const char *value)
{
	struct net_prefix p;

	if (!strcmp(value, "any")) {
		o->any_source = true;
		return NULL;
	}
	if (!net_parse_cidr(value, &p) || net_addr_is_group(&p.addr))
		return "has an address that no guest can have; for example "
		       "address=10.0.0.2/24, or address=any";
	if (o->own_count == NET_POLICY_OWN)
		return "has more than four addresses";
	o->own[o->own_count++] = p;
	return NULL;
}

static const char *set_gateway(struct net_option *o, const char *value)
{
	if (!net_parse_addr(value, &o->gateway))
		return "has a gateway that is no address";
	o->has_gateway = true;
	return NULL;
}

static const char *set_resolver(struct net_option *o, const char *value)
{
	if (o->resolver_count == NET_POLICY_RESOLVERS)
		return "has more than two resolvers";
	if (!net_parse_addr(value, &o->resolver[o->resolver_count]))
		return "has a resolver that is no address";
	o->resolver_count++;
	return NULL;
}

static const char *set_mtu(struct net_option *o, const char *value)
{
	return parse_count(value, 576, PLAN_NET_MTU_MAX, &o->mtu)
		       ? "has an mtu that is not 576 to 65520"
		       : NULL;
}

static const char *set_queues(struct net_option *o, const char *value)
{
	return parse_count(value, 1, PLAN_NET_PAIRS, &o->queues)
		       ? "has queues that are not 1 to 7"
		       : NULL;
}

static const char *set_rate(struct net_option *o, unsigned which,
			    const char *value)
{
	uint64_t rate;

	if (parse_size(value, &rate) || !rate || rate > BUCKET_RATE_MAX)
		return "has a rate that is no number a second, such as 10M";
	o->rate[which].per_second = rate;
	return NULL;
}

static const char *set_out(struct net_option *o, const char *value)
{
	return set_rate(o, 0, value);
}

static const char *set_packets_out(struct net_option *o, const char *value)
{
	return set_rate(o, 1, value);
}

static const char *set_in(struct net_option *o, const char *value)
{
	return set_rate(o, 2, value);
}

static const char *set_packets_in(struct net_option *o, const char *value)
{
	return set_rate(o, 3, value);
}

static const struct {
	const char *key;
	const char *(*set)(struct net_option *o, const char *value);
} keys[] = {
	{"mac", set_mac},         {"address", set_address},
	{"gateway", set_gateway}, {"resolver", set_resolver},
	{"mtu", set_mtu},         {"queues", set_queues},
	{"out", set_out},         {"packets-out", set_packets_out},
	{"in", set_in},           {"packets-in", set_packets_in},
};

static const char *set_key(struct net_option *o, char *word)
{
	char *equals = strchr(word, '=');

	if (equals) {
		*equals = '\0';
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			if (!strcmp(keys[i].key, word))
				return keys[i].set(o, equals + 1);
		}
	}
	return "has more than mac=, address=, gateway=, resolver=, mtu=, "
	       "queues=, in=, out=, packets-in= and packets-out=";
}

/** set_tap() - @name: of an interface, or fd:N. */
static const char *set_tap(struct net_option *o, const char *name)
{
	uint32_t fd;

	if (!strncmp(name, "fd:", 3)) {
		if (parse_count(name + 3, 3, INT32_MAX, &fd))
			return "names no descriptor of a tap: fd:3 and above";
		o->tap_fd = (int)fd;
		return NULL;
	}
	if (!name[0] || strlen(name) >= sizeof(o->tap) || strchr(name, '%') ||
	    strchr(name, '/'))
		return "names no tap: 1 to 15 characters";
	memcpy(o->tap, name, strlen(name) + 1);
	return NULL;
}

static const char *set_mode(struct net_option *o, const char *word)
{
	if (o->mode != NET_MODE_NONE)
		return "is a second network; a VM has one";
	if (!strcmp(word, "none"))
		return NULL;
	if (!strcmp(word, "user")) {
		o->mode = NET_MODE_USER;
		return NULL;
	}
	if (!strcmp(word, "tap")) {
		o->mode = NET_MODE_TAP;
		return NULL;
	}
	if (strncmp(word, "tap=", 4) != 0)
		return "is none of none, user, tap, tap=NAME and tap=fd:N";
	o->mode = NET_MODE_TAP;
	return set_tap(o, word + 4);
}

const char *net_option_set(struct net_option *o, const char *value)
{
	bool first = true;

	while (value) {
		const char *comma = strchr(value, ',');
		size_t n = comma ? (size_t)(comma - value) : strlen(value);
		char word[VALUE_BYTES];
		const char *wrong;

		if (n >= sizeof(word))
			return "has a word that is too long";
		memcpy(word, value, n);
		word[n] = '\0';
		wrong = first ? set_mode(o, word) : set_key(o, word);
		if (wrong)
			return wrong;
		first = false;
		value = comma ? comma + 1 : NULL;
	}
	return NULL;
}
