/* SPDX-License-Identifier: Apache-2.0 */
/* net_allow.c - the words of --allow and --publish. */
#include "runner/cli/net_option.h"

#include "runner/cli/parse.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define TEXT_BYTES 320u

static const struct net_service all_ports = {.first = 0, .last = UINT16_MAX};

/** cut_protocol() - take "/tcp" or "/udp" off the end. */
static uint8_t cut_protocol(char *text)
{
	size_t n = strlen(text);

	if (n < 4)
		return NET_ANY;
	if (!strcmp(text + n - 4, "/tcp")) {
		text[n - 4] = '\0';
		return NET_TCP;
	}
	if (!strcmp(text + n - 4, "/udp")) {
		text[n - 4] = '\0';
		return NET_UDP;
	}
	return NET_ANY;
}

static bool parse_ports(char *text, struct net_service *ret)
{
	char *dash = strchr(text, '-');
	uint32_t first, last;

	if (dash)
		*dash = '\0';
	if (parse_count(text, 1, UINT16_MAX, &first))
		return false;
	last = first;
	if (dash && parse_count(dash + 1, first, UINT16_MAX, &last))
		return false;
	ret->first = (uint16_t)first;
	ret->last = (uint16_t)last;
	return true;
}

/** split() - "HOST:PORTS", "[HOST]:PORTS" or "HOST". @ret_ports: NULL: none.
 * Return: the host, or NULL. */
static char *split(char *text, char **ret_ports)
{
	char *colon, *end;

	*ret_ports = NULL;
	if (*text == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] && end[1] != ':'))
			return NULL;
		*end = '\0';
		if (end[1])
			*ret_ports = end + 2;
		return text + 1;
	}
	colon = strchr(text, ':');
	if (colon && !strchr(colon + 1, ':')) { /* two are an IPv6 address */
		*colon = '\0';
		*ret_ports = colon + 1;
	}
	return text;
}

/** name_ok() - RFC 1035 and 1123, and at least one letter: 1.2.3 is none. */
static bool name_ok(const char *name)
{
	size_t len = strlen(name), label = 0;
	bool letter = false;

	if (!len || len > 253)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (c == '.') {
			if (!label)
				return false;
			label = 0;
			continue;
		}
		if (!isalnum((unsigned char)c) && c != '-' && c != '_')
			return false;
		letter |= isalpha((unsigned char)c) != 0;
		if (++label > 63)
			return false;
	}
	return letter && label;
}

static const char *add_rule(struct net_option *o, const struct net_rule *rule)
{
	if (o->policy.rule_count == NET_POLICY_RULES)
		return "is too much: at most 64 networks can be allowed";
	o->policy.rule[o->policy.rule_count++] = *rule;
	return NULL;
}

/** add_everything() - both families. */
static const char *add_everything(struct net_option *o, uint32_t flags)
{
	static const uint8_t none[4];
	struct net_rule rule = {.service = all_ports, .flags = flags};
	const char *wrong = add_rule(o, &rule);

	o->resolve = true;
	rule.to.addr = net_addr_v4(none);
	rule.to.bits = 96;
	return wrong ? wrong : add_rule(o, &rule);
}

static const char *add_name(struct net_option *o, const char *host,
			    const struct net_service *service)
{
	struct net_name *n = &o->policy.name[o->policy.name_count];
	size_t len = strlen(host);

	if (len && host[len - 1] == '.')
		len--;
	if (o->policy.name_count == NET_POLICY_NAMES)
		return "is too much: at most 32 names can be allowed";
	for (size_t i = 0; i < len; i++)
		n->name[i] = (char)tolower((unsigned char)host[i]);
	n->name[len] = '\0';
	n->service = *service;
	o->policy.name_count++;
	return NULL;
}

const char *net_option_allow(struct net_option *o, const char *value)
{
	struct net_rule rule = {.service = all_ports};
	char text[TEXT_BYTES], *host, *ports;
	uint8_t protocol;

	if (strlen(value) >= sizeof(text))
		return "is too long";
	if (!strcmp(value, "any"))
		return add_everything(o, 0);
	if (!strcmp(value, "public"))
		return add_everything(o, NET_RULE_PUBLIC);
	(void)snprintf(text, sizeof(text), "%s", value);
	protocol = cut_protocol(text);
	host = split(text, &ports);
	if (!host || (ports && !parse_ports(ports, &rule.service)))
		return "has ports that are not 1 to 65535, as in "
		       "10.0.0.0/8:443 or [fd00::/8]:80-90/tcp";
	rule.service.protocol = protocol;
	if (net_parse_cidr(host, &rule.to))
		return add_rule(o, &rule);
	if (!name_ok(host[0] && host[strlen(host) - 1] == '.' ? "" : host))
		return "is neither an address, as 10.0.0.0/8, nor a name, as "
		       "example.org:443, nor any or public";
	if (!ports)
		return "needs a port: a name is allowed as in example.org:443";
	return add_name(o, host, &rule.service);
}

const char *net_option_publish(struct net_option *o, const char *value)
{
	static const uint8_t local[4] = {127, 0, 0, 1};
	static const char *const wrong =
		"is not [ADDRESS:]HOSTPORT:GUESTPORT[/udp], as 8080:80";
	struct net_publish *p = &o->publish[o->publish_count];
	char text[TEXT_BYTES], *guest, *host;
	uint32_t from, to;

	if (strlen(value) >= sizeof(text))
		return "is too long";
	if (o->publish_count == NET_POLICY_PUBLISHED)
		return "is too much: at most 32 ports can be published";
	(void)snprintf(text, sizeof(text), "%s", value);
	p->protocol = cut_protocol(text) == NET_UDP ? NET_UDP : NET_TCP;
	guest = strrchr(text, ':');
	if (!guest)
		return wrong;
	*guest++ = '\0';
	host = strrchr(text, ':');
	p->host = net_addr_v4(local);
	if (host) {
		size_t n = (size_t)(host - text);
		char *addr = text;

		*host++ = '\0';
		if (*addr == '[' && addr[n - 1] == ']') {
			addr[n - 1] = '\0';
			addr++;
		}
		if (!net_parse_addr(addr, &p->host))
			return wrong;
	}
	if (parse_count(host ? host : text, 1, UINT16_MAX, &from) ||
	    parse_count(guest, 1, UINT16_MAX, &to))
		return wrong;
	p->host_port = (uint16_t)from;
	p->guest_port = (uint16_t)to;
	o->publish_count++;
	return NULL;
}
