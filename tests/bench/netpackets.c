/* SPDX-License-Identifier: Apache-2.0 */
/* netpackets.c - what the network device costs a packet, without a guest: a
 * driver in plain memory, a real tap in a network namespace of its own, the
 * host's kernel behind it. Beside each figure the same packets by bare system
 * calls on the same tap: what is between them is the device. As root. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "devices-virtio/net.h"
#include "runner/cli/net_tap.h"
#include "runner/cli/problem.h"
#include "tests/unit/fake_driver.h"
#include "tests/unit/net_frames.h"

#define ME     "10.77.0.2"
#define HOST   "10.77.0.1"
#define BATCH  64u
#define ROUNDS 2000u
#define OUT    1u
#define FEATURES                                                               \
	(1ull << VIRTIO_NET_F_CSUM | 1ull << VIRTIO_NET_F_HOST_TSO4 |          \
	 1ull << VIRTIO_NET_F_MRG_RXBUF)

static struct fake_driver drv;
static struct net_policy policy;
static struct net_tap tap;

static struct vdev *new_device(void)
{
	struct net_config config = {
		.mtu = (uint16_t)tap.mtu,
		.kind = NET_LINK_TAP,
		.offloads = true,
		.pairs = 1,
		.policy = &policy,
	};
	struct vdev *vd;

	net_policy_init(&policy);
	policy.own_count = policy.rule_count = 1;
	policy.own[0] = (struct net_prefix){frame_addr(ME), 128, {0}};
	policy.rule[0].to = (struct net_prefix){frame_addr(HOST), 128, {0}};
	policy.rule[0].service.last = UINT16_MAX;
	memcpy(config.mac, frame_mac, NET_MAC_BYTES);
	config.fd[0] = tap.fd[0];
	if (loop_new(&config.loop) || net_new(&config, &vd))
		abort();
	return vd;
}

/** packet() - in the driver's memory; @bytes of UDP data. Return: its bytes */
static uint32_t packet(uint32_t bytes)
{
	static uint8_t data[1472];
	struct frame f;

	frame_udp(&f, true, ME, 9, HOST, 9, data, bytes);
	memcpy(drv_at(&drv, DRV_DATA + NET_HEADER_BYTES), f.b, f.len);
	return NET_HEADER_BYTES + f.len;
}

static double by_device(uint32_t bytes)
{
	uint64_t start = clock_now_ns();

	for (unsigned n = 0; n < ROUNDS; n++) {
		for (unsigned i = 0; i < BATCH; i++)
			drv_send(&drv, OUT, DRV_DATA, bytes, 0);
		drv_kick(&drv, OUT);
	}
	return (double)(clock_now_ns() - start) / (ROUNDS * BATCH);
}

static double by_writev(uint32_t bytes)
{
	uint64_t start = clock_now_ns();

	for (unsigned n = 0; n < ROUNDS * BATCH; n++) {
		struct iovec iov = {drv_at(&drv, DRV_DATA), bytes};

		if (writev(tap.fd[0], &iov, 1) < 0)
			abort();
	}
	return (double)(clock_now_ns() - start) / (ROUNDS * BATCH);
}

int main(void)
{
	static const uint32_t sizes[] = {18, 1472};
	struct net_option o;
	struct problem why;

	if (geteuid() || unshare(CLONE_NEWNET)) {
		printf("skip netpackets # needs root\n");
		return 0;
	}
	net_option_init(&o);
	if (net_option_set(&o, "tap,address=" ME "/24,gateway=" HOST) ||
	    net_tap_open(&o, &tap, &why))
		abort();
	drv_attach(&drv, new_device());
	drv_start(&drv, FEATURES, 256);
	for (unsigned i = 0; i < 2; i++) {
		uint32_t bytes = packet(sizes[i]);
		double bare = by_writev(bytes), ours = by_device(bytes);

		printf("from the guest, %4u bytes: %5.0f ns a packet "
		       "(%.0f kpackets/s), bare writev %5.0f ns, ratio %.2f\n",
		       bytes - NET_HEADER_BYTES, ours, 1e6 / ours, bare,
		       ours / bare);
	}
	if (net_usage(drv.vd).packets_out != 2ull * ROUNDS * BATCH)
		return 1;
	return 0;
}
