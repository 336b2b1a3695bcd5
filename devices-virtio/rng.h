/* SPDX-License-Identifier: Apache-2.0 */
/* rng.h - the entropy device (virtio 1.2, 5.4): getrandom(2) straight into
 * guest pages. Must not: give a kick more than RNG_CHAIN_BYTES a chain.
 *
 * Without a limit a kick is served before it returns. With one, the loop thread
 * serves all of it: a queue that has had its share rests until a timer says
 * that there is more, and the buffers stay where they are. */
#pragma once
#include <stdint.h>

#include "base/plan.h"
#include "devices-virtio/vdev.h"

struct loop;

#define RNG_CHAIN_BYTES 1024u /* the device may give less than asked */

struct rng_config {
	struct plan_rate bytes; /* per_second > 0 */
	struct loop *loop;      /* borrowed; outlives the device */
};

/** rng_new() - @config: NULL for no limit. @ret: owned by the caller,
 * vdev_free(). Return: 0; -ENOMEM; -errno of timerfd_create(2), eventfd(2),
 * loop_add(). */
int rng_new(const struct rng_config *config, struct vdev **ret);
