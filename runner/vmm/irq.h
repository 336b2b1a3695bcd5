/* SPDX-License-Identifier: Apache-2.0 */
/* irq.h - interrupts of devices. Where there is an I/O APIC and the guest has
 * set the device's pin up, that one; else a message-signalled interrupt to the
 * local APIC of vCPU 0, sent by KVM_SIGNAL_MSI (KVM api 4.70). */
#pragma once
#include <stdint.h>

struct ioapic;

struct irq_line {
	int vm_fd; /* borrowed */
	uint32_t vector;
	struct ioapic *ioapic; /* borrowed; NULL: there is none */
	unsigned pin;          /* of it */
};

/** irq_raise() - raise the line. @line: a struct irq_line;
 * @source: not told apart. Any thread. */
void irq_raise(void *line, uint32_t source);

/** irq_send() - send any message, as the guest wrote it. @line: only its VM.
 * Any thread. */
void irq_send(void *line, uint64_t address, uint32_t data);
