/* SPDX-License-Identifier: Apache-2.0 */
/* test_vdev_state.c - a device that is saved and loaded goes on as if nothing
 * had been, and nothing else than a state makes one. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_mmio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "devices-virtio/harness.h"
#include "devices-virtio/rng.h"
#include "tests/unit/console_rig.h"
#include "tests/unit/state_rig.h"

#define WR    VRING_DESC_F_WRITE
#define EVENT (1ull << VIRTIO_RING_F_EVENT_IDX)
#define INDIR (1ull << VIRTIO_RING_F_INDIRECT_DESC)
#define MULTI (1ull << VIRTIO_CONSOLE_F_MULTIPORT)

static struct fake_driver drv;
static uint8_t state[VDEV_STATE_BYTES];

static struct vdev *make_rng(void *arg)
{
	struct vdev *vd;

	cr_assert_eq(rng_new(NULL, &vd), 0);
	return vd;
}

static void start_rng(uint64_t features)
{
	drv_attach(&drv, make_rng(NULL));
	drv_start(&drv, features, 8);
}

/** use_rng() - one request, checked. */
static void use_rng(void)
{
	struct drv_used used;

	drv_send(&drv, 0, DRV_DATA, 64, WR);
	drv_kick(&drv, 0);
	cr_assert(drv_take(&drv, 0, &used));
	cr_assert_eq(used.len, 64);
}

Test(vdev_state, a_queue_goes_on_where_it_was)
{
	start_rng(EVENT | INDIR);
	for (unsigned i = 0; i < 3 * 65536 / 16; i++) { /* indices wrap */
		for (unsigned n = 0; n < 16; n++)
			use_rng();
		if (i % 1024 == 0)
			state_move(&drv, make_rng(NULL));
	}
	cr_expect(!drv_broken(&drv));
	drv_done(&drv);
}

Test(vdev_state, requests_that_wait_are_served_afterwards)
{
	struct drv_used used;

	start_rng(0);
	drv_send(&drv, 0, DRV_DATA, 16, WR);
	vdev_pause(drv.vd);
	drv_kick(&drv, 0);
	cr_expect(!drv_take(&drv, 0, &used), "a paused device rests");
	state_move(&drv, make_rng(NULL));
	cr_expect(drv_take(&drv, 0, &used), "without another kick");
	cr_expect_eq(drv.interrupts, 1);
	drv_done(&drv);
}

Test(vdev_state, a_handshake_goes_on_in_the_middle)
{
	uint32_t status = 3;

	drv_attach(&drv, make_rng(NULL));
	drv_set(&drv, VIRTIO_MMIO_STATUS, 1);
	drv_set(&drv, VIRTIO_MMIO_STATUS, status);
	drv_set(&drv, VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	state_move(&drv, make_rng(NULL));
	drv_set(&drv, VIRTIO_MMIO_DRIVER_FEATURES, 1); /* VERSION_1 */
	drv_set(&drv, VIRTIO_MMIO_STATUS, status |= 8);
	cr_assert_eq(drv_get(&drv, VIRTIO_MMIO_STATUS), status);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_NUM, 8);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_DESC_LOW, DRV_QUEUE_BASE);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_AVAIL_LOW, DRV_QUEUE_BASE + DRV_AVAIL);
	drv_set(&drv, VIRTIO_MMIO_QUEUE_USED_LOW, DRV_QUEUE_BASE + DRV_USED);
	state_move(&drv, make_rng(NULL));
	drv_set(&drv, VIRTIO_MMIO_QUEUE_READY, 1);
	drv_set(&drv, VIRTIO_MMIO_STATUS, status | 4);
	drv.ring[0].size = 8;
	use_rng();
	drv_done(&drv);
}

Test(vdev_state, a_broken_device_stays_broken)
{
	start_rng(0);
	drv_send(&drv, 0, DRV_DATA, 64, 0);
	drv_kick(&drv, 0);
	cr_assert(drv_broken(&drv));
	state_move(&drv, make_rng(NULL));
	cr_expect(drv_broken(&drv));
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_INTERRUPT_STATUS), 2);
	drv_start(&drv, 0, 8);
	use_rng();
	drv_done(&drv);
}

Test(vdev_state, damaged_states_are_refused_or_harmless, .timeout = 60)
{
	start_rng(EVENT);
	use_rng();
	state_abuse(&drv, make_rng, NULL);
	use_rng();
	drv_done(&drv);
}

