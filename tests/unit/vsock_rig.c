/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_rig.c - see vsock_rig.h. */
#include "tests/unit/vsock_rig.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "devices-virtio/vsock_internal.h"

#define RING 64u
#define TX   (DRV_DATA + 0x100000u) /* where packets to send lie */

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "vsock rig: %s\n", what);
	abort();
}

static void pair(int type, int fd[2])
{
	must(!socketpair(AF_UNIX, type, 0, fd), "socketpair");
	must(!fd_set_nonblock(fd[0], true) && !fd_set_nonblock(fd[1], true),
	     "O_NONBLOCK");
}

static bool is_live(const struct vrig *r, unsigned i)
{
	return ((struct vsock *)r->drv.vd)->helper_fd == r->pair[i][1];
}

static void close_pair(int fd[2])
{
	for (unsigned i = 0; i < 2; i++) {
		if (fd[i] >= 0)
			close(fd[i]);
		fd[i] = -1;
	}
}

/** helper_of() - our end of the living device's. */
static int helper_of(const struct vrig *r)
{
	return r->pair[!is_live(r, 0)][0];
}

struct vdev *vrig_device(void *rig)
{
	struct vrig *r = rig;
	struct vsock_config config = {
		.cid = VRIG_CID,
		.connections = VRIG_CONNS,
		.loop = r->loop,
	};
	struct vdev *vd;
	bool second = r->drv.vd && is_live(r, 0);
	int *fd = r->pair[second];

	close_pair(fd); /* of a device that is no more */
	pair(SOCK_SEQPACKET, fd);
	config.helper_fd = fd[1];
	must(!vsock_new(&config, &vd), "vsock_new");
	return vd;
}

void vrig_start(struct vrig *r, bool buffers)
{
	(void)signal(SIGPIPE, SIG_IGN);
	*r = (struct vrig){.pair = {{-1, -1}, {-1, -1}}, .alloc = VRIG_ALLOC};
	must(!loop_new(&r->loop), "loop_new");
	drv_attach(&r->drv, vrig_device(r));
	drv_start(&r->drv, 0, RING);
	if (buffers)
		vrig_post(r, VRIG_RX);
	vrig_turn(r);
}

void vrig_done(struct vrig *r)
{
	drv_done(&r->drv);
	close_pair(r->pair[0]);
	close_pair(r->pair[1]);
	loop_free(r->loop);
}

static uint64_t rx_at(unsigned i)
{
	return DRV_DATA + (uint64_t)i * VRIG_RX_BYTES;
}

void vrig_post(struct vrig *r, unsigned n)
{
	struct drv_ring *ring = &r->drv.ring[VSOCK_RX];

	for (unsigned i = 0; i < n; i++) {
		unsigned head = ring->next_desc++ % RING;

		drv_put(&r->drv, VSOCK_RX, head,
			(struct vring_desc){rx_at(head), VRIG_RX_BYTES,
					    VRING_DESC_F_WRITE, 0});
		drv_offer(&r->drv, VSOCK_RX, (uint16_t)head);
	}
	drv_kick(&r->drv, VSOCK_RX);
}

struct virtio_vsock_hdr vrig_header(const struct vrig *r, uint16_t op)
{
	return (struct virtio_vsock_hdr){
		.src_cid = VRIG_CID,
		.dst_cid = 2,
		.src_port = VRIG_PORT,
		.dst_port = VRIG_HOST,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = r->alloc,
		.fwd_cnt = r->forwarded,
	};
}

void vrig_put(struct vrig *r, const struct virtio_vsock_hdr *head,
	      const void *data, uint32_t bytes)
{
	/* A place of its own for each that may be in the ring at once. */
	uint64_t at =
		TX + (uint64_t)(r->drv.ring[VSOCK_TX].next_desc % 8) * 0x20000;

	memcpy(drv_at(&r->drv, at), head, sizeof(*head));
	if (bytes)
		memcpy(drv_at(&r->drv, at + sizeof(*head)), data, bytes);
	drv_send(&r->drv, VSOCK_TX, at, (uint32_t)sizeof(*head) + bytes, 0);
}

