/* SPDX-License-Identifier: Apache-2.0 */
/* acpi.h - what a kernel that is not ours learns about its machine: tables of
 * ACPI 6.4 for a hardware-reduced platform, without any of a PC's legacy
 * devices. Pure: it touches guest memory through gmem and nothing else.
 *
 *   0xe0000  RSDP | XSDT | FADT | MADT | MCFG (with PCI) | DSDT
 *   0xee000  end of the room for them; what is reserved goes on to 1 MiB:
 *            boot_pvh.h, vmgenid.h
 *
 * \_SB has a device for each virtio-mmio window (LNRO0005) or the root of PCI,
 * the serial port if there is one, a panic device (QEMU0001), and a power
 * button: the host's requests. The harness is no virtio device of Linux; its
 * interrupt is that of the generic event device (ACPI0013), whose event
 * notifies the button. A second one notifies the VM generation id. Interrupts
 * are pins of ioapic.h. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/plan.h"
#include "devices-virtio/gmem.h"

#define ACPI_GPA         0xe0000ull
#define ACPI_ROOM        0xe000ull
#define ACPI_PORT_SLEEP  0x600u /* SLEEP_CONTROL_REG; the next one is status */
#define ACPI_PORT_RESET  0x602u
#define ACPI_RESET_VALUE 0x1u
#define ACPI_PORT_BUTTON 0x603u /* the kernel heard of the power button */
#define ACPI_PORT_PANIC  0x505u
#define ACPI_PANICKED    0x1u /* what a kernel writes there */

struct acpi_device {
	uint64_t gpa; /* of its virtio-mmio window; 0: not one of Linux's */
	uint8_t pin;  /* of the I/O APIC */
	bool harness;
};

struct acpi_config {
	uint32_t cpus; /* 1 .. PLAN_CPUS_MAX; local APIC ids from 0 on */
	uint32_t device_count;
	struct acpi_device device[PLAN_DEVICES_MAX];
	bool pci;           /* PLAN_ECAM_BASE, PLAN_PCI_BASE */
	bool serial;        /* COM1 */
	uint8_t serial_pin; /* its; with serial */
};

/** acpi_write() - build the tables in guest memory. Their place is ACPI_GPA,
 * the RSDP's, too. Return: 0; -ENOSPC; -EFAULT when RAM ends before. */
int acpi_write(const struct gmem *gm, const struct acpi_config *config);

/** acpi_is_sleep() - does this write to ACPI_PORT_SLEEP switch it off? */
bool acpi_is_sleep(uint8_t value);
