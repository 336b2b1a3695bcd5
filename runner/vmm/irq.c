/* SPDX-License-Identifier: Apache-2.0 */
/* irq.c - interrupts of devices. */
#include "runner/vmm/irq.h"

#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "runner/vmm/ioapic.h"

#define MSI_TO_APIC_0 0xfee00000u /* physical destination 0, edge, fixed */

void irq_raise(void *line, uint32_t source)
{
	const struct irq_line *l = line;
	struct kvm_msi msi = {
		.address_lo = MSI_TO_APIC_0,
		.data = l->vector,
	};

	(void)source;
	if (l->ioapic && ioapic_raise(l->ioapic, l->pin))
		return;
	/* 0: the guest's APIC is off or masks it. That is the guest's choice,
	 * and the interrupt status register tells it what it missed. */
	(void)ioctl(l->vm_fd, KVM_SIGNAL_MSI, &msi);
}
