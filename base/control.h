/* SPDX-License-Identifier: Apache-2.0 */
/* control.h - what a running VM is asked, and what it answers: fixed-size
 * messages over a SOCK_SEQPACKET socket, one answer a question.
 *
 *   ampoule balloon NAME                    another process of the same user
 *     | DIR/NAME/control, a Unix socket
 *   ampoule run, or the VM's monitor        relays, runner/cli/relay.h
 *     | PLAN_FD_CONTROL
 *   ampoule-vmm, thread "loop"              answers, runner/vmm/control.h
 *
 * The VMM believes no field of a question. What it answers may come from a VMM
 * that was captured: whoever reads it checks it, and prints numbers only. */
#pragma once
#include <stdint.h>

#define CONTROL_VERSION 1u
#define CONTROL_STATS   10u

enum control_type {
	CONTROL_BALLOON_LOOK = 1,  /* answer: u.balloon */
	CONTROL_BALLOON_SET = 2,   /* target_bytes */
	CONTROL_BALLOON_STATS = 3, /* ask the guest for new ones */
	CONTROL_TYPES
};

struct control_balloon {
	uint64_t target_bytes, actual_bytes;
	uint64_t inflated_bytes, reported_bytes; /* given back so far */
	uint64_t failures;
	uint32_t live; /* 1: the guest has a driver at work */
	uint32_t stats_serial, stats_mask, reserved;
	uint64_t stat[CONTROL_STATS]; /* by VIRTIO_BALLOON_S_* */
};

struct control_msg {
	uint32_t version;
	uint32_t type; /* enum control_type; the same in the answer */
	uint64_t id;   /* chosen by who asks, the same in the answer */
	int32_t error; /* answer: 0 or -errno */
	uint32_t reserved;
	union {
		uint64_t raw[28]; /* as large as a member may become */
		struct control_balloon balloon;
	} u;
};
