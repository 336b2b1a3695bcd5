/* SPDX-License-Identifier: Apache-2.0 */
/* irq.h - interrupts of devices: one message-signalled interrupt each, to the
 * local APIC of vCPU 0, sent by KVM_SIGNAL_MSI (KVM api 4.70). */
#pragma once
#include <stdint.h>

struct irq_line {
	int vm_fd; /* borrowed */
	uint32_t vector;
};

/** irq_raise() - raise the vector. @line: a struct irq_line;
 * @source: not told apart. Any thread. */
void irq_raise(void *line, uint32_t source);