void vrig_send(struct vrig *r, const struct virtio_vsock_hdr *head,
	       const void *data, uint32_t bytes)
{
	struct drv_used used;

	vrig_put(r, head, data, bytes);
	drv_kick(&r->drv, VSOCK_TX);
	vrig_turn(r);
	while (drv_take(&r->drv, VSOCK_TX, &used))
		;
}

void vrig_op(struct vrig *r, uint16_t op, uint32_t flags)
{
	struct virtio_vsock_hdr head = vrig_header(r, op);

	head.flags = flags;
	vrig_send(r, &head, NULL, 0);
}

void vrig_data(struct vrig *r, const void *data, uint32_t bytes)
{
	struct virtio_vsock_hdr head = vrig_header(r, VIRTIO_VSOCK_OP_RW);

	head.len = bytes;
	vrig_send(r, &head, data, bytes);
}

uint16_t vrig_hear(struct vrig *r, struct vrig_packet *ret)
{
	struct drv_used used;

	if (!drv_take(&r->drv, VSOCK_RX, &used))
		return 0;
	must(used.id < RING && used.len >= sizeof(ret->head) &&
		     used.len <= VRIG_RX_BYTES,
	     "a used entry");
	memcpy(&ret->head, drv_at(&r->drv, rx_at(used.id)), sizeof(ret->head));
	must(ret->head.len == used.len - sizeof(ret->head), "its length");
	memcpy(ret->data, drv_at(&r->drv, rx_at(used.id) + sizeof(ret->head)),
	       ret->head.len);
	vrig_post(r, 1);
	return ret->head.op;
}

void vrig_turn(struct vrig *r)
{
	vsock_turn(r->drv.vd);
}

void vrig_ticks(struct vrig *r, unsigned n)
{
	vdev_lock(r->drv.vd);
	while (n--)
		conn_tick((struct vsock *)r->drv.vd);
	rx_serve((struct vsock *)r->drv.vd);
	vdev_unlock(r->drv.vd);
	vrig_turn(r);
}

bool vrig_asked(struct vrig *r, struct vsock_message *ret)
{
	return recv(helper_of(r), ret, sizeof(*ret), 0) == sizeof(*ret);
}

void vrig_answer(struct vrig *r, uint32_t word, uint32_t id, uint32_t port,
		 int fd)
{
	struct vsock_message m = {.word = word, .id = id, .port = port};
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd >= 0) {
		struct cmsghdr *c = (struct cmsghdr *)control;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	must(sendmsg(helper_of(r), &msg, 0) == sizeof(m), "sendmsg");
	if (fd >= 0)
		close(fd);
	vrig_turn(r);
}

int vrig_connect(struct vrig *r)
{
	struct vsock_message m;
	struct vrig_packet p;
	int fd[2];

	vrig_op(r, VIRTIO_VSOCK_OP_REQUEST, 0);
	must(vrig_asked(r, &m) && m.word == VSOCK_CONNECT &&
		     m.port == VRIG_HOST,
	     "CONNECT");
	pair(SOCK_STREAM, fd);
	vrig_answer(r, VSOCK_CONNECTED, m.id, 0, fd[1]);
	must(vrig_hear(r, &p) == VIRTIO_VSOCK_OP_RESPONSE, "RESPONSE");
	return fd[0];
}

int vrig_dial(struct vrig *r, struct vrig_packet *ret)
{
	int fd[2];

	pair(SOCK_STREAM, fd);
	vrig_answer(r, VSOCK_INCOMING, 0, VRIG_PORT, fd[1]);
	must(vrig_hear(r, ret) == VIRTIO_VSOCK_OP_REQUEST, "REQUEST");
	return fd[0];
}

void vrig_abandon(struct vrig *r)
{
	int *ours = &r->pair[!is_live(r, 0)][0];

	close(*ours);
	*ours = -1;
	vrig_turn(r);
}