/* One field at a time: where it lies in the state of an rng with one queue,
 * behind the transport's 2 + 3 * 4 + 28 bytes. */
#define CORE 42
static struct lie {
	char what[32];
	unsigned at, bytes;
	uint64_t value;
} lies[] = {
	{"transport version", 0, 2, 2},
	{"version", CORE, 2, 2},
	{"device", CORE + 2, 4, 3},
	{"offered", CORE + 6, 8, 1ull << 63 | 1ull << 32},
	{"accepted more", CORE + 14, 8, 1ull << 32 | 1},
	{"accepted no virtio 1", CORE + 14, 8, 0},
	{"status bit", CORE + 22, 1, 0x1f},
	{"status without features", CORE + 22, 1, 7},
	{"interrupt", CORE + 23, 4, 4},
	{"queues", CORE + 31, 2, 2},
	{"enabled", CORE + 33, 1, 2},
	{"size", CORE + 34, 2, 3},
	{"large", CORE + 34, 2, 512},
	{"misaligned", CORE + 36, 8, DRV_QUEUE_BASE + 8},
	{"no memory", CORE + 44, 8, 1ull << 40},
	{"overlap", CORE + 52, 8, DRV_QUEUE_BASE},
	{"ahead", CORE + 60, 2, 100},
	{"own length", CORE + 66, 4, 3},
	{"own version", CORE + 70, 2, 2},
};

ParameterizedTestParameters(vdev_state, one_wrong_field_is_refused)
{
	return cr_make_param_array(struct lie, lies,
				   sizeof(lies) / sizeof(lies[0]));
}

ParameterizedTest(struct lie *lie, vdev_state, one_wrong_field_is_refused)
{
	struct vdev *fresh = make_rng(NULL);
	size_t bytes;

	start_rng(0);
	use_rng();
	bytes = state_save(&drv, state);
	cr_assert_eq(bytes, CORE + 72);
	cr_assert_neq(memcmp(state + lie->at, &lie->value, lie->bytes), 0);
	memcpy(state + lie->at, &lie->value, lie->bytes);
	cr_expect_eq(state_load(&drv, fresh, state, bytes), -EPROTO, "%s",
		     lie->what);
	drv_done(&drv);
}

Test(vdev_state, an_older_offer_stays_as_it_was)
{
	uint64_t offer = 1ull << 32 | EVENT;
	size_t bytes;

	start_rng(EVENT);
	bytes = state_save(&drv, state);
	memcpy(state + CORE + 6, &offer, sizeof(offer));
	cr_assert_eq(state_load(&drv, make_rng(NULL), state, bytes), 0);
	drv_set(&drv, VIRTIO_MMIO_DEVICE_FEATURES_SEL, 0);
	cr_expect_eq(drv_get(&drv, VIRTIO_MMIO_DEVICE_FEATURES), EVENT);
	drv_done(&drv);
}

/* Harness */

static void ignore_number(void *ctx, uint64_t value)
{
}

static void ignore_status(void *ctx, uint32_t value)
{
}

static void ignore_crash(void *ctx, const struct harness_crash *crash)
{
}

static void ignore_missing(void *ctx, const struct harness_missing *m,
			   uint32_t count)
{
}

static void ignore_text(void *ctx, const char *text, uint32_t bytes)
{
	++*(unsigned *)ctx;
}

static void ignore_oom(void *ctx, const struct harness_oom *oom)
{
}

static void ignore_off(void *ctx)
{
}

static unsigned texts;

static struct vdev *make_harness(void *arg)
{
	static const struct harness_config config = {
		.callbacks = {ignore_status, ignore_number, ignore_crash,
			      ignore_missing, ignore_text, ignore_oom,
			      ignore_off},
		.ctx = &texts,
	};
	struct vdev *vd;

	cr_assert_eq(harness_new(&config, &vd), 0);
	return vd;
}

static void report_text(void)
{
	const uint32_t report[3] = {HARNESS_REPORT_PANIC, 4, 0x706c6568};
	uint64_t at = DRV_DATA;

	memcpy(drv_at(&drv, at), report, sizeof(report));
	drv_write(&drv, 0x100 + HARNESS_REG_REPORT, &at, sizeof(at));
}

