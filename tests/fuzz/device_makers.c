/* SPDX-License-Identifier: Apache-2.0 */
/* device_makers.c - see device_makers.h. */
#include "tests/fuzz/device_makers.h"

#include <linux/virtio_ids.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "base/plan.h"
#include "devices-virtio/balloon.h"
#include "devices-virtio/console.h"
#include "devices-virtio/harness.h"
#include "devices-virtio/net.h"
#include "devices-virtio/pmem.h"
#include "devices-virtio/rng.h"
#include "devices-virtio/vsock.h"
#include "tests/fuzz/fuzz_engine.h"

#define ROWS (sizeof(makers) / sizeof(makers[0]))

static volatile uint64_t sink;

static void see_number(void *ctx, uint64_t value)
{
	sink += value;
}

static void see_status(void *ctx, uint32_t status)
{
	sink += status;
}

static void see_crash(void *ctx, const struct harness_crash *crash)
{
	sink += crash->signal;
}

static void see_missing(void *ctx, const struct harness_missing *m, uint32_t n)
{
	sink += n;
}

static void see_text(void *ctx, const char *text, uint32_t bytes)
{
	sink += bytes;
}

static void see_oom(void *ctx, const struct harness_oom *oom)
{
	sink++;
}

static void see_off(void *ctx)
{
	sink++;
}

static int make_rng(struct vdev **ret)
{
	return rng_new(NULL, ret);
}

static int make_harness(struct vdev **ret)
{
	static const struct harness_config config = {
		.callbacks = {see_status, see_number, see_crash, see_missing,
			      see_text, see_oom, see_off},
	};

	return harness_new(&config, ret);
}

/** make_console() - without streams: the host's side is fuzz_console.c's. */
static int make_console(struct vdev **ret)
{
	static struct loop *loop;
	struct console_config config = {.fd = {-1, -1, -1}, .tty = true};

	if (!loop && loop_new(&loop))
		return -1;
	config.loop = loop;
	return console_new(&config, ret);
}

static int make_block(struct vdev **ret)
{
	static struct loop *loop;

	if (!loop && loop_new(&loop))
		return -1;
	*ret = fuzz_disk_new(loop, 0);
	return 0;
}

/** make_net() - over sockets that nobody reads; a few at a time exist. */
static int make_net(struct vdev **ret)
{
	static struct net_policy policy;
	static struct loop *loop;
	static int fd[8][2];
	static unsigned next;
	struct net_config config = {
		.mac = {2, 0, 0, 0, 0, 1},
		.mtu = 1500,
		.kind = NET_LINK_SEQPACKET,
		.offloads = true,
		.uso = true,
		.pairs = 1,
		.policy = &policy,
	};

	if (!loop) {
		net_policy_init(&policy);
		if (loop_new(&loop))
			return -1;
		for (unsigned i = 0; i < 8; i++) {
			if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
				       0, fd[i]))
				return -1;
		}
	}
	config.loop = loop;
	config.fd[0] = fd[next++ % 8][0];
	return net_new(&config, ret);
}

static int make_pmem(struct vdev **ret)
{
	static const struct pmem_config config = {1ull << 32, 4u << 20};

	return pmem_new(&config, ret);
}

static int make_vsock(struct vdev **ret)
{
	static struct loop *loop;
	struct vsock_config config = {
		.cid = 3, .connections = 4, .helper_fd = -1};

	if (!loop && loop_new(&loop))
		return -1;
	config.loop = loop;
	return vsock_new(&config, ret);
}

static int keep_pages(void *ctx, void *hva, size_t bytes, bool zero)
{
	(void)ctx;
	sink += bytes + zero + !hva;
	return 0;
}

static int make_balloon(struct vdev **ret)
{
	static struct loop *loop;
	struct balloon_config config = {.give_back = keep_pages};

	if (!loop && loop_new(&loop))
		return -1;
	config.loop = loop;
	return balloon_new(&config, ret);
}

static const struct {
	uint8_t id; /* device_id, its low byte; the harness: 255 */
	int (*make)(struct vdev **ret);
} makers[] = {
	{VIRTIO_ID_RNG, make_rng},         {255, make_harness},
	{VIRTIO_ID_CONSOLE, make_console}, {VIRTIO_ID_BLOCK, make_block},
	{VIRTIO_ID_NET, make_net},         {VIRTIO_ID_PMEM, make_pmem},
	{VIRTIO_ID_VSOCK, make_vsock},     {VIRTIO_ID_BALLOON, make_balloon},
};

struct vdev *device_make(uint8_t which)
{
	size_t row = which % ROWS;
	struct vdev *vd;

	for (size_t i = 0; i < ROWS; i++) {
		if (makers[i].id == which)
			row = i;
	}
	if (makers[row].make(&vd))
		abort();
	return vd;
}
