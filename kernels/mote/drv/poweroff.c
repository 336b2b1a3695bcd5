/* SPDX-License-Identifier: Apache-2.0 */
/* poweroff.c - ways to end a VM, from the one that means just that to the
 * crudest. Must not: return. */
#include "kernels/mote/drv/poweroff.h"

#include <stdint.h>

#include "kernels/mote/arch/cpu.h"

#define ACPI_SLEEP_PORT 0x604u /* QEMU's PM1a control */
#define ACPI_SLEEP_S5   0x2000u
#define KEYBOARD_PORT   0x64u
#define KEYBOARD_RESET  0xfeu

void poweroff_platform(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_idt;

	outw(ACPI_SLEEP_PORT, ACPI_SLEEP_S5);
	outb(KEYBOARD_PORT, KEYBOARD_RESET);
	for (;;) { /* a fault that finds no handler, three times over */
		__asm__ volatile("lidt %0; ud2" ::"m"(no_idt));
	}
}
