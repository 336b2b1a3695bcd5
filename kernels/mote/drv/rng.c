/* SPDX-License-Identifier: Apache-2.0 */
/* rng.c - asks the entropy device for bytes, one buffer at a time. Trusts: the
 * device, whose bytes they are. */
#include "kernels/mote/drv/rng.h"

#include <stdbool.h>
#include <stddef.h>

#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/wait.h"

static struct virtq queue;
static struct virtio_device *device;

static bool start(void)
{
	static bool tried;

	if (device || tried)
		return device;
	tried = true;
	device = virtio_find(VIRTIO_ID_RNG);
	if (!device)
		return false;
	if (virtio_negotiate(device, 0)) {
		device = NULL;
		return false;
	}
	queue.size = 8; /* every device's queue holds as much */
	queue.avail_flags = VIRTQ_NO_INTERRUPT;
	virtio_queue_start(device, &queue);
	virtio_run(device);
	return true;
}

uint32_t rng_read(void *dst, uint32_t bytes)
{
	struct phys_span span = {.bytes = bytes};
	uint32_t got;

	if (!start())
		return 0;
	span.pa = kva_to_pa(dst);
	virtq_submit(&queue, &span, 1, VIRTQ_DESC_WRITE);
	virtio_notify(device, &queue);
	if (!virtq_is_done(&queue)) {
		virtq_interrupts(&queue, true);
		wait_for_device(virtq_wait, &queue);
		virtq_interrupts(&queue, false);
	}
	got = virtq_take(&queue);
	return MIN(got, bytes);
}
