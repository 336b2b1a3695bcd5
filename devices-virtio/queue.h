/* SPDX-License-Identifier: Apache-2.0 */
/* queue.h - the device's half of a virtio split ring (virtio 1.2, 2.7), with
 * indirect descriptors and event index. Trusts: nothing in guest memory. Must
 * not: keep an index of its own in guest memory, read a field twice, mask a
 * bad index, or log.
 *
 *   descriptor table   size x { u64 addr; u32 len; u16 flags; u16 next }
 *   available ring     u16 flags; u16 idx; u16 ring[size]; u16 used_event
 *   used ring          u16 flags; u16 idx; { u32 id; u32 len }[size];
 *                      u16 avail_event
 *
 * The driver writes the first two, the device the third. A chain is walked
 * once into a bounded array of checked host spans; afterwards nothing that the
 * guest does to its descriptors can change what the device does. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "devices-virtio/gmem.h"

#define VQ_SIZE_MAX    256u       /* and so the longest chain; < IOV_MAX */
#define VQ_CHAIN_BYTES UINT32_MAX /* what used.len can express */

struct vq {
	const struct gmem *gm;
	gpa_t desc, avail, used; /* checked by vq_enable() */
	uint16_t size;
	bool enabled;
	bool event_idx;      /* VIRTIO_F_EVENT_IDX negotiated */
	bool indirect;       /* VIRTIO_F_INDIRECT_DESC negotiated */
	uint16_t last_avail; /* next available entry to take */
	uint16_t next_used;  /* next used entry to write */
	uint16_t signalled;  /* next_used when we last decided on a signal */
};

/* What the driver asks for a queue, as it wrote it: unchecked. */
struct vq_setup {
	uint32_t size;
	uint16_t max_size; /* of the device, <= VQ_SIZE_MAX */
	gpa_t desc, avail, used;
	bool event_idx;
	bool indirect;
};

/* A request: iov[0..readable) from the driver, then iov[readable..readable +
 * writable) for it. Valid until the queue is disabled: spans are host memory
 * that stays mapped, their content belongs to the guest. */
struct vq_chain {
	uint16_t head;
	uint16_t readable;
	uint16_t writable;
	uint64_t readable_bytes;
	uint64_t writable_bytes;
	struct iovec iov[VQ_SIZE_MAX];
};

/** vq_enable() - check what the driver wrote and start the queue at index 0.
 * Return: 0; -EPROTO size not a power of two or out of range, an area
 * misaligned, outside RAM or overlapping another (the queue stays off). */
int vq_enable(struct vq *vq, const struct gmem *gm,
	      const struct vq_setup *setup);

/** vq_disable() - forget everything; legal on a queue that is off. */
void vq_disable(struct vq *vq);

/** vq_pop() - take the next request off the available ring.
 * @vq: any; a disabled one is empty. @ret_chain: overwritten.
 * An empty ring asks the driver for a kick (avail_event) before it says so.
 * Return: 1 chain, 0 empty, -EPROTO malformed (the caller breaks the device).
 * Spec: virtio 1.2, 2.7.13 and 2.7.14. */
int vq_pop(struct vq *vq, struct vq_chain *ret_chain);

/** vq_untake() - undo the last vq_pop() that gave a chain: the next one walks
 * it anew. Legal once for each chain that is not pushed, newest first. */
void vq_untake(struct vq *vq);

/** vq_push() - give a chain back. @head: of a popped chain; @written: bytes
 * stored into its writable part. Return: 0, or -EPROTO when the ring cannot
 * be written. Spec: virtio 1.2, 2.7.8. */
int vq_push(struct vq *vq, uint16_t head, uint32_t written);

/** vq_wants_signal() - does the driver want an interrupt for what was pushed
 * since the last call? Spec: virtio 1.2, 2.7.7 and 2.7.10. */
bool vq_wants_signal(struct vq *vq);
