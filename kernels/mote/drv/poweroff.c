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
	outw(ACPI_SLEEP_PORT, ACPI_SLEEP_S5);
	outb(KEYBOARD_PORT, KEYBOARD_RESET);
	cpu_triple_fault();
}
