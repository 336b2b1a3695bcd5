/* SPDX-License-Identifier: Apache-2.0 */
/* balloon_internal.h - what the two files of the balloon share:
 *
 *   balloon.c       the device, reports of free memory, statistics
 *   balloon_size.c  the balloon itself: it grows and shrinks as the host asks
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/drv/virtio.h"

/** balloon_device() - started if need be; NULL: none. */
const struct virtio_device *balloon_device(void);

/** balloon_queue_start() - give @q to the device as its queue @index. Its used
 * buffers interrupt from the beginning: nobody waits for them. */
void balloon_queue_start(struct virtq *q, uint16_t index);

/** balloon_size_start() - the queues of balloon_size.c. */
void balloon_size_start(void);
/** balloon_size_done() - the device may have used what they sent. */
void balloon_size_done(void);
/** balloon_shrink() - take pages back, for longer than a moment.
 * Return: false: it is empty. */
bool balloon_shrink(void);
