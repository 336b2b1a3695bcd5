/* SPDX-License-Identifier: Apache-2.0 */
/* test_vsock.c - sockets between guest and host: connections, bytes, credit,
 * and what a hostile guest or helper gets. How they end: test_vsock_end.c. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/state_rig.h"
#include "tests/unit/vsock_rig.h"

#define RW       VIRTIO_VSOCK_OP_RW
#define RST      VIRTIO_VSOCK_OP_RST
#define REQUEST  VIRTIO_VSOCK_OP_REQUEST
#define RESPONSE VIRTIO_VSOCK_OP_RESPONSE
#define UPDATE   VIRTIO_VSOCK_OP_CREDIT_UPDATE

static struct vrig rig;
static struct vrig_packet got;
static uint8_t data[VSOCK_BUFFER_BYTES + 1];

static void set_up(void)
{
	vrig_start(&rig, true);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
}

static void tear_down(void)
{
	vrig_done(&rig);
}

TestSuite(vsock, .init = set_up, .fini = tear_down);

/* The host's end reads exactly @bytes, as far as there are. */
static size_t read_some(int fd, uint8_t *dst, size_t bytes)
{
	size_t done = 0;
	ssize_t n;

	while (done < bytes && (n = read(fd, dst + done, bytes - done)) > 0)
		done += (size_t)n;
	return done;
}

static bool is_closed(int fd)
{
	char c;

	return read(fd, &c, 1) == 0;
}

Test(vsock, tells_its_cid)
{
	cr_expect_eq(drv_get(&rig.drv, 0x100), VRIG_CID);
	cr_expect_eq(drv_get(&rig.drv, 0x104), 0);
}

Test(vsock, guest_connects)
{
	uint8_t buf[16];
	int fd = vrig_connect(&rig);

	cr_expect_eq(got.head.src_port, 0);
	vrig_data(&rig, "question", 8);
	cr_assert_eq(read_some(fd, buf, 16), 8);
	cr_expect(!memcmp(buf, "question", 8));
	cr_assert_eq(write(fd, "answer", 6), 6);
	vrig_turn(&rig);
	cr_assert_eq(vrig_hear(&rig, &got), RW);
	cr_expect_eq(got.head.len, 6);
	cr_expect(!memcmp(got.data, "answer", 6));
	cr_expect_eq(got.head.src_cid, 2);
	cr_expect_eq(got.head.dst_cid, VRIG_CID);
	cr_expect_eq(got.head.src_port, VRIG_HOST);
	cr_expect_eq(got.head.dst_port, VRIG_PORT);
	cr_expect_eq(got.head.fwd_cnt, 8);
	cr_expect_eq(got.head.buf_alloc, VSOCK_BUFFER_BYTES);
	close(fd);
}

Test(vsock, bytes_that_wait_in_the_fd_follow_the_response)
{
	struct vsock_message m;
	int fd[2];

	vrig_op(&rig, REQUEST, 0);
	cr_assert(vrig_asked(&rig, &m));
	cr_assert_eq(pipe2(fd, O_NONBLOCK), 0); /* what can be read will do */
	cr_assert_eq(write(fd[1], "early", 5), 5);
	vrig_answer(&rig, VSOCK_CONNECTED, m.id, 0, fd[0]);
	cr_expect_eq(vrig_hear(&rig, &got), RESPONSE);
	cr_expect_eq(vrig_hear(&rig, &got), RW);
	close(fd[1]);
}

Test(vsock, refused_is_reset)
{
	struct vsock_message m;

	vrig_op(&rig, REQUEST, 0);
	cr_assert(vrig_asked(&rig, &m));
	vrig_answer(&rig, VSOCK_REFUSED, m.id, 0, -1);
	cr_expect_eq(vrig_hear(&rig, &got), RST);
	/* Once more, by a message without the fd that it should have. */
	vrig_op(&rig, REQUEST, 0);
	cr_assert(vrig_asked(&rig, &m));
	vrig_answer(&rig, VSOCK_CONNECTED, m.id, 0, -1);
	cr_expect_eq(vrig_hear(&rig, &got), RST);
}

Test(vsock, without_a_helper_everything_is_reset)
{
	int fd = vrig_connect(&rig);
	struct virtio_vsock_hdr other = vrig_header(&rig, REQUEST);
	uint8_t buf[4];

	other.src_port++;
	vrig_send(&rig, &other, NULL, 0);
	vrig_abandon(&rig);
	cr_expect_eq(vrig_hear(&rig, &got), RST, "that was on its way");
	cr_expect_eq(got.head.dst_port, VRIG_PORT + 1);
	vrig_send(&rig, &other, NULL, 0);
	cr_expect_eq(vrig_hear(&rig, &got), RST, "a new one");
	vrig_data(&rig, "on", 2);
	cr_expect_eq(read_some(fd, buf, 2), 2, "an old one goes on");
	close(fd);
}

