/* SPDX-License-Identifier: Apache-2.0 */
/* bus.c - which device answers a guest-physical address. */
#include "runner/vmm/bus.h"

#include <errno.h>
#include <string.h>

#include "base/ckd.h"
#include "base/log.h"

#define UNCLAIMED_LOGGED 8u /* a guest must not fill the log */

int bus_add(struct bus *bus, gpa_t base, uint64_t bytes,
	    const struct bus_ops *ops, void *ctx)
{
	uint64_t end;

	if (!bytes || ckd_add(&end, base.v, bytes))
		return -EINVAL;
	if (bus->count == BUS_RANGES_MAX)
		return -ENOSPC;
	for (unsigned i = 0; i < bus->count; i++) {
		const struct bus_range *r = &bus->range[i];

		if (base.v < r->base + r->bytes && r->base < end)
			return -EINVAL;
	}
	bus->range[bus->count++] = (struct bus_range){
		.base = base.v, .bytes = bytes, .ops = ops, .ctx = ctx};
	return 0;
}

/** find() - the range that holds all of the access, or NULL. */
static const struct bus_range *find(struct bus *bus, gpa_t at, size_t len)
{
	for (unsigned i = 0; i < bus->count; i++) {
		const struct bus_range *r = &bus->range[i];

		if (at.v >= r->base && ckd_range(at.v - r->base, len, r->bytes))
			return r;
	}
	if (atomic_fetch_add_explicit(&bus->unclaimed, 1,
				      memory_order_relaxed) < UNCLAIMED_LOGGED)
		log_debug("no device answers %zu bytes at %#llx", len,
			  (unsigned long long)at.v);
	return NULL;
}

void bus_read(struct bus *bus, gpa_t at, void *data, size_t len)
{
	const struct bus_range *r = find(bus, at, len);

	if (r)
		r->ops->read(r->ctx, at.v - r->base, data, len);
	else
		memset(data, 0xff, len);
}

void bus_write(struct bus *bus, gpa_t at, const void *data, size_t len)
{
	const struct bus_range *r = find(bus, at, len);

	if (r)
		r->ops->write(r->ctx, at.v - r->base, data, len);
}
