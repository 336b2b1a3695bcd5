/* SPDX-License-Identifier: Apache-2.0 */
/* net_track.c - see net_track.h. An entry whose time is over is as good as
 * none; zeroed tables are empty. */
#include "devices-virtio/net_track.h"

#include <string.h>

#include "base/clock.h"

#define QUESTION_NS (10 * NS_PER_SEC)
#define TTL_MIN_S   60u   /* a client looks up, then connects */
#define TTL_MAX_S   3600u /* a name may lead elsewhere by then */
#define TCP_IDLE_NS (7200 * NS_PER_SEC)
#define UDP_IDLE_NS (180 * NS_PER_SEC)

void track_ask(struct net_track *t, const struct track_question *q,
	       uint64_t now_ns)
{
	struct track_question *slot = &t->question[0];

	for (unsigned i = 1; i < TRACK_QUESTIONS; i++) {
		if (t->question[i].until_ns < slot->until_ns)
			slot = &t->question[i];
	}
	*slot = *q;
	slot->until_ns = now_ns + QUESTION_NS;
}

static bool same_question(const struct track_question *a,
			  const struct track_question *b)
{
	return a->port == b->port && a->id == b->id && a->type == b->type &&
	       net_addr_equal(&a->from, &b->from) &&
	       net_addr_equal(&a->to, &b->to);
}

bool track_answered(struct net_track *t, const struct track_question *q,
		    uint64_t now_ns, uint16_t *ret_name)
{
	for (unsigned i = 0; i < TRACK_QUESTIONS; i++) {
		struct track_question *asked = &t->question[i];

		if (asked->until_ns <= now_ns || !same_question(asked, q))
			continue;
		*ret_name = asked->name;
		asked->until_ns = 0;
		return true;
	}
	return false;
}

static bool same_service(const struct net_service *a,
			 const struct net_service *b)
{
	return a->first == b->first && a->last == b->last &&
	       a->protocol == b->protocol;
}

void track_pin(struct net_track *t, const struct net_addr *addr,
	       const struct net_service *service, uint32_t ttl_s,
	       uint64_t now_ns)
{
	struct track_pin *slot = &t->pin[0];

	if (ttl_s < TTL_MIN_S)
		ttl_s = TTL_MIN_S;
	if (ttl_s > TTL_MAX_S)
		ttl_s = TTL_MAX_S;
	for (unsigned i = 0; i < TRACK_PINS; i++) {
		struct track_pin *pin = &t->pin[i];

		if (net_addr_equal(&pin->addr, addr) &&
		    same_service(&pin->service, service)) {
			slot = pin;
			break;
		}
		if (pin->until_ns < slot->until_ns)
			slot = pin;
	}
	slot->addr = *addr;
	slot->service = *service;
	slot->until_ns = now_ns + ttl_s * NS_PER_SEC;
}

bool track_is_pinned(const struct net_track *t, const struct net_addr *addr,
		     uint8_t protocol, uint16_t port, uint64_t now_ns)
{
	for (unsigned i = 0; i < TRACK_PINS; i++) {
		const struct track_pin *pin = &t->pin[i];

		if (pin->until_ns > now_ns &&
		    net_addr_equal(&pin->addr, addr) &&
		    net_service_has(&pin->service, protocol, port))
			return true;
	}
	return false;
}

static bool same_flow(const struct track_flow *a, const struct track_flow *b)
{
	return a->guest_port == b->guest_port &&
	       a->other_port == b->other_port && a->protocol == b->protocol &&
	       net_addr_equal(&a->other, &b->other) &&
	       net_addr_equal(&a->guest, &b->guest);
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

static struct track_flow *set_of(struct net_track *t,
				 const struct track_flow *flow)
{
	uint64_t word[2], h = t->key;

	memcpy(word, flow->other.b, sizeof(word));
	h = mix(mix(h, word[0]), word[1]);
	h = mix(h, (uint64_t)flow->guest_port << 24 |
			   (uint64_t)flow->other_port << 8 | flow->protocol);
	return t->flow[h % TRACK_SETS];
}

static uint64_t idle_ns(const struct track_flow *flow)
{
	return flow->protocol == NET_TCP ? TCP_IDLE_NS : UDP_IDLE_NS;
}

void track_flow(struct net_track *t, const struct track_flow *flow,
		uint64_t now_ns)
{
	struct track_flow *set = set_of(t, flow), *slot = set;

	for (unsigned i = 0; i < TRACK_WAYS; i++) {
		if (same_flow(&set[i], flow)) {
			slot = &set[i];
			break;
		}
		if (set[i].until_ns < slot->until_ns)
			slot = &set[i];
	}
	*slot = *flow;
	slot->until_ns = now_ns + idle_ns(flow);
}

bool track_flow_goes_on(struct net_track *t, const struct track_flow *flow,
			uint64_t now_ns)
{
	struct track_flow *set = set_of(t, flow);

	for (unsigned i = 0; i < TRACK_WAYS; i++) {
		if (set[i].until_ns <= now_ns || !same_flow(&set[i], flow))
			continue;
		set[i].until_ns = now_ns + idle_ns(flow);
		return true;
	}
	return false;
}