Test(vsock, host_connects)
{
	int fd = vrig_dial(&rig, &got);
	uint32_t port = got.head.src_port;
	struct virtio_vsock_hdr answer = vrig_header(&rig, RESPONSE);
	char line[32] = "", want[32];

	cr_expect_geq(port, 1u << 30);
	cr_expect_eq(got.head.dst_port, VRIG_PORT);
	cr_expect_eq(read(fd, line, 1), -1, "too early");
	answer.dst_port = port;
	vrig_send(&rig, &answer, NULL, 0);
	cr_assert_gt(read_some(fd, (uint8_t *)line, 31), 0);
	(void)snprintf(want, sizeof(want), "OK %u\n", port);
	cr_expect_str_eq(line, want);
	close(fd);
}

Test(vsock, guest_turns_a_client_away)
{
	int fd = vrig_dial(&rig, &got);
	struct virtio_vsock_hdr no = vrig_header(&rig, RST);

	no.dst_port = got.head.src_port;
	vrig_send(&rig, &no, NULL, 0);
	cr_expect(is_closed(fd));
	close(fd);
}

Test(vsock, guest_that_does_not_answer_is_given_up)
{
	int fd = vrig_dial(&rig, &got);
	char c;

	vrig_ticks(&rig, 7);
	cr_expect_eq(read(fd, &c, 1), -1);
	vrig_ticks(&rig, 1);
	cr_expect(is_closed(fd));
	cr_expect_eq(vrig_hear(&rig, &got), RST);
	close(fd);
}

Test(vsock, helper_that_does_not_answer_is_given_up)
{
	struct vsock_message m;

	vrig_op(&rig, REQUEST, 0);
	cr_assert(vrig_asked(&rig, &m));
	vrig_ticks(&rig, 40);
	cr_expect_eq(vrig_hear(&rig, &got), RST);
	/* Too late; nobody keeps the fd. */
	int fd[2];

	cr_assert_eq(pipe(fd), 0);
	vrig_answer(&rig, VSOCK_CONNECTED, m.id, 0, fd[1]);
	cr_expect(is_closed(fd[0]));
	cr_expect_eq(vrig_hear(&rig, &got), 0);
	close(fd[0]);
}

Test(vsock, holds_what_the_host_does_not_take_up_to_its_promise)
{
	static uint8_t buf[16 * sizeof(data)];
	int fd = vrig_connect(&rig);
	size_t sent = 0, there;

	/* Fill the host's socket, then the device. */
	while (vrig_hear(&rig, &got) || sent < 2 * VSOCK_BUFFER_BYTES) {
		cr_assert_neq(got.head.op, RST);
		vrig_data(&rig, data, 16384);
		sent += 16384;
		if (got.head.op == UPDATE && got.head.fwd_cnt + 65536 <= sent)
			break;
		cr_assert_lt(sent, sizeof(buf));
	}
	there = read_some(fd, buf, sizeof(buf));
	vrig_turn(&rig);
	there += read_some(fd, buf + there, sizeof(buf) - there);
	cr_expect_eq(there, sent);
	for (size_t i = 0; i < there; i += 16384)
		cr_expect(!memcmp(buf + i, data, 16384), "at %zu", i);
	while (vrig_hear(&rig, &got))
		cr_expect_eq(got.head.op, UPDATE);
	cr_expect_eq(got.head.fwd_cnt, sent, "told when it was taken");
	close(fd);
}

Test(vsock, more_than_was_promised_is_reset)
{
	int fd = vrig_connect(&rig);
	unsigned n = 0;

	/* The promise holds for 64 KiB that are not taken. */
	while (!vrig_hear(&rig, &got) || got.head.op != RST) {
		vrig_data(&rig, data, VSOCK_BUFFER_BYTES);
		cr_assert_lt(n++, 64u);
	}
	cr_expect_gt(n, 1u);
	cr_expect(!drv_broken(&rig.drv));
	close(fd);
}

Test(vsock, one_packet_larger_than_all_room_is_reset)
{
	int fd = vrig_connect(&rig);

	vrig_data(&rig, data, sizeof(data));
	cr_expect_eq(vrig_hear(&rig, &got), RST);
	cr_expect(is_closed(fd));
	close(fd);
}

