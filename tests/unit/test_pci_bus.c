/* SPDX-License-Identifier: Apache-2.0 */
/* test_pci_bus.c - configuration space and where BARs answer. */
#include <criterion/criterion.h>
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/dummy.h"
#include "tests/unit/fake_pci.h"

#define ONES32 0xffffffffu

static struct dummy dummy;
static struct fake_pci pci;

static void set_up(void)
{
	dummy_init(&dummy);
	fake_pci_attach(&pci, &dummy.vd);
}

static void tear_down(void)
{
	fake_pci_done(&pci);
}

TestSuite(pci_bus, .init = set_up, .fini = tear_down);

static uint32_t ecam(uint64_t offset, size_t len)
{
	uint32_t value = 0;

	pci_bus_config_read(&pci.bus, offset, &value, len);
	return value;
}

Test(pci_bus, has_a_bridge_one_function_and_nothing_else)
{
	cr_expect_eq(ecam(0, 4), 0x00081b36);
	cr_expect_eq(ecam(PCI_CLASS_DEVICE, 2), 0x0600);
	cr_expect_eq(ecam(1 << 15, 4), (0x1040u + DUMMY_ID) << 16 | 0x1af4);
	for (uint32_t slot = 2; slot < 32; slot++)
		cr_expect_eq(ecam(slot << 15, 4), ONES32);
	for (uint32_t function = 1; function < 8; function++) {
		cr_expect_eq(ecam(function << 12, 4), ONES32);
		cr_expect_eq(ecam(1 << 15 | function << 12, 4), ONES32);
	}
	cr_expect_eq(ecam(1 << 15 | PCI_HEADER_TYPE, 1), 0);
	cr_expect_eq(ecam(1 << 15 | PCI_REVISION_ID, 1), 1);
	cr_expect_eq(ecam(1 << 15 | PCI_INTERRUPT_PIN, 1), 0);
	cr_expect_eq(ecam(1 << 15 | 0x100, 4), 0, "no extended capability");
	cr_expect_eq(ecam(PCI_BUS_ECAM_BYTES + (1 << 15), 4), ONES32);
}

Test(pci_bus, no_write_changes_what_is_not_writable)
{
	uint8_t before[256], after[256];

	for (uint32_t at = 0; at < 256; at++)
		before[at] = (uint8_t)fake_pci_cfg(&pci, at, 1);
	for (uint32_t at = 0; at < 256; at += 4)
		fake_pci_cfg_set(&pci, at, ONES32, 4);
	for (uint32_t at = 0; at < 256; at += 4)
		fake_pci_cfg_set(&pci, at, 0, 4);
	for (uint32_t at = 0; at < 256; at++) {
		uint8_t mask = pci.function.config.writable[at];

		after[at] = (uint8_t)fake_pci_cfg(&pci, at, 1);
		cr_expect_eq(after[at], before[at] & ~mask, "%#x", at);
	}
	cr_expect_eq(pci.function.config.writable[PCI_VENDOR_ID], 0);
	cr_expect_eq(fake_pci_cfg(&pci, PCI_COMMAND, 2) & PCI_COMMAND_IO, 0);
}

Test(pci_bus, other_widths_read_as_zero_and_change_nothing)
{
	uint64_t value = UINT64_MAX;

	pci_bus_config_read(&pci.bus, 1 << 15, &value, 8);
	cr_expect_eq(value, 0);
	cr_expect_eq(ecam(1 << 15 | 1, 2), 0);
	cr_expect_eq(ecam(1 << 15 | 2, 4), 0);
	value = PCI_COMMAND_MEMORY;
	pci_bus_config_write(&pci.bus, 1 << 15 | PCI_COMMAND, &value, 8);
	pci_bus_config_write(&pci.bus, 1 << 15 | (PCI_COMMAND + 1), &value, 2);
	cr_expect_eq(fake_pci_cfg(&pci, PCI_COMMAND, 2), 0);
}

Test(pci_bus, a_bar_tells_its_size)
{
	const uint32_t bar0 = PCI_BASE_ADDRESS_0, bar4 = PCI_BASE_ADDRESS_4;

	cr_expect_eq(fake_pci_cfg(&pci, bar0, 4), 0xe1000004);
	cr_expect_eq(fake_pci_cfg(&pci, bar4, 4), 0xe1004004);
	fake_pci_cfg_set(&pci, bar0, ONES32, 4);
	fake_pci_cfg_set(&pci, bar0 + 4, ONES32, 4);
	cr_expect_eq(fake_pci_cfg(&pci, bar0, 4), 0xffffc004);
	cr_expect_eq(fake_pci_cfg(&pci, bar0 + 4, 4), ONES32);
	fake_pci_cfg_set(&pci, bar4, ONES32, 4);
	cr_expect_eq(fake_pci_cfg(&pci, bar4, 4), 0xfffff004);
	for (uint32_t at = PCI_BASE_ADDRESS_2; at < bar4; at += 4) {
		fake_pci_cfg_set(&pci, at, ONES32, 4);
		cr_expect_eq(fake_pci_cfg(&pci, at, 4), 0, "no such BAR");
	}
	fake_pci_cfg_set(&pci, PCI_ROM_ADDRESS, ONES32, 4);
	cr_expect_eq(fake_pci_cfg(&pci, PCI_ROM_ADDRESS, 4), 0, "no ROM");
}

