/* SPDX-License-Identifier: Apache-2.0 */
/* virtio.c - virtio-mmio version 2 and split rings from the driver's side. */
#include "kernels/mote/drv/virtio.h"

#include <linux/errno.h>
#include <stddef.h>

#include "base/abi/bootinfo.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"

enum reg { /* virtio 1.2, 4.2.2 */
	REG_MAGIC = 0x000,
	REG_VERSION = 0x004,
	REG_DEVICE_ID = 0x008,
	REG_DEVICE_FEATURES = 0x010,
	REG_DEVICE_FEATURES_SEL = 0x014,
	REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024,
	REG_QUEUE_SEL = 0x030,
	REG_QUEUE_NUM = 0x038,
	REG_QUEUE_READY = 0x044,
	REG_INTERRUPT_ACK = 0x064,
	REG_STATUS = 0x070,
	REG_QUEUE_DESC = 0x080,
	REG_QUEUE_AVAIL = 0x090,
	REG_QUEUE_USED = 0x0a0,
	REG_CONFIG = 0x100,
};

#define MAGIC          0x74726976u
#define STATUS_DRIVER  3u  /* ACKNOWLEDGE | DRIVER */
#define STATUS_AGREED  11u /* and FEATURES_OK */
#define STATUS_RUNNING 15u /* and DRIVER_OK */
#define VERSION_1_WORD 1u  /* bit 32: bit 0 of word 1 */

static struct virtio_device devices[VIRTIO_DEVICES_MAX];
static unsigned device_count;
static bool interrupts;

static uint32_t read_reg(const struct virtio_device *d, enum reg reg)
{
	return *(volatile uint32_t *)(d->regs + reg);
}

static void write_reg(const struct virtio_device *d, enum reg reg,
		      uint32_t value)
{
	*(volatile uint32_t *)(d->regs + reg) = value;
}

static struct virtio_device *add_device(uint64_t pa)
{
	struct virtio_device *d = &devices[device_count];

	if (device_count == VIRTIO_DEVICES_MAX)
		return NULL;
	device_count++;
	d->regs = pa_to_va(pa);
	return d;
}

static void find_ours(const struct bootinfo *info)
{
	uint32_t count = MIN(info->device_count, BOOTINFO_DEVICES_MAX);

	for (uint32_t i = 0; i < count; i++) {
		const struct bootinfo_device *b = &info->device[i];
		struct virtio_device *d = add_device(b->gpa);

		if (!d)
			return;
		d->id = b->device_id;
		d->vector = b->vector;
		d->ours = true;
	}
	interrupts = count;
}

static const char *parse_number(const char *s, uint64_t *ret)
{
	unsigned base = 10;
	uint64_t v = 0;

	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	for (;; s++) {
		unsigned digit = (unsigned)(*s - '0');

		if (digit > 9)
			digit = (unsigned)((*s | 0x20) - 'a') + 10;
		if (digit >= base)
			break;
		v = v * base + digit;
	}
	*ret = v;
	return s;
}

/* Places may be empty: device id 0. */
static void probe(uint64_t pa)
{
	struct virtio_device *d = add_device(pa);

	if (!d)
		return;
	if (read_reg(d, REG_MAGIC) != MAGIC || read_reg(d, REG_VERSION) != 2)
		d->id = 0;
	else
		d->id = read_reg(d, REG_DEVICE_ID);
	if (!d->id)
		device_count--;
}

/* Each entry is SIZE@BASE:IRQ[:ID]. The line is of no use without an I/O APIC
 * driver. */
static void find_by_cmdline(const char *s)
{
	static const char key[] = "virtio_mmio.device=";
	uint64_t base;

	for (; (s = strchr(s, 'v')); s++) {
		if (strncmp(s, key, sizeof(key) - 1) != 0)
			continue;
		s = strchr(s, '@');
		if (!s)
			return;
		s = parse_number(s + 1, &base);
		if (base && base % 4 == 0 && base >> 39 == 0)
			probe(base);
		if (!*s)
			return;
	}
}

void virtio_find_all(const struct bootinfo *info, const char *cmdline)
{
	if (info)
		find_ours(info);
	else if (cmdline)
		find_by_cmdline(cmdline);
}

struct virtio_device *virtio_find_nth(uint32_t id, uint32_t n)
{
	for (unsigned i = 0; i < device_count; i++)
		if (devices[i].id == id && !n--)
			return &devices[i];
	return NULL;
}

struct virtio_device *virtio_find(uint32_t id)
{
	return virtio_find_nth(id, 0);
}

bool virtio_has_interrupts(void)
{
	return interrupts;
}