Test(vsock, sends_no_more_than_the_guest_has_room_for)
{
	int fd;

	rig.alloc = 10;
	fd = vrig_connect(&rig);
	cr_assert_eq(write(fd, data, 25), 25);
	vrig_turn(&rig);
	cr_assert_eq(vrig_hear(&rig, &got), RW);
	cr_expect_eq(got.head.len, 10);
	cr_assert_eq(vrig_hear(&rig, &got), VIRTIO_VSOCK_OP_CREDIT_REQUEST);
	cr_expect_eq(vrig_hear(&rig, &got), 0, "asked once");
	rig.forwarded = 4;
	vrig_op(&rig, UPDATE, 0);
	cr_assert_eq(vrig_hear(&rig, &got), RW);
	cr_expect_eq(got.head.len, 4);
	cr_expect(!memcmp(got.data, data + 10, 4));
	rig.forwarded = 14;
	rig.alloc = 100;
	vrig_op(&rig, UPDATE, 0);
	while (vrig_hear(&rig, &got) != RW)
		cr_assert_eq(got.head.op, VIRTIO_VSOCK_OP_CREDIT_REQUEST);
	cr_expect_eq(got.head.len, 11);
	close(fd);
}

Test(vsock, nonsense_credit_is_none)
{
	int fd = vrig_connect(&rig);

	rig.forwarded = 5000; /* of bytes that were never sent */
	rig.alloc = 100;
	vrig_op(&rig, UPDATE, 0);
	cr_assert_eq(write(fd, data, 25), 25);
	vrig_turn(&rig);
	while (vrig_hear(&rig, &got))
		cr_expect_neq(got.head.op, RW);
	close(fd);
}

Test(vsock, tells_credit_when_asked)
{
	int fd = vrig_connect(&rig);

	vrig_data(&rig, data, 100);
	cr_expect_eq(vrig_hear(&rig, &got), 0, "too little to be told");
	vrig_op(&rig, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	cr_assert_eq(vrig_hear(&rig, &got), UPDATE);
	cr_expect_eq(got.head.fwd_cnt, 100);
	close(fd);
}

Test(vsock, connections_are_bounded)
{
	struct virtio_vsock_hdr head = vrig_header(&rig, REQUEST);
	int fd[2];

	for (unsigned i = 0; i < VRIG_CONNS; i++, head.src_port++)
		vrig_send(&rig, &head, NULL, 0);
	cr_expect_eq(vrig_hear(&rig, &got), 0);
	vrig_send(&rig, &head, NULL, 0);
	cr_expect_eq(vrig_hear(&rig, &got), RST, "one too many");
	cr_assert_eq(pipe(fd), 0);
	vrig_answer(&rig, VSOCK_INCOMING, 0, 5, fd[1]);
	cr_expect(is_closed(fd[0]), "a client too many");
	close(fd[0]);
	head.op = RST;
	head.src_port = VRIG_PORT;
	vrig_send(&rig, &head, NULL, 0);
	head.op = REQUEST;
	vrig_send(&rig, &head, NULL, 0);
	cr_expect_eq(vrig_hear(&rig, &got), 0, "there is room again");
}

Test(vsock, answers_to_strays_are_bounded)
{
	struct virtio_vsock_hdr head = vrig_header(&rig, RW);
	unsigned taken = 0, heard = 0;
	struct drv_used used;

	/* No receive buffers: the transmit queue stands still in the end. */
	drv_set(&rig.drv, 0x070, 0);
	vrig_done(&rig);
	vrig_start(&rig, false);
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 0; i < 32; i++, head.src_port++)
			vrig_put(&rig, &head, NULL, 0);
		drv_kick(&rig.drv, 1);
		vrig_turn(&rig);
		while (drv_take(&rig.drv, 1, &used))
			taken++;
		if (taken < 32 * (round + 1))
			break;
	}
	cr_expect_lt(taken, 100u);
	vrig_post(&rig, VRIG_RX);
	for (unsigned i = 0; i < 8; i++) {
		vrig_turn(&rig);
		while (vrig_hear(&rig, &got)) {
			cr_expect_eq(got.head.op, RST);
			heard++;
		}
	}
	cr_expect_geq(heard, taken);
	cr_expect_eq(heard % 32, 0u, "each has its answer");
}

