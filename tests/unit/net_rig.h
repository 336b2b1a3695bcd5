/* SPDX-License-Identifier: Apache-2.0 */
/* net_rig.h - a network device with a fake driver, its loop in a thread, and
 * the host's end of a socket pair in the test's hands. Waiting has no time
 * that a test depends on: it ends with what it waits for, or fails. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/net_policy.h"
#include "devices-virtio/net.h"
#include "tests/unit/fake_driver.h"
#include "tests/unit/net_frames.h"

#define RIG_IN  0u /* queues, of one pair */
#define RIG_OUT 1u
#define RIG_ME  "10.0.2.15"
#define RIG_BUF 0x1000u /* a packet's place: DRV_DATA + n * this */

struct net_rig {
	struct fake_driver drv;
	struct net_config config;
	struct net_policy policy;
	struct loop *loop;
	pthread_t thread;
	int peer[NET_PAIRS_MAX]; /* the host's ends; -1: none */
	/* of the device before: net_rig_twin() */
	struct loop *old_loop;
	int old_fd[NET_PAIRS_MAX];
};

/** net_rig_init() - a policy for RIG_ME that allows 192.0.2.0/24; @pairs socket
 * pairs of @kind. The test may change r->config and r->policy then. */
void net_rig_init(struct net_rig *r, enum net_link_kind kind, uint32_t pairs);
/** net_rig_start() - make the device, start its driver and its loop. */
void net_rig_start(struct net_rig *r, uint64_t features, uint16_t size);
struct vdev *net_rig_device(struct net_rig *r); /* another one of the kind */
/** net_rig_twin() - devices made from now on have a loop and fds of their own,
 * with the same host. Once a test; the loop is stopped and does not run then.
 */
void net_rig_twin(struct net_rig *r);
/** net_rig_restart() - run a loop again that was stopped and joined. */
void net_rig_restart(struct net_rig *r);
void net_rig_done(struct net_rig *r);

/** net_rig_put() - header and frame into the driver's memory. Return: bytes */
uint32_t net_rig_put(struct net_rig *r, uint64_t gpa,
		     const struct net_header *header, const struct frame *f);
/** net_rig_send() - one packet in one descriptor, and a kick. */
void net_rig_send(struct net_rig *r, const struct net_header *header,
		  const struct frame *f);
/** net_rig_post() - @count receive buffers of @bytes, and a kick. */
void net_rig_post(struct net_rig *r, unsigned queue, unsigned count,
		  uint32_t bytes);
/** net_rig_wait() - until the driver sees @count completions of @queue. */
bool net_rig_wait(struct net_rig *r, unsigned queue, unsigned count);
/** net_rig_until() - until @done says so, or long enough. */
bool net_rig_until(bool (*done)(struct net_rig *r), struct net_rig *r);
/** net_rig_hear() - the next packet at the host's end. Return: bytes or -1. */
int net_rig_hear(struct net_rig *r, void *dst, uint32_t bytes);
/** net_rig_say() - a packet from the host: header and frame. */
bool net_rig_say(struct net_rig *r, unsigned pair, const struct frame *f);
uint64_t net_rig_dropped(struct net_rig *r, enum net_verdict why);
