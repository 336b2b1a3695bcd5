/* SPDX-License-Identifier: Apache-2.0 */
/* vsock.c - the socket device (virtio 1.2, 5.10): queues, configuration, set-up
 * and what the loop thread does for it. Trusts: its configuration. Must not:
 * see vsock.h. */
#include "devices-virtio/vsock_internal.h"

#include <endian.h>
#include <errno.h>
#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/blob.h"
#include "base/fd.h"
#include "base/loop.h"

#define F_STREAM      (1ull << 0) /* 5.10.3; not in Linux's header */
#define EVENTS_A_TURN 64
#define SAVE_VERSION  1u

_Static_assert(sizeof(struct virtio_vsock_hdr) == VSOCK_HEADER_BYTES, "5.10.6");

void vsock_wake(struct vsock *v)
{
	uint64_t one = 1;
	struct iovec iov = {.iov_base = &one, .iov_len = sizeof(one)};

	if (v->woken)
		return;
	/* EAGAIN: the counter is full, and so readable anyway. */
	v->woken = fd_writev(v->more_fd, &iov, 1) > 0 || errno == EAGAIN;
}

/** tell_reset() - after a snapshot was loaded, connections are gone: 5.10.6.6.
 */
static void tell_reset(struct vsock *v)
{
	const struct virtio_vsock_event event = {
		.id = htole32(VIRTIO_VSOCK_EVENT_TRANSPORT_RESET),
	};
	struct vq_chain *chain = &v->tx_chain;

	if (!v->event_due || !vdev_pop(&v->vd, VSOCK_EVENT, chain))
		return;
	if (chain->readable || chain->writable_bytes < sizeof(event)) {
		vdev_break(&v->vd);
		return;
	}
	gm_iov_write(chain->iov, chain->writable, &event, sizeof(event));
	vdev_push(&v->vd, VSOCK_EVENT, chain, sizeof(event));
	v->event_due = false;
	vdev_signal(&v->vd, VSOCK_EVENT);
}

static void vsock_kick(struct vdev *vd, unsigned queue)
{
	struct vsock *v = (struct vsock *)vd;

	if (queue == VSOCK_EVENT)
		tell_reset(v);
	else if (queue == VSOCK_TX)
		tx_serve(v);
	/* Replies, credit: the guest finds them when its kick returns. */
	rx_serve(v);
}

/* The loop thread's part. Each holds the lock. */