Test(vdev_state, a_harness_keeps_requests_and_its_count_of_reports)
{
	uint32_t pending = 0, size = 0;

	drv_attach(&drv, make_harness(NULL));
	for (unsigned i = 0; i < HARNESS_REPORTS_MAX - 1; i++)
		report_text();
	harness_request(drv.vd, HARNESS_REQ_TERM);
	harness_resize(drv.vd, 24, 80);
	state_move(&drv, make_harness(NULL));
	drv_read(&drv, 0x100 + HARNESS_REG_PENDING, &pending, 4);
	cr_expect_eq(pending, HARNESS_REQ_TERM | HARNESS_REQ_WINCH);
	drv_read(&drv, 0x100 + HARNESS_REG_TERMINAL, &size, 4);
	cr_expect_eq(size, 24u << 16 | 80);
	report_text();
	report_text();
	cr_expect_eq(texts, HARNESS_REPORTS_MAX);
	state_abuse(&drv, make_harness, NULL);
	drv_done(&drv);
}

/* Console */

static struct rig rig;

/** make_console() - one over the same streams, by fds of its own. */
static struct vdev *make_console(void *arg)
{
	struct console_config config = {.rows = 24, .cols = 80, .tty = true};
	uint32_t *kind = arg;
	struct vdev *vd;

	config.loop = rig.loop;
	for (unsigned i = 0; i < CONSOLE_PORTS; i++) {
		config.fd[i] =
			*kind == PLAN_STREAM_NONE ? -1 : dup(rig.guest[i]);
		config.kind[i] = *kind;
	}
	cr_assert_eq(console_new(&config, &vd), 0);
	return vd;
}

Test(vdev_state, a_console_goes_on_within_a_chain_that_is_half_written)
{
	static uint32_t kind = PLAN_STREAM_NONBLOCK;
	const size_t bytes = 300000; /* more than the pipe takes */
	uint8_t *got = malloc(bytes);
	uint8_t *data;

	rig_open(&rig, kind, MULTI);
	data = drv_at(&rig.drv, DRV_DATA);
	for (size_t i = 0; i < bytes; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8));
	drv_send(&rig.drv, RIG_OUT, DRV_DATA, (uint32_t)bytes, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_assert_eq(drv_used_count(&rig.drv, RIG_OUT), 0);
	cr_assert_eq(fd_read_all(rig.host[1], got, 50000), 0);
	state_move(&rig.drv, make_console(&kind));
	state_move(&rig.drv, make_console(&kind));
	cr_assert_eq(fd_read_all(rig.host[1], got + 50000, bytes - 50000), 0);
	cr_expect(rig_wait_used(&rig, RIG_OUT, 1));
	cr_expect_arr_eq(got, data, bytes);
	cr_expect(!drv_broken(&rig.drv));
	free(got);
	rig_done(&rig);
}

Test(vdev_state, a_console_fills_the_buffer_that_waited_for_stdin)
{
	static uint32_t kind = PLAN_STREAM_NONBLOCK;
	struct drv_used used;

	rig_open(&rig, kind, MULTI);
	drv_send(&rig.drv, RIG_IN, DRV_DATA, 64, WR);
	drv_kick(&rig.drv, RIG_IN);
	state_move(&rig.drv, make_console(&kind));
	cr_assert_eq(write(rig.host[0], "hello", 5), 5);
	cr_assert(rig_wait_used(&rig, RIG_IN, 1));
	cr_expect(drv_take(&rig.drv, RIG_IN, &used));
	cr_expect_eq(used.len, 5);
	cr_expect_arr_eq(drv_at(&rig.drv, DRV_DATA), "hello", 5);
	rig_done(&rig);
}

Test(vdev_state, a_console_tells_of_streams_that_are_gone_now)
{
	static uint32_t kind = PLAN_STREAM_NONBLOCK;
	static uint32_t none = PLAN_STREAM_NONE;
	size_t bytes;

	rig_open(&rig, kind, MULTI);
	bytes = state_save(&rig.drv, state);
	cr_assert_eq(state_load(&rig.drv, make_console(&none), state, bytes),
		     0);
	vdev_lock(rig.drv.vd);
	vdev_resume(rig.drv.vd);
	vdev_unlock(rig.drv.vd);
	cr_expect(rig_heard_close(&rig, 1));
	rig_done(&rig);
}

Test(vdev_state, damaged_states_of_a_console, .timeout = 100)
{
	static uint32_t none = PLAN_STREAM_NONE;

	rig_open(&rig, PLAN_STREAM_NONBLOCK, MULTI);
	state_abuse(&rig.drv, make_console, &none);
	rig_done(&rig);
}