Test(vsock, header_in_pieces)
{
	struct virtio_vsock_hdr head = vrig_header(&rig, REQUEST);
	const uint64_t at = DRV_DATA + 0x180000;
	struct vsock_message m;

	memcpy(drv_at(&rig.drv, at), &head, 3);
	memcpy(drv_at(&rig.drv, at + 4096), (uint8_t *)&head + 3, 41);
	drv_put(&rig.drv, 1, 0,
		(struct vring_desc){at, 3, VRING_DESC_F_NEXT, 1});
	drv_put(&rig.drv, 1, 1, (struct vring_desc){at + 4096, 41, 0, 0});
	drv_offer(&rig.drv, 1, 0);
	drv_kick(&rig.drv, 1);
	cr_expect(vrig_asked(&rig, &m));
	cr_expect_eq(m.port, VRIG_HOST);
}

Test(vsock, buffers_in_pieces)
{
	const uint64_t at = DRV_DATA + 0x180000;
	struct drv_used used;
	int fd;

	vrig_done(&rig);
	vrig_start(&rig, false);
	/* RESPONSE in one, data in the next: 40 + 3 + 7 bytes. */
	vrig_post(&rig, 1);
	fd = vrig_connect(&rig);
	cr_assert(drv_used_count(&rig.drv, 0) == 0);
	drv_put(&rig.drv, 0, 10,
		(struct vring_desc){
			at, 40, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 11});
	drv_put(&rig.drv, 0, 11,
		(struct vring_desc){at + 4096, 7,
				    VRING_DESC_F_WRITE | VRING_DESC_F_NEXT,
				    12});
	drv_put(&rig.drv, 0, 12,
		(struct vring_desc){at + 8192, 7, VRING_DESC_F_WRITE, 0});
	/* vrig_connect() gave its buffer back: that one comes first. */
	drv_offer(&rig.drv, 0, 10);
	cr_assert_eq(write(fd, data, 4052 + 10), 4052 + 10);
	vrig_turn(&rig);
	cr_assert(drv_take(&rig.drv, 0, &used));
	cr_expect_eq(used.len, 4096);
	cr_assert(drv_take(&rig.drv, 0, &used));
	cr_expect_eq(used.len, 44 + 10);
	cr_expect(!memcmp(drv_at(&rig.drv, at + 4096 + 4), data + 4052, 3));
	cr_expect(!memcmp(drv_at(&rig.drv, at + 8192), data + 4055, 7));
	close(fd);
}

/* Anything goes in what a guest says of itself. */
struct hostile {
	const char *what;
	uint64_t src_cid, dst_cid;
	uint16_t type, op;
	bool on_open; /* to a connection that is there */
	uint16_t answer;
};

ParameterizedTestParameters(vsock, wrong_packets)
{
	static struct hostile all[] = {
		{"another's address", 5, 2, 1, REQUEST, false, RST},
		{"to another guest", VRIG_CID, 78, 1, REQUEST, false, RST},
		{"a CID of 64 bits", VRIG_CID, 2 + (1ull << 32), 1, REQUEST,
		 false, RST},
		{"to the hypervisor", VRIG_CID, 0, 1, REQUEST, false, RST},
		{"no stream", VRIG_CID, 2, 2, REQUEST, false, RST},
		{"no stream, open", VRIG_CID, 2, 2, RW, true, RST},
		{"RST of another type", VRIG_CID, 2, 9, RST, false, 0},
		{"operation 0", VRIG_CID, 2, 1, 0, false, RST},
		{"operation 0, open", VRIG_CID, 2, 1, 0, true, RST},
		{"operation 99, open", VRIG_CID, 2, 1, 99, true, RST},
		{"data to nobody", VRIG_CID, 2, 1, RW, false, RST},
		{"credit of nobody", VRIG_CID, 2, 1, UPDATE, false, RST},
		{"RST to nobody", VRIG_CID, 2, 1, RST, false, 0},
		{"second REQUEST", VRIG_CID, 2, 1, REQUEST, true, RST},
		{"RESPONSE unasked", VRIG_CID, 2, 1, RESPONSE, true, RST},
	};

	return cr_make_param_array(struct hostile, all,
				   sizeof(all) / sizeof(all[0]));
}

ParameterizedTest(struct hostile *h, vsock, wrong_packets)
{
	struct virtio_vsock_hdr head;
	int fd = h->on_open ? vrig_connect(&rig) : -1;

	head = vrig_header(&rig, h->op);
	head.src_cid = h->src_cid;
	head.dst_cid = h->dst_cid;
	head.type = h->type;
	vrig_send(&rig, &head, NULL, 0);
	cr_expect_eq(vrig_hear(&rig, &got), h->answer, "%s", h->what);
	cr_expect_eq(vrig_hear(&rig, &got), 0, "%s: twice", h->what);
	cr_expect(!drv_broken(&rig.drv), "%s", h->what);
	if (fd >= 0)
		close(fd);
}

