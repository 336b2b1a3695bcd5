/* SPDX-License-Identifier: Apache-2.0 */
/* bus.h - which device answers a guest-physical address. Trusts: the table
 * built at set-up. Must not: hand a device an access that leaves its window.
 *
 * Constant once the guest runs, so any vCPU reads it without a lock. What no
 * device answers reads as all ones and its writes go nowhere, as on a PC. */
#pragma once
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "devices-virtio/gmem.h"

#define BUS_RANGES_MAX 32u
#define BUS_ACCESS_MAX 8u

struct bus_ops {
	void (*read)(void *ctx, uint64_t offset, void *data, size_t len);
	void (*write)(void *ctx, uint64_t offset, const void *data, size_t len);
};

struct bus_range {
	uint64_t base, bytes;
	const struct bus_ops *ops;
	void *ctx;
};

struct bus {
	unsigned count;
	struct bus_range range[BUS_RANGES_MAX];
	atomic_uint unclaimed; /* accesses nobody answered, for the log */
};

/** bus_add() - let @ops answer [@base, +@bytes). Phase: set-up.
 * Return: 0; -EINVAL empty, wrapping or overlapping; -ENOSPC table full. */
int bus_add(struct bus *bus, gpa_t base, uint64_t bytes,
	    const struct bus_ops *ops, void *ctx);

/** bus_read() - a guest load. @data: @len bytes, always filled. Any thread. */
void bus_read(struct bus *bus, gpa_t at, void *data, size_t len);

/** bus_write() - a guest store; its effect is done on return. Any thread. */
void bus_write(struct bus *bus, gpa_t at, const void *data, size_t len);
