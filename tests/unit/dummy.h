/* SPDX-License-Identifier: Apache-2.0 */
/* dummy.h - a device that counts what it is told: two queues of 16, which give
 * every chain back, and 8 bytes of configuration, "abcdefgh", that can be
 * written. For tests of what is common to devices, and of transports. */
#pragma once
#include "devices-virtio/vdev.h"

struct dummy {
	struct vdev vd;
	unsigned activations, kicks, stops, resets;
	int activate_result;
	uint8_t config[8];
};

#define DUMMY_ID 42u

/** dummy_init() - @d: the caller's; vdev_free() leaves it to them. */
void dummy_init(struct dummy *d);
