/* SPDX-License-Identifier: Apache-2.0 */
/* test_vsock_end.c - how a connection between guest and host ends, from either
 * side, in any order. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/vsock_rig.h"

#define RST  VIRTIO_VSOCK_OP_RST
#define RW   VIRTIO_VSOCK_OP_RW
#define SHUT VIRTIO_VSOCK_OP_SHUTDOWN
#define RCV  VIRTIO_VSOCK_SHUTDOWN_RCV
#define SEND VIRTIO_VSOCK_SHUTDOWN_SEND

static struct vrig rig;
static struct vrig_packet got;
static uint8_t data[VSOCK_BUFFER_BYTES];
static int fd;

static void set_up(void)
{
	vrig_start(&rig, true);
	fd = vrig_connect(&rig);
}

static void tear_down(void)
{
	close(fd);
	vrig_done(&rig);
}

TestSuite(vsock_end, .init = set_up, .fini = tear_down);

static ssize_t get(void)
{
	ssize_t n = read(fd, data, sizeof(data));

	return n < 0 ? -errno : n;
}

/* Fill the host's socket, so that the next bytes wait in the device. */
static size_t fill(void)
{
	size_t sent = 0;

	do {
		vrig_data(&rig, data, 16384);
		sent += 16384;
		cr_assert_lt(sent, 4u << 20);
	} while (vrig_hear(&rig, &got));
	return sent;
}

static size_t drain(void)
{
	size_t there = 0;
	ssize_t n;

	for (unsigned i = 0; i < 8; i++) {
		while ((n = get()) > 0)
			there += (size_t)n;
		vrig_turn(&rig);
	}
	return there;
}

Test(vsock_end, guest_closes)
{
	vrig_data(&rig, "last", 4);
	vrig_op(&rig, SHUT, RCV | SEND);
	cr_expect_eq(vrig_hear(&rig, &got), RST, "that is how it is confirmed");
	cr_expect_eq(get(), 4);
	cr_expect_eq(get(), 0);
	cr_expect_eq(send(fd, "x", 1, MSG_NOSIGNAL), -1);
}

Test(vsock_end, guest_sends_no_more)
{
	vrig_data(&rig, "last", 4);
	vrig_op(&rig, SHUT, SEND);
	cr_expect_eq(vrig_hear(&rig, &got), 0);
	cr_expect_eq(get(), 4);
	cr_expect_eq(get(), 0);
	cr_expect_eq(write(fd, "back", 4), 4);
	vrig_turn(&rig);
	cr_expect_eq(vrig_hear(&rig, &got), RW);
	cr_expect_eq(got.head.len, 4);
	vrig_data(&rig, "x", 1);
	cr_expect_eq(vrig_hear(&rig, &got), RST, "it said so");
}

Test(vsock_end, guest_reads_no_more)
{
	vrig_op(&rig, SHUT, RCV);
	cr_expect_eq(send(fd, "x", 1, MSG_NOSIGNAL), -1);
	cr_expect_eq(errno, EPIPE);
	vrig_data(&rig, "more", 4);
	cr_expect_eq(get(), 4);
	vrig_op(&rig, SHUT, SEND);
	cr_expect_eq(vrig_hear(&rig, &got), RST);
}

Test(vsock_end, guest_resets)
{
	vrig_op(&rig, RST, 0);
	cr_expect_eq(vrig_hear(&rig, &got), 0);
	cr_expect_eq(get(), 0);
}

Test(vsock_end, host_sends_no_more)
{
	cr_assert_eq(write(fd, "last", 4), 4);
	cr_assert_eq(shutdown(fd, SHUT_WR), 0);
	vrig_turn(&rig);
	cr_expect_eq(vrig_hear(&rig, &got), RW, "first the bytes");
	cr_assert_eq(vrig_hear(&rig, &got), SHUT);
	cr_expect_eq(got.head.flags, SEND);
	vrig_data(&rig, "more", 4);
	cr_expect_eq(get(), 4);
	vrig_ticks(&rig, 100);
	cr_expect_eq(vrig_hear(&rig, &got), 0, "half of it may stay for ever");
}

Test(vsock_end, host_closes)
{
	cr_assert_eq(write(fd, "last", 4), 4);
	close(fd);
	vrig_turn(&rig);
	uint32_t flags = 0;
	bool data_there = false;

	while (vrig_hear(&rig, &got)) {
		data_there |= got.head.op == RW;
		if (got.head.op == SHUT)
			flags = got.head.flags;
		if (got.head.op == SHUT && (flags & SEND))
			cr_expect(data_there, "first the bytes");
	}
	cr_expect_eq(flags, (uint32_t)(RCV | SEND));
	vrig_op(&rig, RST, 0); /* as it should */
	vrig_ticks(&rig, 100);
	cr_expect_eq(vrig_hear(&rig, &got), 0);
	fd = -1;
}

