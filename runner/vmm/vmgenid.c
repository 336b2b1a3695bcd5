/* SPDX-License-Identifier: Apache-2.0 */
/* vmgenid.c - the VM generation id. */
#include "runner/vmm/vmgenid.h"

#include "runner/vmm/ioapic.h"

int vmgenid_set(const struct gmem *gm, struct ioapic *io,
		const uint8_t id[VMGENID_BYTES])
{
	int err = gm_write(gm, gpa(VMGENID_GPA), id, VMGENID_BYTES);

	if (!err && io)
		(void)ioapic_raise(io, IOAPIC_PIN_VMGENID);
	return err;
}
