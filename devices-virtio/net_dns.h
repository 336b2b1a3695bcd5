/* SPDX-License-Identifier: Apache-2.0 */
/* net_dns.h - DNS messages (RFC 1035), as far as is needed to know which
 * addresses a name stands for. Trusts: no byte. Must not: allocate, recurse, or
 * follow a pointer forwards. */
#pragma once
#include <stdint.h>

#include "base/net_policy.h"

#define DNS_ANSWERS_MAX 16u

struct dns_question {
	uint16_t id;
	uint16_t type;
	char name[NET_POLICY_NAME_BYTES]; /* lower case, no dot at the end */
};

struct dns_answer {
	struct net_addr addr;
	uint32_t ttl_s;
};

struct dns_reply {
	struct dns_question question;
	uint32_t count;
	struct dns_answer answer[DNS_ANSWERS_MAX];
};

/** dns_read_query() - a plain question and nothing else: one name, class IN,
 * at most an EDNS record without options worth mentioning.
 * Return: 0, or -EPROTO. */
int dns_read_query(const uint8_t *msg, uint32_t len, struct dns_question *ret);

/** dns_read_reply() - the addresses that the name of the question has, by way
 * of aliases that the same message explains, in order.
 * Return: 0, -EPROTO. A message that is cut gives what came before. */
int dns_read_reply(const uint8_t *msg, uint32_t len, struct dns_reply *ret);