Test(vsock_end, guest_that_does_not_confirm_is_reset)
{
	close(fd);
	fd = -1;
	vrig_turn(&rig);
	while (vrig_hear(&rig, &got))
		cr_expect_eq(got.head.op, SHUT);
	vrig_ticks(&rig, 8);
	cr_expect_eq(vrig_hear(&rig, &got), RST);
}

Test(vsock_end, host_closes_with_bytes_unread)
{
	vrig_data(&rig, "unread", 6);
	close(fd);
	fd = -1;
	vrig_turn(&rig);
	cr_assert(vrig_hear(&rig, &got) != 0);
	cr_expect(got.head.op == RST || got.head.op == SHUT);
	vrig_data(&rig, "more", 4);
	cr_expect(!drv_broken(&rig.drv));
}

Test(vsock_end, what_waits_goes_out_before_the_end)
{
	size_t sent = fill();

	vrig_op(&rig, SHUT, RCV | SEND);
	cr_expect_eq(vrig_hear(&rig, &got), 0, "not yet");
	cr_expect_eq(drain(), sent);
	cr_expect_eq(get(), 0);
	while (vrig_hear(&rig, &got) && got.head.op != RST)
		cr_expect_eq(got.head.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	cr_expect_eq(got.head.op, RST);
}

Test(vsock_end, what_waits_goes_out_though_the_guest_forgot)
{
	size_t sent = fill();

	vrig_op(&rig, SHUT, RCV | SEND);
	vrig_op(&rig, RST, 0);
	/* The same ports again: another connection. */
	int other, first = fd;

	other = vrig_connect(&rig);
	vrig_data(&rig, "other", 5);
	cr_expect_eq(drain(), sent);
	cr_expect_eq(get(), 0);
	fd = other;
	cr_expect_eq(get(), 5);
	close(first);
}

Test(vsock_end, what_waits_is_lost_by_a_reset)
{
	size_t sent = fill();

	vrig_op(&rig, RST, 0);
	cr_expect_lt(drain(), sent);
	cr_expect_eq(get(), 0);
}

Test(vsock_end, half_an_end_follows_what_waits)
{
	size_t sent = fill();

	vrig_op(&rig, SHUT, SEND);
	cr_expect_eq(drain(), sent);
	cr_expect_eq(get(), 0);
	cr_assert_eq(write(fd, "back", 4), 4);
	vrig_turn(&rig);
	while (vrig_hear(&rig, &got) && got.head.op != RW)
		;
	cr_expect_eq(got.head.op, RW);
}

Test(vsock_end, host_that_is_gone_takes_what_waits)
{
	(void)fill();
	close(fd);
	fd = -1;
	vrig_turn(&rig);
	vrig_op(&rig, SHUT, RCV | SEND);
	while (vrig_hear(&rig, &got) && got.head.op != RST)
		;
	cr_expect_eq(got.head.op, RST);
}

Test(vsock_end, reset_of_the_device_closes_all)
{
	int client = vrig_dial(&rig, &got);
	char c;

	drv_set(&rig.drv, 0x070, 0);
	vrig_turn(&rig);
	cr_expect_eq(get(), 0);
	cr_expect_eq(read(client, &c, 1), 0);
	close(client);
}

Test(vsock_end, nothing_is_left_of_many)
{
	for (unsigned i = 0; i < 20 * VRIG_CONNS; i++) {
		int other = fd;

		switch (i % 4) {
		case 0:
			vrig_op(&rig, RST, 0);
			break;
		case 1:
			vrig_op(&rig, SHUT, RCV | SEND);
			break;
		case 2:
			close(fd);
			fd = -1;
			vrig_turn(&rig);
			vrig_op(&rig, RST, 0);
			break;
		default:
			shutdown(fd, SHUT_WR);
			vrig_turn(&rig);
			vrig_op(&rig, SHUT, SEND);
			vrig_op(&rig, SHUT, RCV);
		}
		while (vrig_hear(&rig, &got))
			;
		if (fd >= 0)
			close(other);
		fd = vrig_connect(&rig);
	}
	vrig_data(&rig, "last", 4);
	cr_expect_eq(get(), 4);
}
