/* SPDX-License-Identifier: Apache-2.0 */
/* console_rig.h - a console device between a fake driver and real fds, with a
 * loop thread: what the tests and fuzzers of the console stand on. */
#pragma once
#include <linux/virtio_console.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/loop.h"
#include "base/plan.h"
#include "devices-virtio/console.h"
#include "tests/unit/fake_driver.h"

#define RIG_SIZE    256u
#define RIG_CONTROL (DRV_DATA - 0x8000u) /* control buffers, 64 bytes each */

enum rig_queue {
	RIG_IN = 0,
	RIG_CONTROL_IN = 2,
	RIG_CONTROL_OUT = 3,
	RIG_OUT = 5,
	RIG_ERR = 7,
};

struct rig {
	struct fake_driver drv;
	struct loop *loop;
	pthread_t thread;
	bool running;
	int host[CONSOLE_PORTS];  /* our ends; -1 none */
	int guest[CONSOLE_PORTS]; /* the device's ends */
};

/** rig_pipes() - fds[i] pipes, the device's ends as @kind wants them. */
void rig_pipes(struct rig *rig, uint32_t kind);
/** rig_start() - a device over rig->guest; multiport unless @features lacks
 * it. Starts the loop thread. */
void rig_start(struct rig *rig, const uint32_t kind[CONSOLE_PORTS],
	       uint64_t features);
/** rig_open() - pipes or sockets of one kind, a device, and its handshake if
 * @features has ports. */
void rig_open(struct rig *rig, uint32_t kind, uint64_t features);
/** rig_hello() - post control buffers, DEVICE_READY, PORT_READY and
 * PORT_OPEN for all. */
void rig_hello(struct rig *rig);
/** rig_post_control() - @n control receive buffers of 64 bytes. */
void rig_post_control(struct rig *rig, unsigned n);
/** rig_say() - send a control message. */
void rig_say(struct rig *rig, uint32_t id, uint16_t event, uint16_t value);
/** rig_hear() - the next control message, with what follows its head.
 * Return: its length, 0 for none. */
uint32_t rig_hear(struct rig *rig, struct virtio_console_control *ret,
		  char rest[64]);
/** rig_heard_close() - wait until PORT_OPEN 0 came for @id, 2 s at most. */
bool rig_heard_close(struct rig *rig, uint32_t id);
/** rig_wait_used() - wait until @n completions are there, 10 s at most. */
bool rig_wait_used(struct rig *rig, unsigned q, unsigned n);
void rig_done(struct rig *rig);
