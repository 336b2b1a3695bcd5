/* SPDX-License-Identifier: Apache-2.0 */
/* device_makers.h - a device of each kind for the fuzzers that take any: of
 * saved states, of PCI. One row a kind in device_makers.c. */
#pragma once
#include <stdint.h>

#include "devices-virtio/vdev.h"

/** device_make() - the device with virtio id @which (255: the harness), or, if
 * there is none, that of row @which % rows; aborts when it cannot be made.
 * Nobody is on its host's side. */
struct vdev *device_make(uint8_t which);
