/* SPDX-License-Identifier: Apache-2.0 */
/* irq.c - interrupts of devices. */
#include "runner/vmm/irq.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "runner/vmm/ioapic.h"

#define MSI_TO_APIC_0 0xfee00000u /* physical destination 0, edge, fixed */

void irq_send(void *line, uint64_t address, uint32_t data)
{
	const struct irq_line *l = line;
	struct kvm_msi msi = {
		.address_lo = (uint32_t)address,
		.address_hi = (uint32_t)(address >> 32),
		.data = data,
	};

	/* 0: the guest's APIC is off or masks it, an error: there is none such
	 * in its VM. That is the guest's choice, and the interrupt status
	 * register tells it what it missed. */
	(void)ioctl(l->vm_fd, KVM_SIGNAL_MSI, &msi);
}

void irq_raise(void *line, uint32_t source)
{
	const struct irq_line *l = line;

	(void)source;
	if (!l->ioapic || !ioapic_raise(l->ioapic, l->pin))
		irq_send(line, MSI_TO_APIC_0, l->vector);
}
