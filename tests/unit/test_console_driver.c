/* SPDX-License-Identifier: Apache-2.0 */
/* test_console_driver.c - drivers that stop, restart, or are plainer or worse
 * than the console expects. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <linux/virtio_mmio.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/console_rig.h"

#define MULTI (1ull << VIRTIO_CONSOLE_F_MULTIPORT)
#define FULL  (MULTI | 1ull << VIRTIO_CONSOLE_F_SIZE)
#define WR    VRING_DESC_F_WRITE

static struct rig rig;

static void start(uint32_t kind, uint64_t features)
{
	rig_open(&rig, kind, features);
}

static void *guest(uint64_t gpa)
{
	return drv_at(&rig.drv, gpa);
}

Test(console_driver, works_without_multiport)
{
	char buf[8] = {0};

	start(PLAN_STREAM_NONBLOCK, 0);
	memcpy(guest(DRV_DATA), "plain", 5);
	drv_send(&rig.drv, 1, DRV_DATA, 5, 0);
	drv_kick(&rig.drv, 1);
	cr_expect_eq(read(rig.host[1], buf, sizeof(buf)), 5);
	cr_expect_str_eq(buf, "plain");
	drv_send(&rig.drv, RIG_OUT, DRV_DATA, 5, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_expect_eq(drv_used_count(&rig.drv, RIG_OUT), 0, "no such queue");
	console_resize(rig.drv.vd, 1, 2);
	cr_expect_eq(drv_get(&rig.drv, VIRTIO_MMIO_INTERRUPT_STATUS) & 2, 2);
	rig_done(&rig);
}

Test(console_driver, drops_bytes_for_the_input_port)
{
	start(PLAN_STREAM_NONBLOCK, FULL);
	drv_send(&rig.drv, 1, DRV_DATA, 5, 0);
	drv_kick(&rig.drv, 1);
	cr_expect_eq(drv_used_count(&rig.drv, 1), 1);
	cr_expect_eq(console_usage(rig.drv.vd).bytes_out, 0);
	rig_done(&rig);
}

Test(console_driver, is_reset_in_the_middle_of_a_request)
{
	char buf[4096];
	struct pollfd quiet;

	start(PLAN_STREAM_NONBLOCK, FULL);
	drv_send(&rig.drv, RIG_IN, DRV_DATA, 16, WR);
	drv_kick(&rig.drv, RIG_IN);
	drv_send(&rig.drv, RIG_OUT, DRV_DATA, 1 << 20, 0);
	drv_kick(&rig.drv, RIG_OUT);
	drv_set(&rig.drv, VIRTIO_MMIO_STATUS, 0);
	memset(guest(DRV_QUEUE_BASE), 0xff, 8 * DRV_QUEUE_STRIDE);
	cr_assert_eq(write(rig.host[0], "x", 1), 1);
	do { /* what was in the pipe already; nothing may follow */
		quiet = (struct pollfd){.fd = rig.host[1], .events = POLLIN};
		cr_assert_geq(poll(&quiet, 1, 100), 0);
	} while (quiet.revents && read(rig.host[1], buf, sizeof(buf)) > 0);
	cr_expect_eq(*(uint16_t *)guest(DRV_QUEUE_BASE + DRV_USED + 2), 0xffff,
		     "no ring is touched after reset");
	drv_start(&rig.drv, FULL, RIG_SIZE);
	drv_send(&rig.drv, RIG_IN, DRV_DATA, 16, WR);
	drv_kick(&rig.drv, RIG_IN);
	cr_expect_eq(drv_used_count(&rig.drv, RIG_IN), 1, "no byte was lost");
	rig_done(&rig);
}

Test(console_driver, gives_back_the_buffer_of_a_stopped_queue)
{
	struct drv_used used;

	start(PLAN_STREAM_NONBLOCK, FULL);
	drv_send(&rig.drv, RIG_IN, DRV_DATA, 16, WR);
	drv_kick(&rig.drv, RIG_IN);
	drv_set(&rig.drv, VIRTIO_MMIO_QUEUE_SEL, RIG_IN);
	drv_set(&rig.drv, VIRTIO_MMIO_QUEUE_READY, 0);
	cr_assert_eq(write(rig.host[0], "keep", 4), 4);
	drv_queue(&rig.drv, RIG_IN, RIG_SIZE);
	drv_send(&rig.drv, RIG_IN, DRV_DATA + 4096, 16, WR);
	drv_kick(&rig.drv, RIG_IN);
	cr_assert(rig_wait_used(&rig, RIG_IN, 1));
	cr_assert(drv_take(&rig.drv, RIG_IN, &used));
	cr_expect(!memcmp(guest(DRV_DATA + 4096), "keep", 4));
	cr_expect_eq(*(uint8_t *)guest(DRV_DATA), 0, "the old page is safe");
	rig_done(&rig);
}