void virtio_interrupt(uint32_t vector)
{
	for (unsigned i = 0; i < device_count; i++)
		if (devices[i].vector == vector && devices[i].interrupt)
			devices[i].interrupt();
}

/* Ours sends a message for every signal, acknowledged or not. */
void virtio_ack(const struct virtio_device *d)
{
	if (!d->ours)
		write_reg(d, REG_INTERRUPT_ACK, 3);
}

/* Ours takes eight bytes at once; elsewhere words are the rule (4.2.2.2). */
uint64_t virtio_config64(const struct virtio_device *d, uint32_t offset)
{
	const volatile uint8_t *at = d->regs + REG_CONFIG + offset;

	if (d->ours)
		return *(const volatile uint64_t *)at;
	return *(const volatile uint32_t *)at |
	       (uint64_t) * (const volatile uint32_t *)(at + 4) << 32;
}

uint32_t virtio_config32(const struct virtio_device *d, uint32_t offset)
{
	return *(const volatile uint32_t *)(d->regs + REG_CONFIG + offset);
}

/* The selector is zero after reset. */
uint32_t virtio_features(const struct virtio_device *d)
{
	if (!d->ours)
		write_reg(d, REG_DEVICE_FEATURES_SEL, 0);
	return read_reg(d, REG_DEVICE_FEATURES);
}

/* Virtio 1.2, 3.1.1. What a device elsewhere wants to see step by step is
 * known of ours: its state, its features, and the selectors' zero. */
int virtio_negotiate(const struct virtio_device *d, uint32_t features)
{
	if (!d->ours) {
		write_reg(d, REG_STATUS, 0);
		while (read_reg(d, REG_STATUS))
			;
		write_reg(d, REG_STATUS, 1);
		write_reg(d, REG_STATUS, STATUS_DRIVER);
		write_reg(d, REG_DEVICE_FEATURES_SEL, 0);
		features &= read_reg(d, REG_DEVICE_FEATURES);
		write_reg(d, REG_DRIVER_FEATURES_SEL, 0);
	}
	if (features || !d->ours)
		write_reg(d, REG_DRIVER_FEATURES, features);
	write_reg(d, REG_DRIVER_FEATURES_SEL, 1);
	write_reg(d, REG_DRIVER_FEATURES, VERSION_1_WORD);
	write_reg(d, REG_STATUS, STATUS_AGREED);
	return read_reg(d, REG_STATUS) == STATUS_AGREED ? 0 : -ENODEV;
}

static void write_address(const struct virtio_device *d, enum reg reg,
			  uint64_t pa)
{
	write_reg(d, reg, (uint32_t)pa);
	if (!d->ours)
		write_reg(d, reg + 4, (uint32_t)(pa >> 32));
}

void virtio_queue_start(const struct virtio_device *d, struct virtq *q)
{
	uint64_t pa = kva_to_pa(q);

	write_reg(d, REG_QUEUE_SEL, q->index);
	write_reg(d, REG_QUEUE_NUM, q->size);
	write_address(d, REG_QUEUE_DESC, pa);
	write_address(d, REG_QUEUE_AVAIL,
		      pa + offsetof(struct virtq, avail_flags));
	write_address(d, REG_QUEUE_USED,
		      pa + offsetof(struct virtq, used_flags));
	write_reg(d, REG_QUEUE_READY, 1);
}

void virtio_queue_stop(const struct virtio_device *d, struct virtq *q)
{
	write_reg(d, REG_QUEUE_SEL, q->index);
	write_reg(d, REG_QUEUE_READY, 0);
	(void)read_reg(d, REG_QUEUE_READY); /* 4.2.2.2: wait for it */
}

void virtio_run(const struct virtio_device *d)
{
	write_reg(d, REG_STATUS, STATUS_RUNNING);
}

uint64_t virtq_submit_list(struct virtq *q, const struct phys_span *spans,
			   int count, uint16_t flags)
{
	struct virtq_desc *d = q->desc;
	uint64_t bytes = 0;

	for (int i = 1; i < count; i++, d++, spans++) {
		d->addr = spans->pa;
		d->len = spans->bytes;
		d->flags = flags | VIRTQ_DESC_NEXT;
		d->next = (uint16_t)i;
		bytes += spans->bytes;
	}
	return bytes + virtq_submit_one(q, d, spans, flags);
}

bool virtq_wait(void *q)
{
	return virtq_is_done(q);
}

void virtq_interrupts(struct virtq *q, bool on)
{
	q->avail_flags = on ? 0 : (uint16_t)VIRTQ_NO_INTERRUPT;
	__asm__ volatile("" ::: "memory");
	if (on) /* before the caller looks again */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
}
