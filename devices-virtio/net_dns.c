/* SPDX-License-Identifier: Apache-2.0 */
/* net_dns.c - see net_dns.h. */
#include "devices-virtio/net_dns.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "devices-virtio/net_packet.h"

#define HEADER_BYTES 12u
#define RECORD_BYTES 10u /* behind the name */
#define RECORDS_MAX  64u
#define OPTION_BYTES 64u /* of EDNS: a cookie and a little more */
#define CLASS_IN     1u
#define TYPE_A       1u
#define TYPE_CNAME   5u
#define TYPE_AAAA    28u
#define TYPE_OPT     41u
#define FLAG_REPLY   0x8000u
#define FLAGS_OPCODE 0x7800u
#define FLAGS_CODE   0x000fu

struct reader {
	const uint8_t *msg;
	uint32_t len, at;
};

struct record {
	char name[NET_POLICY_NAME_BYTES];
	uint16_t type, class;
	uint32_t ttl_s;
	uint32_t data, data_len; /* where in the message */
};

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

/** put_label() - a label and the dot before it. Bytes that a name cannot have
 * in our form ('.', NUL) spoil it. */
static int put_label(char *name, uint32_t *used, const uint8_t *label,
		     uint32_t len)
{
	if (*used + len + 2 > NET_POLICY_NAME_BYTES)
		return -EPROTO;
	if (*used)
		name[(*used)++] = '.';
	for (uint32_t i = 0; i < len; i++) {
		if (label[i] <= ' ' || label[i] > '~' || label[i] == '.')
			return -EPROTO;
		name[(*used)++] = lower(label[i]);
	}
	return 0;
}

/** follow() - a pointer at @at, which must lead to before @floor. */
static int follow(const struct reader *r, uint32_t *at, uint32_t *floor)
{
	if (*at + 2 > r->len)
		return -EPROTO;
	*at = net_be16(r->msg + *at) & 0x3fff;
	if (*at >= *floor)
		return -EPROTO;
	*floor = *at;
	return 0;
}

/** read_name() - RFC 1035, 4.1.4. A pointer leads to before the name that has
 * it, so there is an end. */
static int read_name(struct reader *r, char *name)
{
	uint32_t at = r->at, floor = r->at, used = 0;
	bool jumped = false;

	for (;;) {
		uint32_t n;

		if (at >= r->len)
			return -EPROTO;
		n = r->msg[at];
		if (n >> 6 == 3) {
			if (!jumped)
				r->at = at + 2;
			jumped = true;
			if (follow(r, &at, &floor))
				return -EPROTO;
			continue;
		}
		if (n >> 6 || n > r->len - at - 1)
			return -EPROTO;
		at += 1 + n;
		if (!n)
			break;
		if (put_label(name, &used, r->msg + at - n, n))
			return -EPROTO;
	}
	if (!jumped)
		r->at = at;
	name[used] = '\0';
	return 0;
}

/** read_question() - the one that a message has. */
static int read_question(struct reader *r, struct dns_question *q)
{
	if (r->len < HEADER_BYTES || net_be16(r->msg + 4) != 1)
		return -EPROTO;
	r->at = HEADER_BYTES;
	q->id = net_be16(r->msg);
	if (read_name(r, q->name) || r->len - r->at < 4)
		return -EPROTO;
	q->type = net_be16(r->msg + r->at);
	if (net_be16(r->msg + r->at + 2) != CLASS_IN)
		return -EPROTO;
	r->at += 4;
	return 0;
}

static int read_record(struct reader *r, struct record *ret)
{
	const uint8_t *p;

	if (read_name(r, ret->name) || r->len - r->at < RECORD_BYTES)
		return -EPROTO;
	p = r->msg + r->at;
	ret->type = net_be16(p);
	ret->class = net_be16(p + 2);
	ret->ttl_s = net_be32(p + 4);
	ret->data_len = net_be16(p + 8);
	ret->data = r->at + RECORD_BYTES;
	if (ret->data_len > r->len - ret->data)
		return -EPROTO;
	r->at = ret->data + ret->data_len;
	return 0;
}

int dns_read_query(const uint8_t *msg, uint32_t len, struct dns_question *ret)
{
	struct reader r = {.msg = msg, .len = len};
	struct record extra;

	if (read_question(&r, ret))
		return -EPROTO;
	if (net_be16(msg + 2) & (FLAG_REPLY | FLAGS_OPCODE | FLAGS_CODE))
		return -EPROTO;
	/* No answers, no authorities, one extra record at most: whatever else
	 * there is would be a way to tell the resolver something. */
	if (net_be32(msg + 6) || net_be16(msg + 10) > 1)
		return -EPROTO;
	if (net_be16(msg + 10) &&
	    (read_record(&r, &extra) || extra.type != TYPE_OPT ||
	     extra.name[0] || extra.data_len > OPTION_BYTES))
		return -EPROTO;
	return r.at == len ? 0 : -EPROTO;
}

/** take_address() - an A or AAAA record. @most_s: how long the aliases that
 * lead to it hold. */
static void take_address(const struct reader *r, const struct record *rec,
			 uint32_t most_s, struct dns_reply *ret)
{
	struct dns_answer *a = &ret->answer[ret->count];
	const uint8_t *data = r->msg + rec->data;

	if (ret->count == DNS_ANSWERS_MAX)
		return;
	if (rec->type == TYPE_A && rec->data_len == 4)
		a->addr = net_addr_v4(data);
	else if (rec->type == TYPE_AAAA && rec->data_len == sizeof(a->addr.b))
		memcpy(a->addr.b, data, sizeof(a->addr.b));
	else
		return;
	if (rec->type == TYPE_AAAA && net_addr_is_v4(&a->addr))
		return; /* that would be the other family */
	a->ttl_s = rec->ttl_s < most_s ? rec->ttl_s : most_s;
	ret->count++;
}

int dns_read_reply(const uint8_t *msg, uint32_t len, struct dns_reply *ret)
{
	struct reader r = {.msg = msg, .len = len};
	char name[NET_POLICY_NAME_BYTES]; /* what we look for: aliases move it
					   */
	struct record rec;
	uint32_t count, most_s = UINT32_MAX;

	ret->count = 0;
	if (read_question(&r, &ret->question))
		return -EPROTO;
	if ((net_be16(msg + 2) & (FLAG_REPLY | FLAGS_OPCODE | FLAGS_CODE)) !=
	    FLAG_REPLY)
		return -EPROTO;
	memcpy(name, ret->question.name, sizeof(name));
	count = net_be16(msg + 6);
	for (uint32_t i = 0; i < count && i < RECORDS_MAX; i++) {
		struct reader target;

		if (read_record(&r, &rec))
			break;
		if (rec.class != CLASS_IN || strcmp(rec.name, name) != 0)
			continue;
		target = (struct reader){msg, len, rec.data};
		if (rec.type != TYPE_CNAME)
			take_address(&r, &rec, most_s, ret);
		else if (read_name(&target, name))
			break;
		else if (rec.ttl_s < most_s)
			most_s = rec.ttl_s;
	}
	return 0;
}
