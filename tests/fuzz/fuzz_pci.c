/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pci.c - a device of any kind behind PCI: the input accesses its
 * configuration space and the window of its BARs. First a byte: the device
 * (device_makers.h), then a session. Oracle: a message goes out only when MSI-X
 * is on, the function bus master, nothing masks it; what cannot be written is
 * as it was; the device can be reset. */
#include <linux/pci_regs.h>
#include <stdlib.h>
#include <string.h>

#include "devices-virtio/pci_bus.h"
#include "tests/fuzz/device_makers.h"
#include "tests/fuzz/session.h"

#define WINDOW       0xe1000000ull
#define WINDOW_BYTES 0x1000000ull

static struct pci_bus bus;
static struct vpci function;

static void on_message(void *ctx, uint64_t address, uint32_t data)
{
	const struct msix *m = &function.msix;
	const uint32_t command = function.config.bytes[PCI_COMMAND];
	bool found = false;

	for (unsigned i = 0; i < m->vectors; i++) {
		const struct msix_entry *e = &m->entry[i];

		found |= e->address_low == (uint32_t)address &&
			 e->address_high == address >> 32 && e->data == data &&
			 !(e->control & PCI_MSIX_ENTRY_CTRL_MASKBIT);
	}
	if (!found || !m->enabled || m->masked ||
	    !(command & PCI_COMMAND_MASTER))
		abort();
}

static void ecam_read(void *ctx, uint32_t offset, void *data, size_t len)
{
	pci_bus_config_read(&bus, offset, data, len);
}

static void ecam_write(void *ctx, uint32_t offset, const void *data, size_t len)
{
	pci_bus_config_write(&bus, offset, data, len);
}

static void window_read(void *ctx, uint32_t offset, void *data, size_t len)
{
	pci_bus_read(&bus, offset, data, len);
}

static void window_write(void *ctx, uint32_t offset, const void *data,
			 size_t len)
{
	pci_bus_write(&bus, offset, data, len);
}

static void check_constants(const struct pci_config *before)
{
	const struct pci_config *now = &function.config;

	for (uint32_t i = 0; i < PCI_CONFIG_BYTES; i++) {
		if ((now->bytes[i] ^ before->bytes[i]) & ~before->writable[i])
			abort();
	}
	if (memcmp(now->writable, before->writable, PCI_CONFIG_BYTES) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct msix_host host = {on_message, NULL};
	static struct session session;
	struct fuzz_input in = {data, size};
	struct vdev *vd = device_make(fuzz_u8(&in));
	struct pci_config before;

	session_attach(&session, vd);
	if (vd->ops->device_id >= 0x40) { /* not for PCI: the harness */
		vdev_free(vd);
		return 0;
	}
	pci_bus_init(&bus, WINDOW, WINDOW_BYTES);
	vpci_init(&function, vd, &session.gm, &host, pci_bus_next(&bus));
	if (pci_bus_add(&bus, &function))
		abort();
	before = function.config;
	session.port = (struct session_port){window_read, window_write, NULL};
	session.other = (struct session_port){ecam_read, ecam_write, NULL};
	(void)session_is(&in);
	session_run(&session, &in, NULL, NULL);
	check_constants(&before);
	vdev_lock(vd);
	vdev_set_status(vd, 0);
	vdev_unlock(vd);
	vdev_free(vd);
	return 0;
}
