/* SPDX-License-Identifier: Apache-2.0 */
/* test_console_control.c - what driver and device tell each other: ports,
 * their ends, the size of the terminal. */
#include <criterion/criterion.h>
#include <linux/virtio_mmio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/console_rig.h"

#define MULTI (1ull << VIRTIO_CONSOLE_F_MULTIPORT)
#define FULL  (MULTI | 1ull << VIRTIO_CONSOLE_F_SIZE)

static struct rig rig;

static void start(uint32_t kind, uint64_t features)
{
	rig_open(&rig, kind, features);
}

Test(console_control, introduces_its_ports)
{
	static const struct {
		uint16_t event;
		const char *rest;
	} news[] = {{VIRTIO_CONSOLE_PORT_NAME, "stdin"},
		    {VIRTIO_CONSOLE_RESIZE, "\x50\0\x18"},
		    {VIRTIO_CONSOLE_PORT_OPEN, ""}};
	const uint32_t kinds[] = {PLAN_STREAM_NONBLOCK, PLAN_STREAM_NONBLOCK,
				  PLAN_STREAM_NONE};
	struct virtio_console_control msg;
	char rest[64];

	rig_pipes(&rig, PLAN_STREAM_NONBLOCK);
	rig_start(&rig, kinds, FULL);
	rig_say(&rig, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	rig_post_control(&rig, 10);
	for (uint32_t id = 0; id < 3; id++) {
		cr_assert_eq(rig_hear(&rig, &msg, rest), 8);
		cr_expect_eq(msg.event, VIRTIO_CONSOLE_PORT_ADD);
		cr_expect_eq(msg.id, id);
	}
	cr_expect_eq(rig_hear(&rig, &msg, rest), 0);
	rig_say(&rig, 0, VIRTIO_CONSOLE_PORT_READY, 1);
	for (unsigned i = 0; i < 3; i++) {
		cr_assert_geq(rig_hear(&rig, &msg, rest), 8);
		cr_expect_eq(msg.event, news[i].event);
		cr_expect_str_eq(rest, i == 1 ? "P" : news[i].rest);
	}
	cr_expect_eq(msg.value, 1);
	rig_say(&rig, 2, VIRTIO_CONSOLE_PORT_READY, 1);
	cr_assert_eq(rig_hear(&rig, &msg, rest), 14);
	cr_expect_str_eq(rest, "stderr");
	cr_assert_eq(rig_hear(&rig, &msg, rest), 8);
	cr_expect_eq(msg.event, VIRTIO_CONSOLE_PORT_OPEN);
	cr_expect_eq(msg.value, 0, "nobody there from the start");
	rig_done(&rig);
}

Test(console_control, keeps_news_until_there_is_a_buffer)
{
	struct virtio_console_control msg;
	char rest[64];

	start(PLAN_STREAM_NONBLOCK, FULL);
	while (drv_used_count(&rig.drv, RIG_CONTROL_IN))
		rig_hear(&rig, &msg, rest);
	for (unsigned i = 0; i < 10000; i++) /* spam does not pile up */
		rig_say(&rig, i % 3, VIRTIO_CONSOLE_PORT_READY, 1);
	rig_post_control(&rig, 64);
	for (unsigned n = 0; rig_hear(&rig, &msg, rest); n++)
		cr_assert_lt(n, 64);
	cr_expect(!drv_broken(&rig.drv));
	rig_done(&rig);
}

Test(console_control, ignores_messages_about_nothing)
{
	start(PLAN_STREAM_NONBLOCK, FULL);
	rig_say(&rig, 3, VIRTIO_CONSOLE_PORT_READY, 1);
	rig_say(&rig, UINT32_MAX, VIRTIO_CONSOLE_PORT_READY, 1);
	rig_say(&rig, 0, 0xffff, 1);
	rig_say(&rig, 0, VIRTIO_CONSOLE_PORT_OPEN, 0);
	rig_say(&rig, 0, VIRTIO_CONSOLE_PORT_READY, 0);
	cr_expect_eq(drv_used_count(&rig.drv, RIG_CONTROL_IN), 0);
	cr_expect(!drv_broken(&rig.drv));
	rig_done(&rig);
}

Test(console_control, tells_a_new_terminal_size)
{
	struct virtio_console_control msg;
	char rest[64];
	uint16_t size[2];

	start(PLAN_STREAM_NONBLOCK, FULL);
	console_resize(rig.drv.vd, 50, 132);
	cr_assert_eq(rig_hear(&rig, &msg, rest), 12);
	cr_expect_eq(msg.event, VIRTIO_CONSOLE_RESIZE);
	memcpy(size, rest, sizeof(size));
	cr_expect_eq(size[0], 132);
	cr_expect_eq(size[1], 50);
	drv_read(&rig.drv, 0x100, size, 4);
	cr_expect_eq(size[0], 132);
	cr_expect_eq(drv_get(&rig.drv, 0x104), CONSOLE_PORTS);
	rig_done(&rig);
}

Test(console_control, spares_the_introductions_to_who_knows_the_ports)
{
	const uint32_t kinds[] = {PLAN_STREAM_NONBLOCK, PLAN_STREAM_NONBLOCK,
				  PLAN_STREAM_NONE};
	struct virtio_console_control msg;
	char rest[64];

	rig_pipes(&rig, PLAN_STREAM_NONBLOCK);
	rig_start(&rig, kinds, FULL);
	rig_post_control(&rig, 16);
	for (uint32_t id = 0; id < CONSOLE_PORTS; id++)
		rig_say(&rig, id, VIRTIO_CONSOLE_PORT_READY, 1);
	cr_assert_eq(rig_hear(&rig, &msg, rest), 8);
	cr_expect_eq(msg.event, VIRTIO_CONSOLE_PORT_OPEN);
	cr_expect_eq(msg.id, 2);
	cr_expect_eq(msg.value, 0, "closed is news to everyone");
	cr_expect_eq(rig_hear(&rig, &msg, rest), 0);
	console_resize(rig.drv.vd, 1, 2);
	cr_expect_eq(rig_hear(&rig, &msg, rest), 12, "so is a new size");
	rig_done(&rig);
}

Test(console_control, forgets_the_handshake_on_reset)
{
	struct virtio_console_control msg;
	char rest[64];

	start(PLAN_STREAM_NONBLOCK, FULL);
	drv_start(&rig.drv, FULL, RIG_SIZE);
	rig_post_control(&rig, 16);
	close(rig.host[1]);
	rig.host[1] = -1;
	drv_send(&rig.drv, RIG_OUT, DRV_DATA, 1, 0);
	drv_kick(&rig.drv, RIG_OUT);
	cr_expect_eq(drv_used_count(&rig.drv, RIG_OUT), 1);
	cr_expect_eq(rig_hear(&rig, &msg, rest), 0, "nobody is there yet");
	rig_say(&rig, 1, VIRTIO_CONSOLE_PORT_READY, 1);
	cr_assert_eq(rig_hear(&rig, &msg, rest), 8);
	cr_expect_eq(msg.value, 0);
	rig_done(&rig);
}
