/* SPDX-License-Identifier: Apache-2.0 */
/* msix.h - message-signalled interrupts of a PCI function (PCI local bus 3.0,
 * 6.8.2): a table of messages and one of what is pending, in a BAR. Trusts:
 * nothing the guest writes: address and data are the guest's, and the host's
 * interrupt controller takes any. Must not: send what is masked.
 *
 *   MSIX_TABLE  vectors x { u32 address low, high; u32 data; u32 control }
 *   MSIX_PBA    a bit a vector: would have been sent, but for a mask
 *
 * The function's lock is held around every call. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MSIX_VECTORS_MAX 32u
#define MSIX_BAR_BYTES   0x1000u
#define MSIX_TABLE       0x000u
#define MSIX_PBA         0x800u

struct blob;

struct msix_entry {
	uint32_t address_low, address_high, data, control;
};

/* How a message reaches the host's interrupt controller; thread-safe. */
struct msix_host {
	void (*send)(void *ctx, uint64_t address, uint32_t data);
	void *ctx;
};

struct msix {
	struct msix_host host;
	unsigned vectors;
	bool enabled, masked; /* the function's message control */
	uint64_t pending;
	struct msix_entry entry[MSIX_VECTORS_MAX];
};

/** msix_init() - @vectors: 1 to MSIX_VECTORS_MAX, all masked. */
void msix_init(struct msix *m, unsigned vectors, const struct msix_host *host);

/** msix_control() - the guest wrote the function's message control. What is
 * pending and may go goes. */
void msix_control(struct msix *m, uint16_t control);

/** msix_raise() - send @vector's message, or note it as pending; nothing when
 * the guest has not turned MSI-X on, or @vector is not there. */
void msix_raise(struct msix *m, unsigned vector);

/** msix_read(), msix_write() - the guest accesses the BAR: 4 or 8 bytes,
 * aligned, or there is no effect and zeroes. */
void msix_read(const struct msix *m, uint64_t offset, void *data, size_t len);
void msix_write(struct msix *m, uint64_t offset, const void *data, size_t len);

/** msix_save(), msix_load() - the table and what is pending; message control is
 * part of the configuration space. Loading sends nothing. */
void msix_save(const struct msix *m, struct blob *to);
void msix_load(struct msix *m, struct blob *from);
