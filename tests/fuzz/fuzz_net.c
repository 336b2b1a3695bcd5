/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_net.c - a network device whose driver and whose host are the input. The
 * first byte: packets or a stream, queue pairs, rate limits. The host sends
 * what the input says, reads all there is, or is gone. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/loop.h"
#include "devices-virtio/net.h"
#include "tests/fuzz/session.h"

#define PAIRS 2u

struct host {
	struct loop *loop;
	int ours[PAIRS], theirs[PAIRS];
	unsigned pairs;
};

/** one_batch() - what the loop's thread would do next, in this one. */
static void one_batch(struct host *h)
{
	loop_stop(h->loop);
	if (loop_run(h->loop))
		abort();
}

static void drain(int fd)
{
	static uint8_t bytes[1 << 18];

	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
}

static void act(void *arg, struct fuzz_input *in)
{
	uint8_t op = fuzz_u8(in), bytes[2048];
	struct host *h = arg;
	int *fd = &h->theirs[op % h->pairs];
	size_t n = fuzz_u16(in) % sizeof(bytes);

	if (op < 160 && *fd >= 0) {
		fuzz_take(in, bytes, n);
		(void)!send(*fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else if (op < 220 && *fd >= 0) {
		drain(*fd);
	} else if (op < 224 && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	one_batch(h);
}

static void open_host(struct host *h, unsigned pairs, bool stream)
{
	*h = (struct host){.pairs = pairs};
	if (loop_new(&h->loop))
		abort();
	for (unsigned i = 0; i < pairs; i++) {
		int fd[2];

		if (socketpair(AF_UNIX, stream ? SOCK_STREAM : SOCK_SEQPACKET,
			       0, fd) ||
		    fd_set_nonblock(fd[0], true))
			abort();
		h->ours[i] = fd[0];
		h->theirs[i] = fd[1];
	}
}

static struct vdev *new_net(const struct host *h, uint8_t how)
{
	static const uint8_t me[] = {10, 0, 2, 15};
	bool stream = how & 1;
	struct net_policy p;
	struct net_config config = {
		.mac = {2, 0, 0, 0, 0, 1},
		.mtu = how & 2 ? 1500 : 65520,
		.kind = stream ? NET_LINK_STREAM : NET_LINK_SEQPACKET,
		.offloads = !stream,
		.uso = !stream,
		.pairs = h->pairs,
		.policy = &p,
		.loop = h->loop,
	};
	struct vdev *vd;

	net_policy_init(&p);
	p.own_count = 1;
	p.own[0] = (struct net_prefix){net_addr_v4(me), 128, {0}};
	p.rule_count = 1; /* all of IPv4 */
	p.rule[0].to = (struct net_prefix){net_addr_v4(me), 96, {0}};
	p.rule[0].service.last = UINT16_MAX;
	p.name_count = how >> 3 & 1;
	strcpy(p.name[0].name, "a.b");
	if (how & 4)
		config.rate[NET_RATE_BYTES_OUT].per_second = 1000;
	memcpy(config.fd, h->ours, sizeof(h->ours));
	if (net_new(&config, &vd))
		abort();
	return vd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct session session;
	struct fuzz_input in = {data, size};
	bool recorded = session_is(&in); /* of one pair, most often */
	uint8_t how = recorded ? 0 : fuzz_u8(&in);
	struct host host;
	struct vdev *vd;

	/* As in the VMM: a host that is gone is an error, not the end. */
	(void)signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_ERROR);
	open_host(&host, how & 1 || how & 16 ? 1 : PAIRS, how & 1);
	vd = new_net(&host, how);
	session_play(&session, vd, &in, act, &host);
	vdev_free(vd);
	loop_free(host.loop);
	for (unsigned i = 0; i < host.pairs; i++) {
		close(host.ours[i]);
		if (host.theirs[i] >= 0)
			close(host.theirs[i]);
	}
	return 0;
}
