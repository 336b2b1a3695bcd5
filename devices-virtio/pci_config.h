/* SPDX-License-Identifier: Apache-2.0 */
/* pci_config.h - the first 256 bytes of a PCI function's configuration space
 * (PCI local bus 3.0, chapter 6): what it reads as, and which bits of it a
 * guest may write. Trusts: the table built at set-up. Must not: change a bit
 * that was not declared writable.
 *
 * A BAR of 2^n bytes is an address whose low n bits cannot be written: a guest
 * that writes ones and reads back learns the size, and what it then writes is
 * aligned. Registers beyond 256 read as zero: no extended capabilities. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define PCI_CONFIG_BYTES 256u
#define PCI_CAPS_START   0x40u

struct blob;

struct pci_config {
	uint8_t bytes[PCI_CONFIG_BYTES];
	uint8_t writable[PCI_CONFIG_BYTES]; /* bits; constant after set-up */
	uint8_t caps_end;                   /* where the next one goes */
	uint8_t last_link;                  /* where its offset is written */
};

/** pci_config_init() - a header of type 0. @class_code: 24 bits. */
void pci_config_init(struct pci_config *c, uint16_t vendor, uint16_t device,
		     uint32_t class_code);

/** pci_config_put() - a little-endian field of 1, 2 or 4 bytes at @at, and
 * those of its bits that the guest may write. Phase: set-up. */
void pci_config_put(struct pci_config *c, uint32_t at, uint32_t bytes,
		    uint32_t value, uint32_t writable);

/** pci_config_bar() - a 64-bit memory BAR in registers @index and @index + 1.
 * @bytes: a power of two, >= 16; @base: where it is until the guest moves it,
 * a multiple of @bytes. Phase: set-up. */
void pci_config_bar(struct pci_config *c, unsigned index, uint64_t base,
		    uint64_t bytes);

/** pci_config_bar_base() - where that BAR is now. */
uint64_t pci_config_bar_base(const struct pci_config *c, unsigned index);

/** pci_config_add_cap() - append a capability to the list. @bytes: its length,
 * id and link included; they follow one another from 0x40 on. Phase: set-up.
 * Return: its offset. */
uint32_t pci_config_add_cap(struct pci_config *c, uint8_t id, uint32_t bytes);

/** pci_config_get() - the field at @at, @bytes 1, 2 or 4, in range. */
uint32_t pci_config_get(const struct pci_config *c, uint32_t at,
			uint32_t bytes);

/** pci_config_read(), pci_config_write() - an access of the guest's; of another
 * width than 1, 2 or 4, unaligned, or beyond the registers: zero, no effect. */
void pci_config_read(const struct pci_config *c, uint32_t at, void *data,
		     size_t len);
void pci_config_write(struct pci_config *c, uint32_t at, const void *data,
		      size_t len);

/** pci_config_save(), pci_config_load() - the writable bits. Any value of
 * them is one that a guest may write. */
void pci_config_save(const struct pci_config *c, struct blob *to);
void pci_config_load(struct pci_config *c, struct blob *from);