#define NUMQ (FAKE_WINDOW + VIRTIO_PCI_COMMON_NUMQ)

Test(pci_bus, a_bar_answers_where_it_is_and_when_decoding_is_on)
{
	cr_expect_eq(fake_pci_get(&pci, NUMQ, 2), 0xffff, "decoding is off");
	fake_pci_find(&pci);
	cr_expect_eq(fake_pci_get(&pci, NUMQ, 2), 2);
	fake_pci_cfg_set(&pci, PCI_BASE_ADDRESS_0, 0xe1100000, 4);
	cr_expect_eq(fake_pci_get(&pci, NUMQ, 2), 0xffff, "it went");
	cr_expect_eq(fake_pci_get(&pci, NUMQ + 0x100000, 2), 2);
	cr_expect_eq(fake_pci_get(&pci, 0xe1100000 + VPCI_BAR0_BYTES, 2),
		     0xffff);
	cr_expect_eq(fake_pci_get(&pci, 0xe1100000 + VPCI_BAR0_BYTES - 1, 2),
		     0xffff, "half in");
	fake_pci_cfg_set(&pci, PCI_COMMAND, 0, 2);
	cr_expect_eq(fake_pci_get(&pci, NUMQ + 0x100000, 2), 0xffff);
}

Test(pci_bus, a_bar_outside_the_window_answers_nowhere)
{
	static const uint64_t places[] = {0,
					  0xd0000000,
					  0xe0000000,
					  0xe1000000ull + FAKE_WINDOW_BYTES,
					  0xfee00000,
					  1ull << 40,
					  UINT64_MAX - 0x3fff};

	fake_pci_find(&pci);
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		fake_pci_cfg_set(&pci, PCI_BASE_ADDRESS_0, (uint32_t)places[i],
				 4);
		fake_pci_cfg_set(&pci, PCI_BASE_ADDRESS_1,
				 (uint32_t)(places[i] >> 32), 4);
		for (uint64_t at = 0; at < 0x10000; at += 0x1000)
			cr_expect_eq(
				fake_pci_get(&pci,
					     FAKE_WINDOW + at +
						     VIRTIO_PCI_COMMON_NUMQ,
					     2) == 2,
				false);
	}
}

Test(pci_bus, overlapping_bars_are_the_lower_slots)
{
	static struct dummy second;
	static struct vpci function;
	const struct msix_host nobody = {NULL, NULL};
	const uint32_t both = PCI_COMMAND_MEMORY;

	dummy_init(&second);
	vpci_init(&function, &second.vd, &pci.drv.gm, &nobody,
		  pci_bus_next(&pci.bus));
	cr_assert_eq(pci_bus_add(&pci.bus, &function), 0);
	fake_pci_find(&pci);
	pci_bus_config_write(&pci.bus, 2 << 15 | PCI_COMMAND, &both, 2);
	cr_expect_eq(fake_pci_get(&pci, NUMQ + VPCI_BYTES, 2), 2);
	fake_pci_cfg_set(&pci, PCI_BASE_ADDRESS_0, FAKE_WINDOW + VPCI_BYTES, 4);
	fake_pci_set(&pci, FAKE_WINDOW + VPCI_BYTES + VIRTIO_PCI_COMMON_STATUS,
		     1, 1);
	cr_expect_eq(dummy.vd.status, 1);
	cr_expect_eq(second.vd.status, 0);
}

Test(pci_bus, takes_31_functions_and_no_more)
{
	static struct dummy more[PCI_BUS_SLOTS];
	static struct vpci function[PCI_BUS_SLOTS];
	const struct msix_host nobody = {NULL, NULL};
	unsigned added = 1;

	for (unsigned i = 0; i < PCI_BUS_SLOTS; i++) {
		dummy_init(&more[i]);
		vpci_init(&function[i], &more[i].vd, &pci.drv.gm, &nobody,
			  pci_bus_next(&pci.bus));
		added += !pci_bus_add(&pci.bus, &function[i]);
	}
	cr_expect_eq(added, PCI_BUS_SLOTS - 1);
	cr_expect_neq(ecam(31 << 15, 4), ONES32);
}
