/* SPDX-License-Identifier: Apache-2.0 */
/* console_rig.c - see console_rig.h. Aborts when the test itself is wrong. */
#include "tests/unit/console_rig.h"

#include <fcntl.h>
#include <linux/virtio_mmio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

void rig_pipes(struct rig *rig, uint32_t kind)
{
	memset(rig, 0, sizeof(*rig));
	for (unsigned i = 0; i < CONSOLE_PORTS; i++) {
		int fd[2];

		if (kind == PLAN_STREAM_SOCKET)
			must(!socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
		else
			must(!pipe(fd));
		rig->guest[i] = i == 0 ? fd[0] : fd[1];
		rig->host[i] = i == 0 ? fd[1] : fd[0];
		if (kind == PLAN_STREAM_NONBLOCK)
			must(!fd_set_nonblock(rig->guest[i], true));
	}
}

static void *run_loop(void *arg)
{
	must(!loop_run(arg));
	return NULL;
}

void rig_start(struct rig *rig, const uint32_t kind[CONSOLE_PORTS],
	       uint64_t features)
{
	struct console_config config = {.rows = 24, .cols = 80, .tty = true};
	struct vdev *vd;

	(void)signal(SIGPIPE, SIG_IGN);
	must(!loop_new(&rig->loop));
	config.loop = rig->loop;
	memcpy(config.fd, rig->guest, sizeof(config.fd));
	memcpy(config.kind, kind, sizeof(config.kind));
	must(!console_new(&config, &vd));
	drv_attach(&rig->drv, vd);
	drv_start(&rig->drv, features, RIG_SIZE);
	must(!pthread_create(&rig->thread, NULL, run_loop, rig->loop));
	rig->running = true;
}

void rig_done(struct rig *rig)
{
	if (rig->running) {
		loop_stop(rig->loop);
		pthread_join(rig->thread, NULL);
	}
	drv_done(&rig->drv);
	loop_free(rig->loop);
	for (unsigned i = 0; i < CONSOLE_PORTS; i++) {
		if (rig->host[i] >= 0)
			close(rig->host[i]);
		if (rig->guest[i] >= 0)
			close(rig->guest[i]);
	}
}

void rig_post_control(struct rig *rig, unsigned n)
{
	struct drv_ring *r = &rig->drv.ring[RIG_CONTROL_IN];

	for (unsigned i = 0; i < n; i++)
		drv_send(&rig->drv, RIG_CONTROL_IN,
			 RIG_CONTROL + 64ull * (r->next_desc % RIG_SIZE), 64,
			 VRING_DESC_F_WRITE);
	drv_kick(&rig->drv, RIG_CONTROL_IN);
}

void rig_say(struct rig *rig, uint32_t id, uint16_t event, uint16_t value)
{
	const struct virtio_console_control msg = {id, event, value};
	uint64_t at = RIG_CONTROL - 64;

	memcpy(drv_at(&rig->drv, at), &msg, sizeof(msg));
	drv_send(&rig->drv, RIG_CONTROL_OUT, at, sizeof(msg), 0);
	drv_kick(&rig->drv, RIG_CONTROL_OUT);
}

uint32_t rig_hear(struct rig *rig, struct virtio_console_control *ret,
		  char rest[64])
{
	struct drv_used used;
	const uint8_t *buf;

	if (!drv_take(&rig->drv, RIG_CONTROL_IN, &used))
		return 0;
	must(used.len >= sizeof(*ret) && used.len <= 64);
	buf = drv_at(&rig->drv, RIG_CONTROL + 64ull * used.id);
	memcpy(ret, buf, sizeof(*ret));
	memcpy(rest, buf + sizeof(*ret), used.len - sizeof(*ret));
	rest[used.len - sizeof(*ret)] = '\0';
	return used.len;
}

void rig_hello(struct rig *rig)
{
	struct virtio_console_control msg;
	char rest[64];

	rig_post_control(rig, 32);
	rig_say(rig, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
	for (uint32_t id = 0; id < CONSOLE_PORTS; id++) {
		rig_say(rig, id, VIRTIO_CONSOLE_PORT_READY, 1);
		rig_say(rig, id, VIRTIO_CONSOLE_PORT_OPEN, 1);
	}
	while (rig_hear(rig, &msg, rest))
		;
}

void rig_open(struct rig *rig, uint32_t kind, uint64_t features)
{
	const uint32_t kinds[CONSOLE_PORTS] = {kind, kind, kind};

	rig_pipes(rig, kind);
	rig_start(rig, kinds, features);
	if (features & 1ull << VIRTIO_CONSOLE_F_MULTIPORT)
		rig_hello(rig);
}

static void pause_ms(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

bool rig_heard_close(struct rig *rig, uint32_t id)
{
	struct virtio_console_control msg;
	char rest[64];

	for (unsigned ms = 0; ms < 10000; ms++) {
		while (rig_hear(rig, &msg, rest)) {
			if (msg.event == VIRTIO_CONSOLE_PORT_OPEN &&
			    msg.id == id && msg.value == 0)
				return true;
		}
		pause_ms();
	}
	return false;
}

bool rig_wait_used(struct rig *rig, unsigned q, unsigned n)
{
	for (unsigned ms = 0; ms < 10000; ms++) {
		if (drv_used_count(&rig->drv, q) >= n)
			return true;
		pause_ms();
	}
	return false;
}
