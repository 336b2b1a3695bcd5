/* SPDX-License-Identifier: Apache-2.0 */
/* test_ioapic.c - pins, redirection, and what hostile writes can become. */
#include <criterion/criterion.h>

#include "runner/vmm/ioapic.h"

#define PINS 9u

static struct ioapic io;
static uint32_t sent, address, data;

static void send(void *ctx, uint32_t msi_address, uint32_t msi_data)
{
	cr_expect_eq(ctx, &io);
	sent++;
	address = msi_address;
	data = msi_data;
}

static void setup(void)
{
	ioapic_init(&io, PINS, send, &io);
	sent = 0;
}

TestSuite(ioapic, .init = setup);

static void set(uint32_t index, uint32_t value)
{
	ioapic_write(&io, 0x00, &index, 4);
	ioapic_write(&io, 0x10, &value, 4);
}

static uint32_t get(uint32_t index)
{
	uint32_t value = 0xdeadbeef;

	ioapic_write(&io, 0x00, &index, 4);
	ioapic_read(&io, 0x10, &value, 4);
	return value;
}

Test(ioapic, names_itself)
{
	cr_expect_eq(get(1), 0x00080011);
	cr_expect_eq(get(0x10), 0x10000, "masked");
	cr_expect_eq(get(0x10 + 2 * PINS - 1), 0);
}

Test(ioapic, leaves_pins_alone_that_nobody_set_up)
{
	cr_expect(!ioapic_raise(&io, 5));
	cr_expect_eq(sent, 0);
}

Test(ioapic, sends_what_the_entry_says)
{
	set(0x10 + 2 * 5 + 1, 0x03000000);
	set(0x10 + 2 * 5, 0x21);
	cr_expect(ioapic_raise(&io, 5));
	cr_expect_eq(sent, 1);
	cr_expect_eq(address, 0xfee03000);
	cr_expect_eq(data, 0x21);
	set(0x10 + 2 * 5, 0x921); /* logical, lowest priority */
	cr_expect(ioapic_raise(&io, 5));
	cr_expect_eq(address, 0xfee03004);
	cr_expect_eq(data, 0x121);
}

Test(ioapic, keeps_an_edge_until_it_is_unmasked)
{
	set(0x10 + 2 * 7, 0x10030);
	cr_expect(ioapic_raise(&io, 7));
	cr_expect(ioapic_raise(&io, 7));
	cr_expect_eq(sent, 0);
	set(0x10 + 2 * 7, 0x30);
	cr_expect_eq(sent, 1);
	set(0x10 + 2 * 7, 0x30);
	cr_expect_eq(sent, 1, "once");
}

Test(ioapic, ignores_what_does_not_exist)
{
	uint64_t wide = UINT64_MAX;
	uint8_t narrow = 0;

	for (uint32_t index = 0; index < 256; index++)
		set(index, UINT32_MAX);
	cr_expect_eq(get(1), 0x00080011, "read-only");
	cr_expect_eq(get(0x10 + 2 * PINS), 0, "there are no more pins");
	cr_expect_eq(get(0x10) & ~0x1afffu, 0, "reserved and status bits");
	ioapic_write(&io, 0x00, &wide, 8);
	ioapic_write(&io, 0x40, &wide, 4);
	ioapic_read(&io, 0x10, &narrow, 1);
	ioapic_read(&io, 0x10, &wide, 8);
	cr_expect_eq(wide, 0);
}
