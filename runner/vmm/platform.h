/* SPDX-License-Identifier: Apache-2.0 */
/* platform.h - what a kernel that is not ours expects of the machine around its
 * CPUs, with PLAN_FLAG_ACPI: tables (acpi.h), an I/O APIC, ports to sleep,
 * reset and panic by, and the serial port if the plan asks for it. Every VM has
 * the ports by which kernels switch a PC off. Trusts: nothing the guest writes.
 *
 *	0x064         keyboard controller: 0xfe resets
 *	0x3f8..0x3ff  serial port, with PLAN_FLAG_SERIAL
 *	0x505         panic device
 *	0x600..0x602  ACPI: sleep control, sleep status, reset
 *	0x603         ACPI: the power button was noticed
 *	0x604 0xb004  sleep registers of other VMMs' machines
 *	0xcf9         reset control of a PC's chipset
 *
 * Any other port reads as ones and ignores writes. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/plan.h"
#include "runner/vmm/bus.h"
#include "runner/vmm/guest.h"
#include "runner/vmm/ioapic.h"
#include "runner/vmm/uart.h"

struct devices;

struct platform {
	struct guest *guest;
	uint32_t flags; /* PLAN_FLAG_* */
	bool has_harness;
	unsigned button_pin; /* the harness's */
	unsigned serial_pin;
	atomic_bool button_noticed;
	struct ioapic ioapic;
	struct uart uart;
};

/** platform_init() - without PLAN_FLAG_ACPI only the ports. @plan: checked.
 * @p, @guest: live as long as the VM. Return: 0 or -errno of bus_add(). */
int platform_init(struct platform *p, const struct plan *plan,
		  struct guest *guest, struct bus *bus);

/** platform_pin() - the pin of the I/O APIC that device @n of @plan has, if it
 * is in a window: one each, in their order. @n = device_count: of the serial
 * port, behind theirs. */
uint8_t platform_pin(const struct plan *plan, uint32_t n);

/** platform_ioapic() - for devices' interrupts; NULL: there is none. */
struct ioapic *platform_ioapic(struct platform *p);

/** platform_describe() - write the ACPI tables and a VM generation id, if the
 * VM has them. Return: 0 or -errno of acpi_write() or getrandom(2). */
int platform_describe(struct platform *p, const struct plan *plan,
		      const struct gmem *gm);

/** platform_in() - one load from @port. @data: @bytes (1, 2, 4), always filled.
 * Any thread. */
void platform_in(struct platform *p, uint16_t port, void *data, size_t bytes);

/** platform_out() - one store; may end the VM. Any thread. */
void platform_out(struct platform *p, uint16_t port, const void *data,
		  size_t bytes);

/** platform_press_button() - ask a system that runs no program of ours to end.
 * One that has not set up its I/O APIC does not notice. Any thread. */
void platform_press_button(struct platform *p);

/** platform_button_noticed() - did the guest's kernel take the last press? What
 * the system makes of it is its own affair. */
bool platform_button_noticed(const struct platform *p);

/** platform_flush() - the VM ends: the last line of the serial port. */
void platform_flush(struct platform *p);
