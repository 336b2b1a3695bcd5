/* SPDX-License-Identifier: Apache-2.0 */
/* poweroff.h - end the VM when there is no program's status to report. */
#pragma once

/** poweroff() - by the harness device where there is one, else by what other
 * VMMs understand: the ACPI sleep port of QEMU's machines, the keyboard
 * controller's reset line, and a triple fault at last. */
_Noreturn void poweroff(void);
/** poweroff_platform() - the same without looking for the harness device. */
_Noreturn void poweroff_platform(void);
