/* SPDX-License-Identifier: Apache-2.0 */
/* vmgenid.h - the VM generation id (Microsoft, "Virtual Machine Generation
 * ID"): 16 random bytes in guest memory that are others in every copy of a
 * machine. A kernel that sees them change starts its random numbers anew. The
 * DSDT says where they are (acpi_dsdt.c). Pure. */
#pragma once
#include <stdint.h>

#include "devices-virtio/gmem.h"

struct ioapic;

#define VMGENID_GPA   0xef000ull /* a page of its own, reserved */
#define VMGENID_BYTES 16u

/** vmgenid_set() - from here on it is another machine.
 * @io: tells the guest; NULL before its first instruction.
 * @id: random. Any thread. Return: 0 or -EFAULT. */
int vmgenid_set(const struct gmem *gm, struct ioapic *io,
		const uint8_t id[VMGENID_BYTES]);
