/* SPDX-License-Identifier: Apache-2.0 */
/* ioapic.h - an I/O APIC for kernels that know none of our interrupts: pins
 * that the guest routes to a vector of a CPU. Trusts: nothing the guest writes,
 * which can only become a message to its own local APICs. Must not: need a
 * level: every line here is an edge, told anew each time.
 *
 * Registers (Intel 82093AA): 0x00 selects, 0x10 is the selected one. What
 * comes out is a message-signalled interrupt for KVM's local APICs. A pin that
 * the guest never set up is not used; ioapic_raise() says so.
 *
 * A kernel reads and writes every pin some 20 times in its boot, each an exit:
 * so there are as many as the machine has interrupts. The first is no ISA
 * interrupt's GSI: of those Linux refuses to give some to a device. */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IOAPIC_GPA         0xfec00000u
#define IOAPIC_BYTES       0x1000u
#define IOAPIC_GSI         16u /* of pin 0 */
#define IOAPIC_PINS_MAX    24u
#define IOAPIC_PIN_VMGENID 0u
#define IOAPIC_PIN_FIRST   1u /* platform.h gives these out */

struct ioapic {
	pthread_mutex_t lock;
	unsigned pins; /* that there are */
	uint32_t selected;
	uint64_t entry[IOAPIC_PINS_MAX]; /* redirection table */
	uint32_t pending; /* a bit a pin: raised while it was masked */
	uint32_t used;    /* a bit a pin: the guest has written its entry */
	/* Called under the lock. */
	void (*send)(void *ctx, uint32_t msi_address, uint32_t msi_data);
	void *ctx;
};

/** ioapic_init() - all pins masked. @pins: 1 .. IOAPIC_PINS_MAX; @send, @ctx:
 * as above, on any thread. */
void ioapic_init(struct ioapic *io, unsigned pins,
		 void (*send)(void *ctx, uint32_t msi_address,
			      uint32_t msi_data),
		 void *ctx);

/** ioapic_raise() - an edge on @pin, one of those there are. One that meets a
 * masked pin is sent when the guest unmasks it. Any thread.
 * Return: false when the guest never set the pin up. */
bool ioapic_raise(struct ioapic *io, unsigned pin);

/** ioapic_read() - struct bus_ops; @ctx: a struct ioapic. */
void ioapic_read(void *ctx, uint64_t offset, void *data, size_t len);
void ioapic_write(void *ctx, uint64_t offset, const void *data, size_t len);
