/* SPDX-License-Identifier: Apache-2.0 */
/* acpi_dsdt.c - the devices of the machine, as AML. Numbers in brackets: ACPI
 * 6.4. In source text:
 *
 *	Scope (\_SB) {
 *		Device (VR00) { LNRO0005, memory, interrupt }    virtio-mmio
 *		Device (PWRB) { PNP0C0C }                        power button
 *		Device (GED0) { ACPI0013, interrupt,
 *			OperationRegion (HOST), Field (HOST) { TOOK }
 *			Method (_EVT) {
 *				Store (1, TOOK); Notify (\_SB.PWRB, 0x80) } }
 *		Device (VGEN) { AMPO0001, VM_Gen_Counter,
 *			Name (ADDR, Package { low, high }) }
 *		Device (GED1) { ACPI0013, interrupt,
 *			Method (_EVT) { Notify (\_SB.VGEN, 0x80) } }
 *		Device (PVPN) { QEMU0001, port }                 kernel panic
 *		Device (COM1) { PNP0501, ports, interrupt }
 *		Device (PCI0) { PNP0A08, bus, window }
 *		Device (ECAM) { PNP0C02, memory }
 *	}
 *	Name (\_S5, Package { 5, 0, 0, 0 })
 */
#include "runner/vmm/acpi_dsdt.h"

#include <stdio.h>
#include <string.h>

#include "runner/vmm/acpi.h"
#include "runner/vmm/aml.h"
#include "runner/vmm/ioapic.h"
#include "runner/vmm/uart.h"
#include "runner/vmm/vmgenid.h"

/* Pressed, of a button; its id is another, of the generation [5.6.6]. */
#define NOTIFY_CHANGED 0x80u

static void open_crs(struct aml *a)
{
	aml_name(a, "_CRS");
	aml_open(a, AML_BUFFER, NULL, 0);
}

static void close_crs(struct aml *a)
{
	aml_end_tag(a);
	aml_close(a);
}

/** add_pin() - of the I/O APIC. */
static void add_pin(struct aml *a, uint8_t pin)
{
	aml_interrupt(a, IOAPIC_GSI + pin);
}

static void add_virtio(struct aml *a, unsigned n, const struct acpi_device *dev)
{
	char name[8];

	(void)snprintf(name, sizeof(name), "VR%02u", n % 100);
	aml_open(a, AML_DEVICE, name, 0);
	aml_name(a, "_HID");
	aml_string(a, "LNRO0005");
	aml_name(a, "_UID");
	aml_integer(a, n);
	aml_name(a, "_CCA"); /* DMA is coherent */
	aml_integer(a, 1);
	open_crs(a);
	aml_memory32(a, (uint32_t)dev->gpa, (uint32_t)PLAN_MMIO_STRIDE);
	add_pin(a, dev->pin);
	close_crs(a);
	aml_close(a);
}

static void add_power_button(struct aml *a)
{
	aml_open(a, AML_DEVICE, "PWRB", 0);
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0C0C");
	aml_close(a);
}

/** add_receipt() - a register by which the host learns that the guest's kernel
 * heard of the power button. */
static void add_receipt(struct aml *a)
{
	aml_port_region(a, "HOST", ACPI_PORT_BUTTON, 1);
	aml_open(a, AML_FIELD, "HOST", AML_FIELD_BYTES);
	aml_field_byte(a, "TOOK");
	aml_close(a);
}

/** add_events() - a generic event device with one interrupt [5.6.9]: what it
 * means is a word to @path, as "\_SB_PWRB". */
static void add_events(struct aml *a, unsigned n, uint8_t pin, const char *path)
{
	aml_open(a, AML_DEVICE, n ? "GED1" : "GED0", 0);
	aml_name(a, "_HID");
	aml_string(a, "ACPI0013");
	aml_name(a, "_UID");
	aml_integer(a, n);
	open_crs(a);
	add_pin(a, pin);
	close_crs(a);
	if (!n)
		add_receipt(a);
	aml_open(a, AML_METHOD, "_EVT", 1); /* the GSI; there is one */
	if (!n)
		aml_store(a, 1, "TOOK");
	aml_notify(a, path, NOTIFY_CHANGED);
	aml_close(a);
	aml_close(a);
}

