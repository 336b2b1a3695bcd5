/* SPDX-License-Identifier: Apache-2.0 */
/* test_acpi.c - the tables a Linux guest finds: lengths, checksums, links, and
 * where iasl is installed, its opinion on the AML. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner/vmm/acpi.h"
#include "runner/vmm/aml.h"
#include "runner/vmm/ioapic.h"
#include "runner/vmm/vmgenid.h"

#define RAM_BYTES (1u << 20)

static _Alignas(4096) uint8_t ram[RAM_BYTES];
static struct gmem gm;

static uint64_t get(uint64_t at, size_t bytes)
{
	uint64_t value = 0;

	cr_assert_leq(at + bytes, RAM_BYTES);
	memcpy(&value, ram + at, bytes);
	return value;
}

static uint8_t sum(uint64_t at, size_t bytes)
{
	uint8_t total = 0;

	while (bytes--)
		total = (uint8_t)(total + ram[at++]);
	return total;
}

static int write_for(uint32_t cpus, uint32_t devices, bool pci, bool serial)
{
	struct acpi_config config = {
		.cpus = cpus,
		.device_count = devices,
		.pci = pci,
		.serial = serial,
		.serial_pin = IOAPIC_PINS_MAX - 1,
	};

	for (uint32_t n = 0; n < devices; n++) {
		config.device[n] = (struct acpi_device){
			.gpa = pci ? 0 : PLAN_MMIO_BASE + n * PLAN_MMIO_STRIDE,
			.pin = (uint8_t)(IOAPIC_PIN_FIRST + n),
			.harness = n == 0,
		};
	}
	memset(ram, 0, sizeof(ram));
	gm_init(&gm);
	cr_assert_eq(gm_add_region(&gm, gpa(0), RAM_BYTES, ram), 0);
	return acpi_write(&gm, &config);
}

/** table() - the address of a table by its signature, from the XSDT. */
static uint64_t table(const char *signature)
{
	uint64_t xsdt = get(ACPI_GPA + 24, 8);
	uint64_t bytes = get(xsdt + 4, 4);

	for (uint64_t at = xsdt + 36; at < xsdt + bytes; at += 8) {
		uint64_t to = get(at, 8);

		if (!memcmp(ram + to, signature, 4))
			return to;
	}
	return 0;
}

static void check_table(uint64_t at, const char *signature)
{
	cr_assert(at, "%s is listed", signature);
	cr_expect(!memcmp(ram + at, signature, 4));
	cr_expect_eq(sum(at, get(at + 4, 4)), 0, "checksum of %s", signature);
	cr_expect_leq(at + get(at + 4, 4), ACPI_GPA + ACPI_ROOM);
}

Test(acpi, links_tables_with_good_checksums)
{
	cr_assert_eq(write_for(4, 3, true, true), 0);
	cr_expect(!memcmp(ram + ACPI_GPA, "RSD PTR ", 8));
	cr_expect_eq(sum(ACPI_GPA, 20), 0);
	cr_expect_eq(sum(ACPI_GPA, 36), 0);
	check_table(get(ACPI_GPA + 24, 8), "XSDT");
	check_table(table("FACP"), "FACP");
	check_table(table("APIC"), "APIC");
	check_table(table("MCFG"), "MCFG");
	check_table(get(table("FACP") + 140, 8), "DSDT");
	cr_expect_eq(get(table("MCFG") + 44, 8), PLAN_ECAM_BASE);
	cr_expect(get(table("FACP") + 112, 4) & 1u << 20, "hardware-reduced");
}

Test(acpi, lists_every_cpu_and_the_ioapic)
{
	uint64_t madt;

	cr_assert_eq(write_for(64, 16, false, false), 0);
	cr_expect_eq(table("MCFG"), 0);
	madt = table("APIC");
	cr_expect_eq(get(madt + 4, 4), 44 + 12 + 64 * 8);
	cr_expect_eq(get(madt + 44 + 4, 4), IOAPIC_GPA);
	cr_expect_eq(get(madt + 44 + 8, 4), IOAPIC_GSI);
	cr_expect_eq(get(madt + 44 + 12 + 63 * 8 + 3, 1), 63);
}

