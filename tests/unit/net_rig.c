/* SPDX-License-Identifier: Apache-2.0 */
/* net_rig.c - see net_rig.h. Aborts when the test itself is wrong. */
#include "tests/unit/net_rig.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/loop.h"

#define LONG_MS 20000

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void *run_loop(void *arg)
{
	must(!loop_run(arg));
	return NULL;
}

void net_rig_init(struct net_rig *r, enum net_link_kind kind, uint32_t pairs)
{
	struct net_policy *p = &r->policy;
	int type = kind == NET_LINK_STREAM ? SOCK_STREAM : SOCK_SEQPACKET;

	memset(r, 0, sizeof(*r));
	net_policy_init(p);
	p->own_count = p->rule_count = 1;
	p->own[0] = (struct net_prefix){frame_addr(RIG_ME), 128, {0}};
	p->rule[0].to = (struct net_prefix){frame_addr("192.0.2.0"), 120, {0}};
	p->rule[0].service.last = UINT16_MAX;
	r->config = (struct net_config){
		.mtu = 1500,
		.kind = kind,
		.offloads = kind != NET_LINK_STREAM,
		.uso = kind != NET_LINK_STREAM,
		.pairs = pairs,
		.policy = p,
		.key = 1,
	};
	memcpy(r->config.mac, frame_mac, NET_MAC_BYTES);
	must(!loop_new(&r->loop));
	r->config.loop = r->loop;
	for (unsigned i = 0; i < NET_PAIRS_MAX; i++) {
		int fd[2];

		r->peer[i] = -1;
		if (i >= pairs || kind == NET_LINK_TAP)
			continue;
		must(!socketpair(AF_UNIX, type, 0, fd));
		must(!fd_set_nonblock(fd[0], true));
		r->config.fd[i] = fd[0];
		r->peer[i] = fd[1];
	}
}

struct vdev *net_rig_device(struct net_rig *r)
{
	struct vdev *vd;

	must(!net_new(&r->config, &vd));
	return vd;
}

void net_rig_twin(struct net_rig *r)
{
	loop_stop(r->loop);
	must(!pthread_join(r->thread, NULL));
	r->old_loop = r->loop;
	must(!loop_new(&r->loop));
	r->config.loop = r->loop;
	for (unsigned i = 0; i < r->config.pairs; i++) {
		r->old_fd[i] = r->config.fd[i];
		r->config.fd[i] = dup(r->old_fd[i]);
		must(r->config.fd[i] >= 0);
	}
}

void net_rig_start(struct net_rig *r, uint64_t features, uint16_t size)
{
	drv_attach(&r->drv, net_rig_device(r));
	must(!pthread_create(&r->thread, NULL, run_loop, r->loop));
	drv_start(&r->drv, features, size);
}

void net_rig_restart(struct net_rig *r)
{
	must(!pthread_create(&r->thread, NULL, run_loop, r->loop));
}

void net_rig_done(struct net_rig *r)
{
	loop_stop(r->loop);
	must(!pthread_join(r->thread, NULL));
	drv_done(&r->drv);
	loop_free(r->loop);
	loop_free(r->old_loop);
	for (unsigned i = 0; i < r->config.pairs; i++) {
		close(r->config.fd[i]);
		if (r->old_loop)
			close(r->old_fd[i]);
		if (r->peer[i] >= 0)
			close(r->peer[i]);
	}
}

uint32_t net_rig_put(struct net_rig *r, uint64_t gpa,
		     const struct net_header *header, const struct frame *f)
{
	uint8_t *at = drv_at(&r->drv, gpa);

	memset(at, 0, NET_HEADER_BYTES);
	if (header)
		memcpy(at, header, sizeof(*header));
	memcpy(at + NET_HEADER_BYTES, f->b, f->len);
	return NET_HEADER_BYTES + f->len;
}

void net_rig_send(struct net_rig *r, const struct net_header *header,
		  const struct frame *f)
{
	unsigned n = r->drv.ring[RIG_OUT].avail_idx % r->drv.ring[RIG_OUT].size;
	uint64_t gpa = DRV_DATA + (uint64_t)n * RIG_BUF;

	drv_send(&r->drv, RIG_OUT, gpa, net_rig_put(r, gpa, header, f), 0);
	drv_kick(&r->drv, RIG_OUT);
}

void net_rig_post(struct net_rig *r, unsigned queue, unsigned count,
		  uint32_t bytes)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned n =
			r->drv.ring[queue].next_desc % r->drv.ring[queue].size;

		drv_send(&r->drv, queue,
			 DRV_DATA + 0x80000 + 0x40000 * (queue / 2) +
				 (uint64_t)n * (bytes > 256 ? RIG_BUF : 256),
			 bytes, VRING_DESC_F_WRITE);
	}
	drv_kick(&r->drv, queue);
}

static void nap(void)
{
	const struct timespec ms = {.tv_nsec = 1000000};

	nanosleep(&ms, NULL);
}

bool net_rig_until(bool (*done)(struct net_rig *r), struct net_rig *r)
{
	for (unsigned i = 0; i < LONG_MS; i++) {
		if (done(r))
			return true;
		nap();
	}
	return false;
}

bool net_rig_wait(struct net_rig *r, unsigned queue, unsigned count)
{
	for (unsigned i = 0; i < LONG_MS; i++) {
		if (drv_used_count(&r->drv, queue) >= count)
			return true;
		nap();
	}
	return false;
}

int net_rig_hear(struct net_rig *r, void *dst, uint32_t bytes)
{
	struct pollfd p = {.fd = r->peer[0], .events = POLLIN};

	if (poll(&p, 1, LONG_MS) != 1)
		return -1;
	return (int)recv(r->peer[0], dst, bytes, 0);
}

bool net_rig_say(struct net_rig *r, unsigned pair, const struct frame *f)
{
	uint8_t packet[NET_HEADER_BYTES + FRAME_BYTES] = {0};
	uint32_t length = __builtin_bswap32(f->len);
	size_t n = NET_HEADER_BYTES + f->len;

	memcpy(packet + NET_HEADER_BYTES, f->b, f->len);
	if (r->config.kind != NET_LINK_STREAM)
		return send(r->peer[pair], packet, n, MSG_DONTWAIT) ==
		       (ssize_t)n;
	memcpy(packet + NET_HEADER_BYTES - 4, &length, 4);
	n = 4 + f->len;
	return send(r->peer[pair], packet + NET_HEADER_BYTES - 4, n,
		    MSG_DONTWAIT) == (ssize_t)n;
}

uint64_t net_rig_dropped(struct net_rig *r, enum net_verdict why)
{
	return net_usage(r->drv.vd).dropped[why];
}
