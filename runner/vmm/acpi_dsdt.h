/* SPDX-License-Identifier: Apache-2.0 */
/* acpi_dsdt.h - the devices of the machine, as AML: the contents of the DSDT.
 * Pure. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct acpi_config;

#define ACPI_SLEEP_TYPE_OFF 5u /* what \_S5 says */

/** acpi_dsdt() - write the definition block's contents.
 * @ret_bytes: how many. Return: 0; -ENOSPC. */
int acpi_dsdt(const struct acpi_config *config, void *buffer, size_t bytes,
	      size_t *ret_bytes);
