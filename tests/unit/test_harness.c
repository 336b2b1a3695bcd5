/* SPDX-License-Identifier: Apache-2.0 */
/* test_harness.c - doorbells: what reaches the host, and what never may. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <linux/virtio_mmio.h>
#include <string.h>

#include "devices-virtio/harness.h"
#include "tests/unit/fake_driver.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define AT       DRV_DATA /* where requests are written */

static struct {
	unsigned calls;
	uint32_t status, missing_count, text_bytes;
	uint64_t ticks;
	struct harness_crash crash;
	struct harness_missing missing[64];
	struct harness_oom oom;
	char text[HARNESS_REPORT_MAX];
	bool off;
} told;

static void on_exit_bell(void *ctx, uint32_t status)
{
	told.calls++;
	told.status = status;
}

static void on_ready(void *ctx, uint64_t ticks)
{
	told.calls++;
	told.ticks = ticks;
}

static void on_crash(void *ctx, const struct harness_crash *crash)
{
	told.calls++;
	told.crash = *crash;
}

static void on_missing(void *ctx, const struct harness_missing *missing,
		       uint32_t count)
{
	told.calls++;
	told.missing_count = count;
	memcpy(told.missing, missing, count * sizeof(*missing));
}

static void on_panic(void *ctx, const char *text, uint32_t bytes)
{
	told.calls++;
	told.text_bytes = bytes;
	memcpy(told.text, text, bytes);
}

static void on_oom(void *ctx, const struct harness_oom *oom)
{
	told.calls++;
	told.oom = *oom;
}

static void on_poweroff(void *ctx)
{
	told.calls++;
	told.off = true;
}

static struct fake_driver drv;

static void set_up(void)
{
	static const struct harness_config config = {
		.callbacks = {on_exit_bell, on_ready, on_crash, on_missing,
			      on_panic, on_oom, on_poweroff},
	};
	struct vdev *vd;

	memset(&told, 0, sizeof(told));
	cr_assert_eq(harness_new(&config, &vd), 0);
	drv_attach(&drv, vd);
}

static void tear_down(void)
{
	drv_done(&drv);
}

TestSuite(harness, .init = set_up, .fini = tear_down);

static void ring(uint32_t reg, uint64_t value)
{
	drv_write(&drv, 0x100 + reg, &value, sizeof(value));
}

static uint64_t look(uint32_t reg, size_t len)
{
	uint64_t value = 0;

	drv_read(&drv, 0x100 + reg, &value, len);
	return value;
}

Test(harness, identifies_itself)
{
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_DEVICE_ID), HARNESS_DEVICE_ID);
	cr_expect_eq(look(HARNESS_REG_MAGIC, 8),
		     (uint64_t)HARNESS_VERSION << 32 | HARNESS_MAGIC);
}

Test(harness, tells_ready_exit_and_power_off_without_a_handshake)
{
	ring(HARNESS_REG_READY, 1234567890123ull);
	cr_expect_eq(told.ticks, 1234567890123ull);
	ring(HARNESS_REG_EXIT, 0xdead00002a00ull);
	cr_expect_eq(told.status, 0x2a00, "bits 0..31 only");
	ring(HARNESS_REG_POWEROFF, 0);
	cr_expect(told.off);
}

Test(harness, takes_whole_aligned_doorbells_only)
{
	uint64_t v = 0;

	drv_write(&drv, 0x100 + HARNESS_REG_EXIT, &v, 4);
	drv_write(&drv, 0x100 + HARNESS_REG_EXIT + 4, &v, 8);
	drv_write(&drv, 0x100 + HARNESS_REG_EXIT + 1, &v, 1);
	drv_write(&drv, 0x100 + HARNESS_CONFIG_BYTES, &v, 8);
	ring(HARNESS_REG_MAGIC, 1);
	ring(HARNESS_REG_PENDING, 1);
	cr_expect_eq(told.calls, 0);
	cr_expect_eq(look(HARNESS_REG_EXIT, 8), 0);
}

/* Requests of the host */

Test(harness, holds_requests_until_they_are_read)
{
	harness_request(drv.vd, HARNESS_REQ_TERM);
	harness_request(drv.vd, HARNESS_REQ_WINCH);
	cr_expect_eq(drv.interrupts, 0, "nobody listens yet");
	drv_start(&drv, 0, 0);
	cr_expect_eq(drv.interrupts, 1, "told at DRIVER_OK");
	cr_expect_eq(look(HARNESS_REG_PENDING, 8),
		     HARNESS_REQ_TERM | HARNESS_REQ_WINCH);
	cr_expect_eq(look(HARNESS_REG_PENDING, 8), 0);
	harness_request(drv.vd, HARNESS_REQ_INT);
	cr_expect_eq(drv.interrupts, 2);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_INTERRUPT_STATUS),
		     VIRTIO_MMIO_INT_CONFIG);
	cr_expect_eq(look(HARNESS_REG_PENDING, 1), 0, "too narrow");
	cr_expect_eq(harness_pending(drv.vd), HARNESS_REQ_INT);
	cr_expect_eq(look(HARNESS_REG_PENDING, 4), HARNESS_REQ_INT);
}