/** take_event() - what has become of a connection's host end. */
static void take_event(struct vsock *v, const struct epoll_event *ev)
{
	struct conn *c = conn_by_id(v, (uint32_t)ev->data.u64);

	if (!c || c->fd < 0)
		return;
	if (ev->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->readable = true;
	if (ev->events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) {
		c->writable = true;
		tx_flush(v, c);
	}
	/* tx_flush() may have been the end of it. */
	if (c->state == CONN_OPEN && c->fd >= 0) {
		if ((ev->events & EPOLLHUP) && !c->deaf)
			tx_deaf(v, c);
		rx_ready(v, c);
	}
}

static void turn_epoll(struct vsock *v)
{
	struct epoll_event ev[EVENTS_A_TURN];
	int n = epoll_wait(v->epoll_fd, ev, EVENTS_A_TURN, 0);

	for (int i = 0; i < n; i++)
		take_event(v, &ev[i]);
	rx_serve(v);
}

/** set_timer() - ticks, as long as somebody is waited for. */
static void set_timer(struct vsock *v)
{
	const struct timespec tick = {.tv_nsec = VSOCK_TICK_MS * 1000000L};
	struct itimerspec when = {0};

	if (v->timer_on == (v->waiting > 0))
		return;
	v->timer_on = v->waiting > 0;
	if (v->timer_on)
		when = (struct itimerspec){tick, tick};
	(void)timerfd_settime(v->timer_fd, 0, &when, NULL);
}

static void turn_more(struct vsock *v)
{
	uint64_t count;

	if (read(v->more_fd, &count, sizeof(count)) > 0)
		v->woken = false;
	conn_close_dead(v);
	tell_reset(v);
	tx_serve(v);
	rx_serve(v);
	set_timer(v);
	/* Twice is no harm; the second time it is for EPOLLOUT only. */
	if (!v->helper_gone)
		(void)loop_set(v->on_helper,
			       EPOLLIN | (v->helper_full ? EPOLLOUT : 0));
}

static void turn_timer(struct vsock *v)
{
	uint64_t ticks;

	if (read(v->timer_fd, &ticks, sizeof(ticks)) < 0)
		return;
	conn_tick(v);
	rx_serve(v);
	set_timer(v);
}

static void turn_helper(struct vsock *v)
{
	if (v->helper_gone)
		return;
	if (v->helper_full)
		helper_retry(v);
	helper_listen(v);
	rx_serve(v);
	(void)loop_set(
		v->on_helper,
		v->helper_gone ? 0 : EPOLLIN | (v->helper_full ? EPOLLOUT : 0));
}

#define LOOP_CALLBACK(name, turn)                                              \
	static void name(void *arg, uint32_t events)                           \
	{                                                                      \
		struct vsock *v = arg;                                         \
                                                                               \
		(void)events; /* the system call says what is the matter */    \
		vdev_lock(&v->vd);                                             \
		turn(v);                                                       \
		vdev_unlock(&v->vd);                                           \
	}

LOOP_CALLBACK(on_epoll, turn_epoll)
LOOP_CALLBACK(on_more, turn_more)
LOOP_CALLBACK(on_timer, turn_timer)
LOOP_CALLBACK(on_helper, turn_helper)

void vsock_turn(struct vdev *vd)
{
	struct vsock *v = (struct vsock *)vd;

	on_helper(v, 0);
	on_epoll(v, 0);
	on_timer(v, 0);
	on_more(v, 0);
}

/* The device's table. */

static void vsock_queue_stop(struct vdev *vd, unsigned queue)
{
	if (queue == VSOCK_RX)
		((struct vsock *)vd)->rx_held = false;
}

static void vsock_reset(struct vdev *vd)
{
	struct vsock *v = (struct vsock *)vd;

	conn_drop_all(v);
	v->tx_stalled = false;
	v->event_due = false;
}

static int vsock_quiesce(struct vdev *vd)
{
	struct vsock *v = (struct vsock *)vd;

	if (v->rx_held)
		vdev_untake(vd, VSOCK_RX);
	v->rx_held = false;
	return 0;
}

static void vsock_config_read(struct vdev *vd, uint32_t off, void *dst,
			      uint32_t len)
{
	const struct virtio_vsock_config config = {
		.guest_cid = htole64(((struct vsock *)vd)->cid),
	};

	memcpy(dst, (const uint8_t *)&config + off, len);
}

/** vsock_save() - no connection outlives a snapshot: its other end is a
 * process of this host. */
static void vsock_save(const struct vdev *vd, struct blob *to)
{
	(void)vd;
	blob_put8(to, SAVE_VERSION);
}

static void vsock_load(struct vdev *vd, struct blob *from)
{
	struct vsock *v = (struct vsock *)vd;

	if (blob_get8(from) != SAVE_VERSION) {
		blob_fail(from, -EPROTO);
		return;
	}
	conn_drop_all(v);
	v->event_due = true;
	vsock_wake(v);
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void vsock_free(struct vdev *vd)
{
	struct vsock *v = (struct vsock *)vd;

	loop_remove(v->on_epoll);
	loop_remove(v->on_more);
	loop_remove(v->on_timer);
	loop_remove(v->on_helper);
	if (v->conn && v->dead) {
		conn_drop_all(v);
		conn_close_dead(v);
	}
	close_fd(v->epoll_fd);
	close_fd(v->more_fd);
	close_fd(v->timer_fd);
	if (v->buffers)
		munmap(v->buffers, (size_t)v->conn_count * VSOCK_BUFFER_BYTES);
	free(v->conn);
	free(v->dead);
	vdev_done(vd);
	free(v);
}

static const struct vdev_ops vsock_ops = {
	.device_id = VIRTIO_ID_VSOCK,
	.queue_count = VSOCK_QUEUES,
	.queue_max = VSOCK_QUEUE_SIZE,
	.config_bytes = sizeof(struct virtio_vsock_config),
	.kick = vsock_kick,
	.queue_stop = vsock_queue_stop,
	.reset = vsock_reset,
	.config_read = vsock_config_read,
	.quiesce = vsock_quiesce,
	.save = vsock_save,
	.load = vsock_load,
	.free = vsock_free,
};

/** make_room() - for as many connections as there may ever be: while the guest
 * runs nothing is allocated. Pages that no buffer used take no memory. */
static int make_room(struct vsock *v)
{
	size_t bytes = (size_t)v->conn_count * VSOCK_BUFFER_BYTES;
	void *at;

	v->conn = calloc(v->conn_count, sizeof(*v->conn));
	v->dead = calloc(v->conn_count, sizeof(*v->dead));
	if (!v->conn || !v->dead)
		return -ENOMEM;
	at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return -errno;
	v->buffers = at;
	conn_init_all(v);
	return 0;
}

static int watch(struct vsock *v, struct loop *loop)
{
	int err;

	v->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	v->more_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	v->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (v->epoll_fd < 0 || v->more_fd < 0 || v->timer_fd < 0)
		return -errno;
	err = loop_add(loop, v->epoll_fd, EPOLLIN, on_epoll, v, &v->on_epoll);
	if (!err)
		err = loop_add(loop, v->more_fd, EPOLLIN, on_more, v,
			       &v->on_more);
	if (!err)
		err = loop_add(loop, v->timer_fd, EPOLLIN, on_timer, v,
			       &v->on_timer);
	if (!err && !v->helper_gone)
		err = loop_add(loop, v->helper_fd, EPOLLIN, on_helper, v,
			       &v->on_helper);
	return err;
}

int vsock_new(const struct vsock_config *config, struct vdev **ret)
{
	struct vsock *v;
	int err;

	if (config->cid < VSOCK_CID_MIN || config->cid > VSOCK_CID_MAX ||
	    !config->connections || config->connections > VSOCK_CONNECTIONS_MAX)
		return -EINVAL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	vdev_init(&v->vd, &vsock_ops, F_STREAM);
	v->cid = config->cid;
	v->conn_count = config->connections;
	v->helper_fd = config->helper_fd;
	v->helper_gone = v->helper_fd < 0;
	v->epoll_fd = v->more_fd = v->timer_fd = -1;
	err = make_room(v);
	if (!err)
		err = watch(v, config->loop);
	if (err) {
		vsock_free(&v->vd);
		return err;
	}
	*ret = &v->vd;
	return 0;
}
