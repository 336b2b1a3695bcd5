/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_vsock.c - a vsock device whose driver, helper and peers on the host are
 * the input. Oracle: sanitizers; every fd that was passed is closed in the end;
 * and the loop's turns come to rest. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/loop.h"
#include "devices-virtio/vsock_internal.h"
#include "tests/fuzz/fuzz_driver.h"
#include "tests/fuzz/session.h"

#define CONNS 8u
#define PEERS 32u

static struct fuzz_guest guest;
static struct loop *loop;
static int helper[2];   /* ours, the device's */
static int peer[PEERS]; /* our ends of what was passed; -1: none */

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void set_up(void)
{
	struct vsock_config config = {.cid = 3, .connections = CONNS};

	if (!loop) {
		(void)signal(SIGPIPE, SIG_IGN);
		must(!loop_new(&loop));
	}
	must(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, helper));
	memset(peer, -1, sizeof(peer));
	config.helper_fd = helper[1];
	config.loop = loop;
	must(!vsock_new(&config, &guest.vd));
}

/** packet() - a header that is nearly right, in a place of the input's, on the
 * transmit queue. */
static void packet(struct fuzz_input *in)
{
	uint32_t base = FUZZ_QUEUE_BYTES * VSOCK_TX, at = 0x8000;
	uint8_t odd = fuzz_u8(in);
	struct virtio_vsock_hdr h = {.src_cid = 3, .dst_cid = 2, .type = 1};
	uint8_t desc[16] = {0};
	uint16_t bytes, idx;

	h.op = fuzz_u8(in) % 9;
	h.src_port = fuzz_u8(in) % 4;
	h.dst_port = fuzz_u8(in);
	h.flags = fuzz_u8(in) % 4;
	h.buf_alloc = fuzz_u16(in) * 4u;
	bytes = fuzz_u16(in) % 0x4000;
	h.len = bytes;
	if (odd == 1)
		h.src_cid = fuzz_u64(in);
	else if (odd == 2)
		h.dst_cid = fuzz_u64(in);
	else if (odd == 3)
		h.type = fuzz_u16(in);
	else if (odd == 4)
		h.fwd_cnt = fuzz_u32(in);
	else if (odd == 5)
		h.len = fuzz_u32(in);
	if (odd < 128)
		h.dst_port %= 4;
	else /* a client of the host's, as they are numbered */
		h.dst_port = (1u << 30) + h.dst_port % 16;
	memcpy(guest.mem + at, &h, sizeof(h));
	bytes = (uint16_t)(bytes + sizeof(h));
	memcpy(desc, &at, 4);
	memcpy(desc + 8, &bytes, 2);
	memcpy(guest.mem + base, desc, sizeof(desc));
	memcpy(&idx, guest.mem + base + FUZZ_AVAIL + 2, sizeof(idx));
	memset(guest.mem + base + FUZZ_AVAIL + 4 + 2u * (idx % FUZZ_QUEUE_SIZE),
	       0, 2);
	idx++;
	memcpy(guest.mem + base + FUZZ_AVAIL + 2, &idx, sizeof(idx));
	fuzz_write(&guest, 0x50, VSOCK_TX);
}

/** buffers() - some for the device to fill. */
static void buffers(struct fuzz_input *in)
{
	uint32_t base = FUZZ_QUEUE_BYTES * VSOCK_RX;
	uint16_t idx, n = fuzz_u8(in) % FUZZ_QUEUE_SIZE;
	uint32_t bytes = 45u + fuzz_u8(in) * 16u;

	memcpy(&idx, guest.mem + base + FUZZ_AVAIL + 2, sizeof(idx));
	for (uint16_t i = 0; i < n; i++, idx++) {
		uint16_t head = idx % FUZZ_QUEUE_SIZE, write = 2;
		uint32_t at = 0xc000 + head * 0x300u;
		uint8_t *desc = guest.mem + base + 16u * head;

		memset(desc, 0, 16);
		memcpy(desc, &at, 4);
		memcpy(desc + 8, &bytes, 4);
		memcpy(desc + 12, &write, 2);
		memcpy(guest.mem + base + FUZZ_AVAIL + 4 + 2u * head, &head, 2);
	}
	memcpy(guest.mem + base + FUZZ_AVAIL + 2, &idx, sizeof(idx));
	fuzz_write(&guest, 0x50, VSOCK_RX);
}

