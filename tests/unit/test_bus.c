/* SPDX-License-Identifier: Apache-2.0 */
/* test_bus.c - every access goes to the device that owns all of its bytes, or
 * to nobody. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "runner/vmm/bus.h"

#define BASE  0xd0000000ull
#define BYTES 0x1000ull

struct seen {
	unsigned reads, writes;
	uint64_t offset;
	size_t len;
};

static void on_read(void *ctx, uint64_t offset, void *data, size_t len)
{
	struct seen *s = ctx;

	s->reads++;
	s->offset = offset;
	s->len = len;
	memset(data, 0x5a, len);
}

static void on_write(void *ctx, uint64_t offset, const void *data, size_t len)
{
	struct seen *s = ctx;

	(void)data;
	s->writes++;
	s->offset = offset;
	s->len = len;
}

static const struct bus_ops ops = {.read = on_read, .write = on_write};

Test(bus, reaches_the_device_with_its_offset)
{
	struct bus bus = {0};
	struct seen first = {0}, second = {0};
	uint64_t data = 0;

	cr_assert_eq(bus_add(&bus, gpa(BASE), BYTES, &ops, &first), 0);
	cr_assert_eq(bus_add(&bus, gpa(BASE + BYTES), BYTES, &ops, &second), 0);
	bus_read(&bus, gpa(BASE + BYTES + 0x70), &data, 4);
	cr_assert_eq(data, 0x5a5a5a5a);
	cr_assert_eq(second.reads, 1);
	cr_assert_eq(second.offset, 0x70);
	cr_assert_eq(second.len, 4);
	bus_write(&bus, gpa(BASE + 0x50), &data, 8);
	cr_assert_eq(first.writes, 1);
	cr_assert_eq(first.offset, 0x50);
}

Test(bus, reads_ones_where_nobody_answers)
{
	static const uint64_t nobody[] = {0, BASE - 1, BASE + BYTES,
					  BASE + BYTES - 4, UINT64_MAX - 3};
	struct bus bus = {0};
	struct seen seen = {0};

	cr_assert_eq(bus_add(&bus, gpa(BASE), BYTES, &ops, &seen), 0);
	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++) {
		uint64_t data = 0;

		bus_read(&bus, gpa(nobody[i]), &data, 8);
		bus_write(&bus, gpa(nobody[i]), &data, 8);
		cr_assert_eq(data, UINT64_MAX, "at %#lx", nobody[i]);
	}
	cr_assert_eq(seen.reads + seen.writes, 0);
}

Test(bus, rejects_ranges_that_overlap_wrap_or_do_not_fit)
{
	struct bus bus = {0};
	struct seen seen = {0};

	cr_assert_eq(bus_add(&bus, gpa(BASE), BYTES, &ops, &seen), 0);
	cr_assert_eq(bus_add(&bus, gpa(BASE), 0, &ops, &seen), -EINVAL);
	cr_assert_eq(bus_add(&bus, gpa(BASE + BYTES - 1), BYTES, &ops, &seen),
		     -EINVAL);
	cr_assert_eq(bus_add(&bus, gpa(BASE - 1), 2, &ops, &seen), -EINVAL);
	cr_assert_eq(bus_add(&bus, gpa(UINT64_MAX), 2, &ops, &seen), -EINVAL);
	for (uint64_t n = 1; n < BUS_RANGES_MAX; n++)
		cr_assert_eq(bus_add(&bus, gpa(BASE + n * BYTES), BYTES, &ops,
				     &seen),
			     0);
	cr_assert_eq(bus_add(&bus, gpa(0), BYTES, &ops, &seen), -ENOSPC);
}
