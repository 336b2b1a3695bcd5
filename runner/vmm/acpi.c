/* SPDX-License-Identifier: Apache-2.0 */
/* acpi.c - the tables of a hardware-reduced ACPI platform. Numbers in brackets:
 * ACPI 6.4. The tables lie one behind the other in a buffer of our own first;
 * the ones with addresses in them come last.
 *
 *   RSDP -> XSDT -> FADT -> DSDT
 *              |--> MADT
 *              `--> MCFG */
#include "runner/vmm/acpi.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "runner/vmm/acpi_dsdt.h"
#include "runner/vmm/ioapic.h"

#define ALIGN_BYTES 16u
#define TABLES_MAX  4u

#define SLEEP_TYPE_SHIFT 2
#define SLEEP_ENABLE     0x20u

/* FADT flags [5.2.9] */
#define FADT_WBINVD          (1u << 0)
#define FADT_NO_POWER_BUTTON (1u << 4) /* no fixed one: it is a device */
#define FADT_NO_SLEEP_BUTTON (1u << 5)
#define FADT_RESET_REG       (1u << 10)
#define FADT_HEADLESS        (1u << 12)
#define FADT_HW_REDUCED      (1u << 20)
/* IAPC_BOOT_ARCH [5.2.9.3] */
#define BOOT_NO_VGA  (1u << 2)
#define BOOT_NO_ASPM (1u << 4)
#define BOOT_NO_CMOS (1u << 5)

struct header { /* [5.2.6] */
	char signature[4];
	uint32_t bytes;
	uint8_t revision;
	uint8_t checksum;
	char oem[6], oem_table[8];
	uint32_t oem_revision;
	char creator[4];
	uint32_t creator_revision;
} __attribute__((packed));

struct address { /* generic address structure [5.2.3.2] */
	uint8_t space, bits, offset, access;
	uint64_t at;
} __attribute__((packed));

struct rsdp { /* [5.2.5.3] */
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt;
	uint32_t bytes;
	uint64_t xsdt;
	uint8_t checksum_all;
	uint8_t reserved[3];
} __attribute__((packed));

struct fadt { /* [5.2.9], the fields that a reduced platform has */
	struct header header;
	uint32_t facs, dsdt;
	uint8_t unused1, profile;
	uint8_t unused2[63];
	uint16_t boot_arch;
	uint8_t unused3;
	uint32_t flags;
	struct address reset;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor;
	uint64_t x_facs, x_dsdt;
	struct address unused4[8];
	struct address sleep_control, sleep_status;
	uint64_t hypervisor;
} __attribute__((packed));

struct madt { /* [5.2.12] */
	struct header header;
	uint32_t local_apic, flags;
} __attribute__((packed));

struct madt_cpu { /* [5.2.12.2] */
	uint8_t type, bytes, uid, apic_id;
	uint32_t flags; /* 1: enabled */
} __attribute__((packed));

struct madt_ioapic { /* [5.2.12.3] */
	uint8_t type, bytes, id, reserved;
	uint32_t at, first_gsi;
} __attribute__((packed));

struct mcfg { /* PCI Firmware 3.3, 4.1.2: one segment */
	struct header header;
	uint64_t reserved1, base;
	uint16_t segment;
	uint8_t first_bus, last_bus;
	uint32_t reserved2;
} __attribute__((packed));

static_assert(sizeof(struct header) == 36, "ACPI 6.4, 5.2.6");
static_assert(sizeof(struct rsdp) == 36, "ACPI 6.4, 5.2.5.3");
static_assert(sizeof(struct fadt) == 276, "ACPI 6.4, 5.2.9");
static_assert(offsetof(struct fadt, boot_arch) == 109, "ACPI 6.4, 5.2.9");
static_assert(offsetof(struct fadt, sleep_control) == 244, "ACPI 6.4, 5.2.9");
static_assert(sizeof(struct mcfg) == 60, "PCI Firmware 3.3, 4.1.2");

/* The tables while they are built; offsets are from ACPI_GPA. */
struct tables {
	uint8_t *at; /* ACPI_ROOM bytes */
	size_t used;
	uint64_t listed[TABLES_MAX]; /* in the XSDT: guest-physical */
	unsigned count;
};

static uint8_t checksum(const uint8_t *bytes, size_t count)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return (uint8_t)-sum;
}

static struct header header(const char signature[4], uint8_t revision)
{
	struct header h = {
		.revision = revision,
		.oem = {'A', 'M', 'P', 'O', 'U', 'L'},
		.oem_table = {'A', 'M', 'P', 'O', 'U', 'L', 'E', ' '},
		.oem_revision = 1,
		.creator = {'A', 'M', 'P', 'O'},
		.creator_revision = 1,
	};

	memcpy(h.signature, signature, sizeof(h.signature));
	return h;
}

/** add() - a table of @bytes, which starts with its header.
 * Return: its guest-physical address; 0 when there is no room. */