static unsigned sent;

static void count_message(void *ctx, uint32_t address, uint32_t data)
{
	(void)ctx;
	(void)address;
	sent += data == 0x41;
}

/** unmask() - route a pin to vector 0x41, as a driver does. */
static void unmask(struct ioapic *io, unsigned pin)
{
	const uint32_t low = 0x10 + 2 * pin, high = low + 1;
	const uint32_t zero = 0, vector = 0x41;

	ioapic_write(io, 0, &high, 4);
	ioapic_write(io, 0x10, &zero, 4);
	ioapic_write(io, 0, &low, 4);
	ioapic_write(io, 0x10, &vector, 4);
}

Test(acpi, a_new_generation_is_written_and_told)
{
	static const uint8_t first[VMGENID_BYTES] = "one of sixteen.";
	static const uint8_t second[VMGENID_BYTES] = "another sixteen";
	struct ioapic io = {0};
	struct gmem none;

	cr_assert_eq(write_for(1, 1, false, false), 0);
	cr_expect_eq(get(VMGENID_GPA, 8), 0, "tables stay below");
	cr_assert_eq(vmgenid_set(&gm, NULL, first), 0);
	cr_expect(!memcmp(ram + VMGENID_GPA, first, VMGENID_BYTES));
	ioapic_init(&io, 1, count_message, NULL);
	unmask(&io, IOAPIC_PIN_VMGENID);
	cr_assert_eq(vmgenid_set(&gm, &io, second), 0);
	cr_expect(!memcmp(ram + VMGENID_GPA, second, VMGENID_BYTES));
	cr_expect_eq(sent, 1);
	gm_init(&none);
	cr_expect_eq(vmgenid_set(&none, &io, first), -EFAULT);
	cr_expect_eq(sent, 1);
}

Test(acpi, knows_when_the_guest_switches_off)
{
	cr_expect(acpi_is_sleep(0x34));
	cr_expect(!acpi_is_sleep(0x14), "without SLP_EN");
	cr_expect(!acpi_is_sleep(0x20), "another state");
}

Test(acpi, needs_ram_where_the_tables_go)
{
	struct acpi_config config = {.cpus = 1};

	gm_init(&gm);
	cr_assert_eq(gm_add_region(&gm, gpa(0), 0x80000, ram), 0);
	cr_expect_eq(acpi_write(&gm, &config), -EFAULT);
}

Test(acpi, aml_that_does_not_fit_is_an_error)
{
	uint8_t small[16];
	struct aml a;
	size_t bytes;

	aml_init(&a, small, sizeof(small));
	aml_open(&a, AML_SCOPE, "\\_SB_", 0);
	aml_name(&a, "_HID");
	aml_string(&a, "LNRO0005");
	aml_close(&a);
	cr_expect_eq(aml_bytes(&a, &bytes), -ENOSPC);
}

Test(acpi, iasl_reads_what_was_written)
{
	char folder[] = "/tmp/ampoule-acpi.XXXXXX", command[128];
	uint64_t dsdt;
	FILE *f;

	if (access("/usr/bin/iasl", X_OK) < 0)
		cr_skip_test("iasl is not installed");
	cr_assert_eq(write_for(2, 16, true, true), 0);
	dsdt = get(table("FACP") + 140, 8);
	cr_assert(mkdtemp(folder));
	cr_assert_eq(chdir(folder), 0);
	f = fopen("dsdt.aml", "w");
	fwrite(ram + dsdt, 1, get(dsdt + 4, 4), f);
	fclose(f);
	/* Back to source, and that to AML again: no error, no warning. */
	cr_expect_eq(system("iasl -d dsdt.aml >log 2>&1 && "
			    "iasl -we -p again dsdt.dsl >>log 2>&1 && "
			    "grep -q 'PNP0C0C' dsdt.dsl && "
			    "grep -q 'ACPI0013' dsdt.dsl && "
			    "grep -q 'VM_Gen_Counter' dsdt.dsl"),
		     0);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	cr_expect_eq(chdir("/"), 0);
	cr_expect_eq(system(command), 0);
}
