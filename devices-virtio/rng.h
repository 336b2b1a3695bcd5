/* SPDX-License-Identifier: Apache-2.0 */
/* rng.h - the entropy device (virtio 1.2, 5.4): getrandom(2) straight into
 * guest pages. Must not: give a kick more than RNG_CHAIN_BYTES a chain. */
#pragma once
#include "devices-virtio/vdev.h"

#define RNG_CHAIN_BYTES 1024u /* the device may give less than asked */

/** rng_new() - @ret: owned by the caller, vdev_free(). Return: 0, -ENOMEM. */
int rng_new(struct vdev **ret);