Test(console_driver, keeps_input_for_a_port_that_is_not_open)
{
	struct drv_used used;

	start(PLAN_STREAM_NONBLOCK, FULL);
	rig_say(&rig, 0, VIRTIO_CONSOLE_PORT_OPEN, 0);
	cr_assert_eq(write(rig.host[0], "keep", 4), 4);
	drv_send(&rig.drv, RIG_IN, DRV_DATA, 16, WR);
	drv_kick(&rig.drv, RIG_IN);
	cr_expect_eq(drv_used_count(&rig.drv, RIG_IN), 0);
	rig_say(&rig, 0, VIRTIO_CONSOLE_PORT_OPEN, 1);
	cr_assert(rig_wait_used(&rig, RIG_IN, 1));
	cr_assert(drv_take(&rig.drv, RIG_IN, &used));
	cr_expect_eq(used.len, 4);
	cr_expect(!memcmp(guest(DRV_DATA), "keep", 4));
	rig_done(&rig);
}

static void count_call(void *ctx)
{
	++*(int *)ctx;
}

Test(console_driver, tells_when_all_output_is_out)
{
	const uint32_t bytes = 1u << 20; /* more than a pipe holds */
	static char sink[1u << 20];
	int calls = 0;

	start(PLAN_STREAM_NONBLOCK, FULL);
	cr_expect(console_drain(rig.drv.vd, count_call, &calls),
		  "nothing is due");
	for (int i = 0; i < 16; i++)
		drv_send(&rig.drv, RIG_OUT, DRV_DATA, bytes / 16, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_expect(!console_drain(rig.drv.vd, count_call, &calls));
	cr_expect_eq(calls, 0);
	for (uint32_t got = 0; got < bytes;) {
		ssize_t n = read(rig.host[1], sink, sizeof(sink));

		cr_assert_gt(n, 0);
		got += (uint32_t)n;
	}
	cr_assert(rig_wait_used(&rig, RIG_OUT, 16));
	vdev_lock(rig.drv.vd);
	cr_expect_eq(calls, 1);
	vdev_unlock(rig.drv.vd);
	rig_done(&rig);
}

struct bad_chain {
	const char *what;
	unsigned queue;
	uint32_t len;
	uint16_t flags;
};

static const struct bad_chain bad_chains[] = {
	{"writable buffer to stdout", RIG_OUT, 16, WR},
	{"writable buffer to stderr", RIG_ERR, 16, WR},
	{"readable buffer for stdin", RIG_IN, 16, 0},
	{"writable control message", RIG_CONTROL_OUT, 8, WR},
	{"control message of 7 bytes", RIG_CONTROL_OUT, 7, 0},
	{"readable control buffer", RIG_CONTROL_IN, 64, 0},
	{"control buffer of 7 bytes", RIG_CONTROL_IN, 7, WR},
};

ParameterizedTestParameters(console_driver, breaks_on_a_bad_chain)
{
	static unsigned index[sizeof(bad_chains) / sizeof(bad_chains[0])];

	for (unsigned i = 0; i < sizeof(index) / sizeof(index[0]); i++)
		index[i] = i;
	return cr_make_param_array(unsigned, index,
				   sizeof(index) / sizeof(index[0]));
}

ParameterizedTest(unsigned *index, console_driver, breaks_on_a_bad_chain)
{
	const struct bad_chain *b = &bad_chains[*index];
	const uint32_t kinds[] = {PLAN_STREAM_NONBLOCK, PLAN_STREAM_NONBLOCK,
				  PLAN_STREAM_NONBLOCK};

	rig_pipes(&rig, PLAN_STREAM_NONBLOCK);
	rig_start(&rig, kinds, FULL);
	cr_assert_eq(write(rig.host[0], "secret", 6), 6);
	drv_send(&rig.drv, b->queue, DRV_DATA, b->len, b->flags);
	drv_kick(&rig.drv, b->queue);
	if (b->queue == RIG_CONTROL_IN) /* it is needed for an answer only */
		rig_say(&rig, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	cr_expect(drv_broken(&rig.drv), "%s", b->what);
	cr_expect_eq(drv_used_count(&rig.drv, b->queue), 0, "%s", b->what);
	cr_expect_eq(*(uint8_t *)guest(DRV_DATA), 0, "%s", b->what);
	rig_done(&rig);
}