/** add_generation() - drivers find it by its _CID. */
static void add_generation(struct aml *a)
{
	aml_open(a, AML_DEVICE, "VGEN", 0);
	aml_name(a, "_HID");
	aml_string(a, "AMPO0001");
	aml_name(a, "_CID");
	aml_string(a, "VM_Gen_Counter");
	aml_name(a, "_DDN");
	aml_string(a, "VM_Gen_Counter");
	aml_name(a, "ADDR");
	aml_open(a, AML_PACKAGE, NULL, 2);
	aml_integer(a, VMGENID_GPA & UINT32_MAX);
	aml_integer(a, VMGENID_GPA >> 32);
	aml_close(a);
	aml_close(a);
	add_events(a, 1, IOAPIC_PIN_VMGENID, "\\_SB_VGEN");
}

static void add_panic(struct aml *a)
{
	aml_open(a, AML_DEVICE, "PVPN", 0);
	aml_name(a, "_HID");
	aml_string(a, "QEMU0001");
	open_crs(a);
	aml_ports(a, ACPI_PORT_PANIC, 1);
	close_crs(a);
	aml_close(a);
}

static void add_serial(struct aml *a, uint8_t pin)
{
	aml_open(a, AML_DEVICE, "COM1", 0);
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0501");
	aml_name(a, "_UID");
	aml_integer(a, 1);
	open_crs(a);
	aml_ports(a, UART_PORT, UART_PORTS);
	add_pin(a, pin);
	close_crs(a);
	aml_close(a);
}

static void add_pci(struct aml *a)
{
	aml_open(a, AML_DEVICE, "PCI0", 0);
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0A08");
	aml_name(a, "_CID");
	aml_eisa_id(a, "PNP0A03");
	aml_name(a, "_UID");
	aml_integer(a, 0);
	aml_name(a, "_SEG");
	aml_integer(a, 0);
	aml_name(a, "_BBN");
	aml_integer(a, 0);
	aml_name(a, "_CCA");
	aml_integer(a, 1);
	open_crs(a);
	aml_bus_range(a, 0, 0);
	aml_window32(a, (uint32_t)PLAN_PCI_BASE, (uint32_t)PLAN_PCI_BYTES);
	close_crs(a);
	aml_close(a);
	/* An MCFG counts only where its range is somebody's. */
	aml_open(a, AML_DEVICE, "ECAM", 0);
	aml_name(a, "_HID");
	aml_eisa_id(a, "PNP0C02");
	open_crs(a);
	aml_memory32(a, (uint32_t)PLAN_ECAM_BASE, (uint32_t)PLAN_ECAM_BYTES);
	close_crs(a);
	aml_close(a);
}

static void add_devices(struct aml *a, const struct acpi_config *config)
{
	for (uint32_t n = 0; n < config->device_count; n++) {
		const struct acpi_device *dev = &config->device[n];

		if (dev->harness)
			add_events(a, 0, dev->pin, "\\_SB_PWRB");
		else if (dev->gpa)
			add_virtio(a, n, dev);
	}
	add_power_button(a);
	add_generation(a);
	add_panic(a);
	if (config->serial)
		add_serial(a, config->serial_pin);
	if (config->pci)
		add_pci(a);
}

int acpi_dsdt(const struct acpi_config *config, void *buffer, size_t bytes,
	      size_t *ret_bytes)
{
	struct aml a;

	aml_init(&a, buffer, bytes);
	aml_open(&a, AML_SCOPE, "\\_SB_", 0);
	add_devices(&a, config);
	aml_close(&a);
	aml_name(&a, "\\_S5_"); /* [7.4.2.6] */
	aml_open(&a, AML_PACKAGE, NULL, 4);
	aml_integer(&a, ACPI_SLEEP_TYPE_OFF);
	for (int i = 0; i < 3; i++)
		aml_integer(&a, 0);
	aml_close(&a);
	return aml_bytes(&a, ret_bytes);
}