Test(harness, has_the_size_of_the_terminal)
{
	cr_expect_eq(look(HARNESS_REG_TERMINAL, 8), 0, "nobody told it");
	drv_start(&drv, 0, 0);
	harness_resize(drv.vd, 50, 132);
	harness_resize(drv.vd, 0xffff, 0xfffe);
	cr_expect_eq(drv.interrupts, 2);
	cr_expect_eq(look(HARNESS_REG_PENDING, 4), HARNESS_REQ_WINCH);
	cr_expect_eq(look(HARNESS_REG_TERMINAL, 8), 0xfffffffe);
	cr_expect_eq(look(HARNESS_REG_TERMINAL, 4), 0xfffffffe);
	cr_expect_eq(look(HARNESS_REG_TERMINAL, 2), 0, "too narrow");
	ring(HARNESS_REG_TERMINAL, 1);
	cr_expect_eq(look(HARNESS_REG_TERMINAL, 8), 0xfffffffe, "read only");
}

/* Reports */

static void report(uint32_t type, const void *payload, uint32_t bytes)
{
	struct harness_report *r = drv_at(&drv, AT);

	r->type = type;
	r->bytes = bytes;
	memcpy(r->payload, payload, bytes);
	ring(HARNESS_REG_REPORT, AT);
}

Test(harness, decodes_every_report)
{
	const struct harness_missing missing[3] = {{1, 2}, {3, 4}, {333, 5}};
	const struct harness_crash crash = {11, 1, 0xdead, 0xbeef, "prog"};
	const struct harness_oom oom = {1000, 3, "eater"};

	report(HARNESS_REPORT_MISSING, missing, sizeof(missing));
	cr_expect_eq(told.missing_count, 3);
	cr_expect(!memcmp(told.missing, missing, sizeof(missing)));
	report(HARNESS_REPORT_CRASH, &crash, sizeof(crash));
	cr_expect(!memcmp(&told.crash, &crash, sizeof(crash)));
	report(HARNESS_REPORT_OOM, &oom, sizeof(oom));
	cr_expect(!memcmp(&told.oom, &oom, sizeof(oom)));
	report(HARNESS_REPORT_PANIC, "help", 4);
	cr_expect_eq(told.text_bytes, 4);
	cr_expect(!memcmp(told.text, "help", 4));
	cr_expect(!drv_broken(&drv));
}

struct bad_report {
	const char *what;
	uint64_t at;
	uint32_t type, bytes;
};

static const struct bad_report bad_reports[] = {
	{"unknown type", AT, 9, 8},
	{"type 0", AT, 0, 0},
	{"payload too long", AT, HARNESS_REPORT_PANIC, HARNESS_REPORT_MAX + 1},
	{"payload of 4 GiB", AT, HARNESS_REPORT_PANIC, UINT32_MAX},
	{"missing: half an entry", AT, HARNESS_REPORT_MISSING, 12},
	{"crash too short", AT, HARNESS_REPORT_CRASH,
	 sizeof(struct harness_crash) - 1},
	{"crash too long", AT, HARNESS_REPORT_CRASH,
	 sizeof(struct harness_crash) + 8},
	{"out of memory: empty", AT, HARNESS_REPORT_OOM, 0},
	{"payload across the end of memory", DRV_MEM_BYTES - 16,
	 HARNESS_REPORT_PANIC, 9},
	{"header across the end", DRV_MEM_BYTES - 4, HARNESS_REPORT_PANIC, 0},
	{"in the hole", 0x90000000, HARNESS_REPORT_PANIC, 0},
	{"address wraps", UINT64_MAX - 3, HARNESS_REPORT_PANIC, 0},
	{"payload wraps", UINT64_MAX - 7, HARNESS_REPORT_PANIC, 0},
};

ParameterizedTestParameters(harness, breaks_on_a_bad_report)
{
	static unsigned index[COUNT(bad_reports)];

	for (unsigned i = 0; i < COUNT(bad_reports); i++)
		index[i] = i;
	return cr_make_param_array(unsigned, index, COUNT(bad_reports));
}

ParameterizedTest(unsigned *index, harness, breaks_on_a_bad_report)
{
	const struct bad_report *b = &bad_reports[*index];
	const uint32_t header[2] = {b->type, b->bytes};

	gm_write(&drv.gm, gpa(b->at), header,
		 b->at == DRV_MEM_BYTES - 4 ? 4 : sizeof(header));
	ring(HARNESS_REG_REPORT, b->at);
	cr_expect(drv_broken(&drv), "%s", b->what);
	cr_expect_eq(told.calls, 0, "%s", b->what);
}

Test(harness, bounds_the_number_of_reports)
{
	for (unsigned i = 0; i < HARNESS_REPORTS_MAX + 10; i++)
		report(HARNESS_REPORT_PANIC, "x", 1);
	cr_expect_eq(told.calls, HARNESS_REPORTS_MAX);
	cr_expect(!drv_broken(&drv));
}

Test(harness, still_ends_the_vm_when_broken)
{
	ring(HARNESS_REG_REPORT, UINT64_MAX);
	cr_assert(drv_broken(&drv));
	report(HARNESS_REPORT_PANIC, "x", 1);
	cr_expect_eq(told.calls, 0);
	ring(HARNESS_REG_EXIT, 7);
	cr_expect_eq(told.status, 7);
}