static uint64_t add(struct tables *t, const void *table, size_t bytes)
{
	size_t at = (t->used + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
	struct header *h = (struct header *)(t->at + at);

	if (at > ACPI_ROOM || bytes > ACPI_ROOM - at)
		return 0;
	memcpy(h, table, bytes);
	h->bytes = (uint32_t)bytes;
	h->checksum = 0;
	h->checksum = checksum(t->at + at, bytes);
	t->used = at + bytes;
	return ACPI_GPA + at;
}

/** list() - a table that the XSDT names. */
static int list(struct tables *t, uint64_t at)
{
	if (!at)
		return -ENOSPC;
	t->listed[t->count++] = at;
	return 0;
}

static struct address port(uint16_t number)
{
	return (struct address){
		.space = 1, .bits = 8, .access = 1, .at = number};
}

static int add_fadt(struct tables *t, uint64_t dsdt)
{
	const struct fadt fadt = {
		.header = header("FACP", 6),
		.dsdt = (uint32_t)dsdt,
		.boot_arch = BOOT_NO_VGA | BOOT_NO_ASPM | BOOT_NO_CMOS,
		.flags = FADT_WBINVD | FADT_NO_POWER_BUTTON |
			 FADT_NO_SLEEP_BUTTON | FADT_RESET_REG | FADT_HEADLESS |
			 FADT_HW_REDUCED,
		.reset = port(ACPI_PORT_RESET),
		.reset_value = ACPI_RESET_VALUE,
		.minor = 4,
		.x_dsdt = dsdt,
		.sleep_control = port(ACPI_PORT_SLEEP),
		.sleep_status = port(ACPI_PORT_SLEEP + 1),
	};

	return list(t, add(t, &fadt, sizeof(fadt)));
}

static int add_madt(struct tables *t, uint32_t cpus)
{
	struct {
		struct madt madt;
		struct madt_ioapic ioapic;
		struct madt_cpu cpu[PLAN_CPUS_MAX];
	} __attribute__((packed)) all = {
		.madt = {.header = header("APIC", 5),
			 .local_apic = 0xfee00000u},
		.ioapic = {.type = 1,
			   .bytes = sizeof(all.ioapic),
			   .at = IOAPIC_GPA,
			   .first_gsi = IOAPIC_GSI},
	};

	for (uint32_t i = 0; i < cpus; i++)
		all.cpu[i] = (struct madt_cpu){.bytes = sizeof(all.cpu[i]),
					       .uid = (uint8_t)i,
					       .apic_id = (uint8_t)i,
					       .flags = 1};
	return list(t, add(t, &all,
			   sizeof(all.madt) + sizeof(all.ioapic) +
				   cpus * sizeof(all.cpu[0])));
}

static int add_mcfg(struct tables *t)
{
	const struct mcfg mcfg = {
		.header = header("MCFG", 1),
		.base = PLAN_ECAM_BASE,
	};

	return list(t, add(t, &mcfg, sizeof(mcfg)));
}

static int add_dsdt(struct tables *t, const struct acpi_config *config)
{
	cleanup_free uint8_t *table = malloc(ACPI_ROOM);
	const struct header h = header("DSDT", 2);
	size_t bytes = 0;
	uint64_t at;
	int err;

	if (!table)
		return -ENOMEM;
	memcpy(table, &h, sizeof(h));
	err = acpi_dsdt(config, table + sizeof(h), ACPI_ROOM - sizeof(h),
			&bytes);
	if (err)
		return err;
	at = add(t, table, sizeof(h) + bytes);
	return at ? add_fadt(t, at) : -ENOSPC;
}

static int add_root(struct tables *t)
{
	struct {
		struct header header;
		uint64_t table[TABLES_MAX];
	} __attribute__((packed)) xsdt = {.header = header("XSDT", 1)};
	struct rsdp rsdp = {
		.signature = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '},
		.oem = {'A', 'M', 'P', 'O', 'U', 'L'},
		.revision = 2,
		.bytes = sizeof(rsdp),
	};

	memcpy(xsdt.table, t->listed, sizeof(xsdt.table));
	rsdp.xsdt = add(t, &xsdt,
			sizeof(xsdt.header) + t->count * sizeof(uint64_t));
	if (!rsdp.xsdt)
		return -ENOSPC;
	/* The first checksum is that of ACPI 1.0: the first 20 bytes. */
	rsdp.checksum = checksum((const uint8_t *)&rsdp, 20);
	rsdp.checksum_all = checksum((const uint8_t *)&rsdp, sizeof(rsdp));
	memcpy(t->at, &rsdp, sizeof(rsdp));
	return 0;
}

int acpi_write(const struct gmem *gm, const struct acpi_config *config)
{
	cleanup_free uint8_t *room = calloc(1, ACPI_ROOM);
	struct tables t = {.at = room, .used = sizeof(struct rsdp)};
	int err;

	if (!room)
		return -ENOMEM;
	err = add_dsdt(&t, config);
	if (!err)
		err = add_madt(&t, config->cpus);
	if (!err && config->pci)
		err = add_mcfg(&t);
	if (!err)
		err = add_root(&t);
	if (!err)
		err = gm_write(gm, gpa(ACPI_GPA), room, t.used);
	return err; /* NOLINT: cleanup frees */
}

bool acpi_is_sleep(uint8_t value)
{
	return (value & SLEEP_ENABLE) &&
	       ((value >> SLEEP_TYPE_SHIFT) & 7) == ACPI_SLEEP_TYPE_OFF;
}