/** pass() - a message of the helper's, some with the end of a new pair. */
static void pass(struct fuzz_input *in)
{
	struct vsock_message m = {.word = fuzz_u8(in) % 6};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *c = (struct cmsghdr *)control;
	unsigned slot;
	int fd[2];

	m.id = fuzz_u8(in) % CONNS;
	m.id |= (uint32_t)(fuzz_u8(in) % 4) << 16;
	m.port = fuzz_u8(in) % 4;
	slot = fuzz_u8(in) % PEERS;
	if (slot == PEERS - 1)
		iov.iov_len = 3;
	if (m.word == 5) { /* gone */
		(void)shutdown(helper[0], SHUT_RDWR);
		return;
	}
	must(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd));
	msg.msg_control = control;
	msg.msg_controllen = sizeof(control);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd[1], sizeof(int));
	(void)!sendmsg(helper[0], &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd[1]);
	if (peer[slot] >= 0)
		close(peer[slot]);
	peer[slot] = fd[0];
}

/** act() - a peer on the host writes, reads, ends a half or all. */
static void act(struct fuzz_input *in)
{
	static uint8_t bytes[0x10000];
	int *fd = &peer[fuzz_u8(in) % PEERS];
	uint8_t what = fuzz_u8(in);
	size_t n = fuzz_u16(in);

	if (*fd < 0)
		return;
	if (what < 100) {
		(void)!write(*fd, bytes, n);
	} else if (what < 200) {
		(void)!read(*fd, bytes, n);
	} else if (what < 240) {
		(void)shutdown(*fd, what & 1 ? SHUT_WR : SHUT_RD);
	} else {
		close(*fd);
		*fd = -1;
	}
}

static void tick(void)
{
	struct vsock *v = (struct vsock *)guest.vd;

	vdev_lock(guest.vd);
	conn_tick(v);
	rx_serve(v);
	vdev_unlock(guest.vd);
}

/** tear_down() - what the device was passed is closed with it. */
static void tear_down(void)
{
	char c;

	vdev_free(guest.vd);
	guest.vd = NULL;
	close(helper[1]);
	close(helper[0]); /* with messages that nobody took */
	for (unsigned i = 0; i < PEERS; i++) {
		ssize_t n = 1;

		if (peer[i] < 0)
			continue;
		while (n > 0)
			n = read(peer[i], &c, 1);
		must(n == 0 || errno != EAGAIN);
		close(peer[i]);
	}
}

/** host() - all that is not the driver. */
static void host(void *arg, struct fuzz_input *in)
{
	uint8_t op = fuzz_u8(in);

	(void)arg;
	if (op < 80)
		pass(in);
	else if (op < 160)
		act(in);
	else if (op < 240)
		vsock_turn(guest.vd);
	else
		tick();
}

static void step(uint8_t op, struct fuzz_input *in)
{
	if (op < 90)
		packet(in);
	else if (op < 110)
		buffers(in);
	else if (op < 210)
		host(NULL, in);
	else if (op < 225)
		fuzz_request(&guest, in);
	else if (op < 235)
		fuzz_poke(&guest, in);
	else
		fuzz_access(&guest, in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session session;
	struct fuzz_input in = {data, size};

	set_up();
	if (session_is(&in)) {
		session_play(&session, guest.vd, &in, host, NULL);
		tear_down();
		return 0;
	}
	fuzz_attach(&guest, guest.vd);
	fuzz_start(&guest, fuzz_u32(&in));
	for (unsigned i = 0; i < FUZZ_OPS_MAX && in.left; i++)
		step(fuzz_u8(&in), &in);
	vsock_turn(guest.vd);
	tear_down();
	return 0;
}
