/* SPDX-License-Identifier: Apache-2.0 */
/* virtio.h - the driver's half of virtio-mmio and split rings (virtio 1.2,
 * 4.2 and 2.7), just what console and rng need. Trusts: the device, which is
 * the VMM; a queue index of its own is still kept in bounds.
 *
 * A register access costs 10 us and an instruction may cost 0.5 us, hence:
 * - no event index: the driver asks for no interrupt by a constant flag and
 *   looks at the used ring right after its notification, because our VMM does
 *   the work in there; it turns interrupts on only to sleep;
 * - a data queue holds one chain at a time, from descriptor 0: the available
 *   ring's entries are all zero and stay so;
 * - rings are static, so that their addresses' high halves, which registers
 *   hold after reset, are zero. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/mm/uaccess.h"

#define VIRTIO_ID_BLOCK   2u
#define VIRTIO_ID_CONSOLE 3u
#define VIRTIO_ID_RNG     4u
#define VIRTIO_ID_BALLOON 5u
#define VIRTIO_ID_PMEM    27u

#define VIRTIO_QUEUE_NOTIFY 0x050 /* register; virtio 1.2, 4.2.2 */

#define VIRTIO_DEVICES_MAX 16u
#define VIRTQ_SIZE         64u

#define VIRTQ_DESC_NEXT  1u
#define VIRTQ_DESC_WRITE 2u

#define VIRTQ_NO_INTERRUPT 1u /* virtio 1.2, 2.7.7 */

struct virtq_desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

struct virtq {
	/* Shared with the device; the three areas of virtio 1.2, 2.7. */
	struct virtq_desc desc[VIRTQ_SIZE] __attribute__((aligned(16)));
	uint16_t avail_flags, avail_idx, avail[VIRTQ_SIZE], used_event;
	volatile uint16_t used_flags __attribute__((aligned(4)));
	volatile uint16_t used_idx;
	volatile struct {
		uint32_t id, len;
	} used[VIRTQ_SIZE];
	uint16_t avail_event;
	/* The driver's own. */
	uint16_t index; /* in the device */
	uint16_t size;  /* power of two, <= VIRTQ_SIZE */
	uint16_t seen;  /* used entries taken */
};

struct virtio_device {
	volatile uint8_t *regs;
	uint32_t id;
	uint32_t vector; /* 0: no interrupt line that we know */
	bool ours;       /* found by bootinfo: in its reset state at boot,
			  * notifications are synchronous */
	void (*interrupt)(void); /* set by its driver */
};

/** virtio_find_all() - learn where the devices are: the bootinfo node of our
 * VMM, or virtio_mmio.device=SIZE@BASE:IRQ entries of @cmdline elsewhere.
 * Either may be NULL. */
struct bootinfo;
void virtio_find_all(const struct bootinfo *info, const char *cmdline);
/** virtio_find() - the first device with that id; NULL: none. */
struct virtio_device *virtio_find(uint32_t id);
/** virtio_find_nth() - the one behind @n others of that id; NULL: none. */
struct virtio_device *virtio_find_nth(uint32_t id, uint32_t n);
/** virtio_has_interrupts() - false: devices have to be polled. */
bool virtio_has_interrupts(void);
/** virtio_interrupt() - vector @vector (>= 0x30) was raised by a device. */
void virtio_interrupt(uint32_t vector);
/** virtio_ack() - the device may raise its interrupt again. */
void virtio_ack(const struct virtio_device *d);

/** virtio_config64() - eight bytes of a device's configuration space. */
uint64_t virtio_config64(const struct virtio_device *d, uint32_t offset);
uint32_t virtio_config32(const struct virtio_device *d, uint32_t offset);
/** virtio_features() - what it offers, word 0. Before virtio_negotiate(). */
uint32_t virtio_features(const struct virtio_device *d);
/** virtio_negotiate() - reset, accept @features (word 0) and VERSION_1.
 * Return: 0, or -ENODEV when the device does not go along. */
int virtio_negotiate(const struct virtio_device *d, uint32_t features);
/** virtio_queue_start() - hand the rings of @q to the device. */
void virtio_queue_start(const struct virtio_device *d, struct virtq *q);
/** virtio_queue_stop() - take them back: what was not used by now never will
 * be (virtio 1.2, 4.2.2.2). Only a device of ours really lets go. */
void virtio_queue_stop(const struct virtio_device *d, struct virtq *q);
/** virtio_run() - set-up is over. */
void virtio_run(const struct virtio_device *d);
/** virtq_wait() - as wait_until() wants virtq_is_done(). */
bool virtq_wait(void *q);
/** virtq_interrupts() - whether the device interrupts for used buffers. What
 * it used before is not announced: look again after switching on. */
void virtq_interrupts(struct virtq *q, bool on);

/* Inline, because a call costs more than what these do. */

/** virtio_notify() - the device looks at @q before this returns, if ours. */
static inline void virtio_notify(const struct virtio_device *d,
				 const struct virtq *q)
{
	__asm__ volatile("" ::: "memory"); /* x86 keeps stores in order */
	*(volatile uint32_t *)(d->regs + VIRTIO_QUEUE_NOTIFY) = q->index;
	__asm__ volatile("" ::: "memory");
}

/* The last or only descriptor of a chain, then the chain. */
static inline uint64_t virtq_submit_one(struct virtq *q, struct virtq_desc *d,
					const struct phys_span *span,
					uint16_t flags)
{
	uint32_t bytes = span->bytes;

	d->addr = span->pa;
	d->len = bytes;
	d->flags = flags;
	__asm__ volatile("" ::: "memory");
	q->avail_idx++;
	return bytes;
}

uint64_t virtq_submit_list(struct virtq *q, const struct phys_span *spans,
			   int count, uint16_t flags);

/** virtq_submit() - make @spans the one chain in flight. @flags: 0 for the
 * device to read, VIRTQ_DESC_WRITE for it to fill. @count <= VIRTQ_SIZE.
 * Return: bytes in it. The caller notifies. */
static inline uint64_t virtq_submit(struct virtq *q,
				    const struct phys_span *spans, int count,
				    uint16_t flags)
{
	if (count > 1)
		return virtq_submit_list(q, spans, count, flags);
	return virtq_submit_one(q, q->desc, spans, flags);
}

/** virtq_is_done() - has the device used what is in flight? */
static inline bool virtq_is_done(const struct virtq *q)
{
	return q->used_idx != q->seen;
}

/** virtq_take() - accept the used chain. Return: bytes the device wrote. */
static inline uint32_t virtq_take(struct virtq *q)
{
	return q->used[q->seen++ & (q->size - 1)].len;
}

/** virtq_skip() - virtq_take() of a chain that the device only read. */
static inline void virtq_skip(struct virtq *q)
{
	q->seen++;
}
