/* SPDX-License-Identifier: Apache-2.0 */
/* net_track.h - what a filter remembers: questions to the resolver, addresses
 * that names stand for, conversations that were allowed. All tables are of
 * fixed size and forget the oldest: a guest that fills them hurts itself. Time
 * is given by the caller, in ns of a clock that does not go back. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/net_policy.h"

#define TRACK_QUESTIONS 64u
#define TRACK_PINS      256u
#define TRACK_SETS      128u /* of flows: a hash, */
#define TRACK_WAYS      4u   /* and this many for each of its values */

struct track_question {
	struct net_addr from, to; /* to: the resolver */
	uint16_t port, id, type;
	uint16_t name; /* of the policy's */
	uint64_t until_ns;
};

struct track_pin {
	struct net_addr addr;
	struct net_service service;
	uint64_t until_ns;
};

struct track_flow { /* between the guest's port and another host's */
	struct net_addr guest, other;
	uint16_t guest_port, other_port;
	uint8_t protocol;
	uint64_t until_ns;
};

struct net_track {
	uint64_t key; /* of the hash; secret: flows come from strangers */
	struct track_question question[TRACK_QUESTIONS];
	struct track_pin pin[TRACK_PINS];
	struct track_flow flow[TRACK_SETS][TRACK_WAYS];
};

/** track_ask() - a question left for the resolver. */
void track_ask(struct net_track *t, const struct track_question *q,
	       uint64_t now_ns);

/** track_answered() - was this asked? Each question is answered once.
 * @q: all but name and until_ns; @ret_name: of the policy's. */
bool track_answered(struct net_track *t, const struct track_question *q,
		    uint64_t now_ns, uint16_t *ret_name);

/** track_pin() - @addr may be spoken to for a while: @ttl_s, within bounds. */
void track_pin(struct net_track *t, const struct net_addr *addr,
	       const struct net_service *service, uint32_t ttl_s,
	       uint64_t now_ns);

bool track_is_pinned(const struct net_track *t, const struct net_addr *addr,
		     uint8_t protocol, uint16_t port, uint64_t now_ns);

/** track_flow() - begin or go on. @flow: all but until_ns. */
void track_flow(struct net_track *t, const struct track_flow *flow,
		uint64_t now_ns);

/** track_flow_goes_on() - is it one that we know? Then it may rest again for
 * as long as its protocol's conversations do. */
bool track_flow_goes_on(struct net_track *t, const struct track_flow *flow,
			uint64_t now_ns);
