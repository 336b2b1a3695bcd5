/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - do the rate limits of the entropy and the network device give what
 * they are set to? A driver that always has more to do, without a guest; the
 * device, its loop and its timer are real. Prints a line a limit: name, unit,
 * setting (0: none), what passed a second.   limits MS */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop.h"
#include "devices-virtio/rng.h"
#include "tests/unit/net_rig.h"

#define WARM_MS    200u /* until a full bucket is empty */
#define RING       64u
#define MRG        (1ull << VIRTIO_NET_F_MRG_RXBUF)
#define PACKET     1400u /* bytes of UDP data */
#define NOT_OF_NET NET_RATES

static struct net_rig rig;
static struct frame frame;

struct job {
	const char *name, *unit;
	unsigned rate; /* enum net_rate, or NOT_OF_NET: the entropy device */
	uint64_t setting;
};

/* What one buffer is to the limit. */
struct flow {
	struct fake_driver *drv;
	unsigned queue;
	uint32_t bytes, tokens;
	uint16_t flags;
};

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

/** turn() - take what came back and offer it again. Return: buffers. */
static uint64_t turn(const struct flow *f)
{
	unsigned count = drv_used_count(f->drv, f->queue);
	struct drv_used used;

	for (unsigned i = 0; i < count; i++) {
		must(drv_take(f->drv, f->queue, &used));
		drv_send(f->drv, f->queue, DRV_DATA + (used.id % RING) * 4096,
			 f->bytes, f->flags);
	}
	if (count)
		drv_kick(f->drv, f->queue);
	else
		nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	return count;
}

/** measure() - tokens a second, once the burst is gone. */
static double measure(const struct flow *f, unsigned ms)
{
	uint64_t start = clock_now_ns(), count = 0, now;

	for (unsigned i = 0; i < RING; i++)
		drv_send(f->drv, f->queue, DRV_DATA + i * 4096, f->bytes,
			 f->flags);
	drv_kick(f->drv, f->queue);
	while (clock_now_ns() - start < WARM_MS * NS_PER_MS)
		turn(f);
	start = clock_now_ns();
	do {
		count += turn(f);
		now = clock_now_ns();
	} while (now - start < ms * NS_PER_MS);
	return (double)(count * f->tokens) * 1e9 / (double)(now - start);
}

static struct plan_rate rate_of(const struct job *job)
{
	return (struct plan_rate){job->setting, job->setting / 50};
}

static double through_rng(const struct job *job, unsigned ms)
{
	static struct fake_driver drv;
	const struct flow f = {&drv, 0, RNG_CHAIN_BYTES, RNG_CHAIN_BYTES,
			       VRING_DESC_F_WRITE};
	struct rng_config config = {.bytes = rate_of(job)};
	struct vdev *vd;
	pthread_t thread;
	double rate;

	must(!loop_new(&config.loop));
	must(!rng_new(job->setting ? &config : NULL, &vd));
	drv_attach(&drv, vd);
	must(!pthread_create(&thread, NULL, run_loop, config.loop));
	drv_start(&drv, 0, RING);
	rate = measure(&f, ms);
	loop_stop(config.loop);
	must(!pthread_join(thread, NULL));
	drv_done(&drv);
	loop_free(config.loop);
	return rate;
}

/* The host's end, until it is shut down. */
static void *hear(void *arg)
{
	static uint8_t packet[NET_HEADER_BYTES + FRAME_BYTES];

	while (recv(rig.peer[0], packet, sizeof(packet), 0) > 0)
		;
	return arg;
}

static void *say(void *arg)
{
	static uint8_t packet[NET_HEADER_BYTES + FRAME_BYTES];

	memcpy(packet + NET_HEADER_BYTES, frame.b, frame.len);
	while (send(rig.peer[0], packet, NET_HEADER_BYTES + frame.len,
		    MSG_NOSIGNAL) > 0)
		;
	return arg;
}

static struct flow net_flow(bool out, bool packets)
{
	struct flow f = {&rig.drv, out ? RIG_OUT : RIG_IN,
			 NET_HEADER_BYTES + frame.len, 1,
			 out ? 0 : VRING_DESC_F_WRITE};

	if (!packets) /* virtio's header counts as well */
		f.tokens = f.bytes;
	for (unsigned i = 0; out && i < RING; i++)
		net_rig_put(&rig, DRV_DATA + i * 4096, NULL, &frame);
	return f;
}

static double through_net(const struct job *job, unsigned ms)
{
	static const uint8_t data[PACKET];
	bool out = job->rate == NET_RATE_BYTES_OUT ||
		   job->rate == NET_RATE_PACKETS_OUT;
	bool packets = job->rate == NET_RATE_PACKETS_OUT ||
		       job->rate == NET_RATE_PACKETS_IN;
	struct flow f;
	pthread_t peer;
	double rate;

	net_rig_init(&rig, NET_LINK_SEQPACKET, 1);
	rig.config.rate[job->rate] = rate_of(job);
	net_rig_start(&rig, MRG, RING);
	frame.len = 0;
	frame_udp(&frame, out, out ? RIG_ME : "192.0.2.1", 9,
		  out ? "192.0.2.1" : RIG_ME, 9, data, packets ? 18 : PACKET);
	f = net_flow(out, packets);
	if (!out) { /* an answer to what the guest has said */
		struct frame hello = {.len = 0};

		frame_udp(&hello, true, RIG_ME, 9, "192.0.2.1", 9, data, 18);
		net_rig_send(&rig, NULL, &hello);
	}
	must(!pthread_create(&peer, NULL, out ? hear : say, NULL));
	rate = measure(&f, ms);
	shutdown(rig.peer[0], SHUT_RDWR);
	must(!pthread_join(peer, NULL));
	net_rig_done(&rig);
	return rate;
}

int main(int argc, char **argv)
{
	static const struct job jobs[] = {
		{"entropy", "bytes", NOT_OF_NET, 1u << 20},
		{"entropy", "bytes", NOT_OF_NET, 16u << 20},
		{"entropy", "bytes", NOT_OF_NET, 0},
		{"net out", "packets", NET_RATE_PACKETS_OUT, 1000},
		{"net out", "packets", NET_RATE_PACKETS_OUT, 10000},
		{"net out", "packets", NET_RATE_PACKETS_OUT, 0},
		{"net out", "bytes", NET_RATE_BYTES_OUT, 10u << 20},
		{"net out", "bytes", NET_RATE_BYTES_OUT, 0},
		{"net in", "packets", NET_RATE_PACKETS_IN, 1000},
		{"net in", "packets", NET_RATE_PACKETS_IN, 10000},
		{"net in", "packets", NET_RATE_PACKETS_IN, 0},
		{"net in", "bytes", NET_RATE_BYTES_IN, 10u << 20},
		{"net in", "bytes", NET_RATE_BYTES_IN, 0},
	};
	unsigned ms = argc > 1 ? (unsigned)atoi(argv[1]) : 2000;

	/* No words about links: each host's end goes before its device. */
	log_set_level(LOG_LEVEL_ERROR);
	for (unsigned i = 0; i < sizeof(jobs) / sizeof(*jobs); i++) {
		const struct job *job = &jobs[i];
		double rate = job->rate == NOT_OF_NET ? through_rng(job, ms)
						      : through_net(job, ms);

		printf("%s\t%s\t%llu\t%.0f\n", job->name, job->unit,
		       (unsigned long long)job->setting, rate);
		(void)fflush(stdout);
	}
	return 0;
}