Test(vsock, data_before_it_is_connected_is_reset)
{
	struct vsock_message m;

	vrig_op(&rig, REQUEST, 0);
	cr_assert(vrig_asked(&rig, &m));
	vrig_data(&rig, "x", 1);
	cr_expect_eq(vrig_hear(&rig, &got), RST);
}

Test(vsock, breaks_on_a_header_cut_short)
{
	struct virtio_vsock_hdr head = vrig_header(&rig, REQUEST);

	memcpy(drv_at(&rig.drv, DRV_DATA), &head, sizeof(head));
	drv_send(&rig.drv, 1, DRV_DATA, 43, 0);
	drv_kick(&rig.drv, 1);
	cr_expect(drv_broken(&rig.drv));
}

Test(vsock, breaks_on_a_length_beyond_the_buffer)
{
	struct virtio_vsock_hdr head = vrig_header(&rig, RW);

	head.len = 1;
	vrig_send(&rig, &head, NULL, 0);
	cr_expect(drv_broken(&rig.drv));
}

Test(vsock, breaks_on_a_packet_to_be_written)
{
	drv_send(&rig.drv, 1, DRV_DATA, 64, VRING_DESC_F_WRITE);
	drv_kick(&rig.drv, 1);
	cr_expect(drv_broken(&rig.drv));
}

static void break_by_buffer(uint32_t len, uint16_t flags)
{
	vrig_done(&rig);
	vrig_start(&rig, false);
	drv_send(&rig.drv, 0, DRV_DATA, len, flags);
	vrig_op(&rig, RW, 0); /* nobody's: it wants an answer */
	cr_expect(drv_broken(&rig.drv));
}

Test(vsock, breaks_on_a_buffer_for_a_header_only)
{
	break_by_buffer(44, VRING_DESC_F_WRITE);
}

Test(vsock, breaks_on_a_buffer_to_be_read)
{
	break_by_buffer(4096, 0);
}

/* Whatever sizes the pieces have, the bytes are the same. */
Test(vsock, bytes_keep_their_order)
{
	static uint8_t in[300000], out[sizeof(in)];
	size_t sent = 0, there = 0, known = 0;
	int fd = vrig_connect(&rig);

	srand(3);
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)rand();
	while (there < sizeof(in)) {
		uint32_t n = (uint32_t)rand() % 20000;
		size_t room = VSOCK_BUFFER_BYTES - (sent - known);

		if (n > room)
			n = (uint32_t)room;
		if (n > sizeof(in) - sent)
			n = (uint32_t)(sizeof(in) - sent);
		vrig_data(&rig, in + sent, n);
		sent += n;
		if (rand() % 3 || n < 100)
			there += read_some(fd, out + there,
					   (size_t)rand() % 30000);
		vrig_op(&rig, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
		while (vrig_hear(&rig, &got)) {
			cr_assert_eq(got.head.op, UPDATE);
			known = got.head.fwd_cnt;
		}
	}
	cr_expect(!memcmp(in, out, sizeof(in)));
	close(fd);
}

Test(vsock, a_moved_device_forgets_connections_and_says_so)
{
	struct virtio_vsock_event event = {.id = 1};
	struct drv_used used;
	int fd = vrig_connect(&rig);

	drv_send(&rig.drv, 2, DRV_DATA + 0x180000, sizeof(event),
		 VRING_DESC_F_WRITE);
	state_move(&rig.drv, vrig_device(&rig));
	vrig_turn(&rig);
	cr_expect(is_closed(fd));
	cr_assert(drv_take(&rig.drv, 2, &used));
	memcpy(&event, drv_at(&rig.drv, DRV_DATA + 0x180000), sizeof(event));
	cr_expect_eq(used.len, sizeof(event));
	cr_expect_eq(event.id, VIRTIO_VSOCK_EVENT_TRANSPORT_RESET);
	close(fd);
	fd = vrig_connect(&rig);
	vrig_data(&rig, "go on", 5);
	cr_expect_eq(read_some(fd, data, 5), 5);
	close(fd);
}

Test(vsock, a_damaged_state_does_no_harm)
{
	int fd = vrig_connect(&rig);

	state_abuse(&rig.drv, vrig_device, &rig);
	vrig_data(&rig, "go on", 5);
	cr_expect_eq(read_some(fd, data, 5), 5);
	close(fd);
}
