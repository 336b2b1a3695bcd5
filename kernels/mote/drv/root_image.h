/* SPDX-License-Identifier: Apache-2.0 */
/* root_image.h - the root from an image on the first pmem or block device. */
#pragma once
#include <stdbool.h>

/** root_image_mount() - panics with one line if that cannot be. Once, before
 * the first program. */
void root_image_mount(bool read_only);
