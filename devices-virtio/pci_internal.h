/* SPDX-License-Identifier: Apache-2.0 */
/* pci_internal.h - what the files of the transport share:
 *
 *   pci.c         set-up, configuration space, which BAR, interrupts
 *   pci_common.c  the common configuration (4.1.4.3)
 *   pci_state.c   save and load
 *
 * Every function here runs under the device's lock. */
#pragma once
#include "devices-virtio/pci.h"

/** common_read(), common_write() - the common configuration structure. */
void common_read(const struct vpci *p, uint64_t offset, void *data, size_t len);
void common_write(struct vpci *p, uint64_t offset, const void *data,
		  size_t len);
/** common_reset() - what a driver finds after a device reset. */
void common_reset(struct vpci *p);

/** vpci_decode() - the guest wrote BARs, command or message control: what they
 * say now holds. */
void vpci_decode(struct vpci *p);
