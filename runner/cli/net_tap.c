/* SPDX-License-Identifier: Apache-2.0 */
/* net_tap.c - see net_tap.h. */
#include "runner/cli/net_tap.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "devices-virtio/net_header.h"
#include "runner/cli/problem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* The kernel puts a number there. */
#define OWN_NAME "ampoule%d"

static int cannot(const struct net_option *o, int error, struct problem *why)
{
	const char *name = o->tap[0] ? o->tap : "a tap of its own";

	if (o->tap_fd >= 0)
		return problem_set(why, EXIT_AMPOULE,
				   "--net tap=fd:%d: %s; hand over one open "
				   "tap, made with IFF_TAP, IFF_NO_PI and "
				   "IFF_VNET_HDR, without queues=",
				   o->tap_fd, error_text(error));
	switch (error) {
	case EPERM:
	case EACCES:
		return problem_set(why, EXIT_AMPOULE,
				   "--net tap: %s takes root; without, use "
				   "--net user, or let root make one for you: "
				   "'ip tuntap add NAME mode tap user %u "
				   "vnet_hdr', then --net tap=NAME",
				   name, (unsigned)getuid());
	case EBUSY:
		return problem_set(why, EXIT_AMPOULE,
				   "--net tap: %s is in use by another process",
				   name);
	case EINVAL:
		return problem_set(why, EXIT_AMPOULE,
				   "--net tap: %s is no tap, or has another "
				   "number of queues than asked for with "
				   "queues=",
				   name);
	case EDESTADDRREQ:
		return problem_set(why, EXIT_AMPOULE,
				   "--net tap: a tap of its own needs the "
				   "guest's IPv4 address and, as the host's, a "
				   "gateway in its network, such as "
				   "address=10.0.0.2/24,gateway=10.0.0.1; or "
				   "neither");
	default:
		return problem_set(why, EXIT_AMPOULE,
				   "--net tap: cannot open %s: %s", name,
				   error_text(error));
	}
}

/** is_ready() - our header, and no offload until the guest asks for some. */
static bool is_ready(int fd)
{
	int header = (int)NET_HEADER_BYTES;

	return ioctl(fd, TUNSETVNETHDRSZ, &header) == 0 &&
	       ioctl(fd, TUNSETOFFLOAD, 0) == 0;
}

/** take_over() - the tap that our caller opened. Return: 0, -EBADF: it is not
 * open, -ENOTTY: no tap at all, -EINVAL: one of another shape. */
static int take_over(struct net_tap *tap, const struct net_option *o)
{
	cleanup_fd int fd = fcntl(o->tap_fd, F_DUPFD_CLOEXEC, 3);
	const short shape = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	struct ifreq ifr = {0};

	if (fd < 0)
		return -errno;
	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return errno == EBADFD ? -EINVAL : -ENOTTY;
	if ((ifr.ifr_flags & shape) != shape || o->queues > 1)
		return -EINVAL;
	if (fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0 || !is_ready(fd))
		return -errno;
	memcpy(tap->name, ifr.ifr_name, sizeof(tap->name));
	tap->mtu = o->mtu ? o->mtu : 1500;
	tap->fd[tap->count++] = steal_fd(&fd);
	return 0;
}

/** attach() - one more queue of the tap called @tap->name. Return: 0, -errno.
 */
static int attach(struct net_tap *tap, bool many)
{
	cleanup_fd int fd =
		open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct ifreq ifr = {0};

	if (fd < 0)
		return -errno;
	memcpy(ifr.ifr_name, tap->name, sizeof(ifr.ifr_name));
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
	if (many)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return -errno;
	if (!is_ready(fd))
		return -errno;
	memcpy(tap->name, ifr.ifr_name, sizeof(tap->name));
	tap->fd[tap->count++] = steal_fd(&fd);
	return 0;
}

/** look_for_uso() - Linux 6.2 and on. */
static void look_for_uso(struct net_tap *tap)
{
	unsigned flags = TUN_F_CSUM | NET_TUN_F_USO4 | NET_TUN_F_USO6;

	tap->uso = ioctl(tap->fd[0], TUNSETOFFLOAD, flags) == 0;
	ioctl(tap->fd[0], TUNSETOFFLOAD, 0);
}

/** set_addr() - an IPv4 address or mask of the interface. */
static int set_addr(int sock, const struct net_tap *tap, unsigned long request,
		    const uint8_t v4[4])
{
	struct ifreq ifr = {0};
	struct sockaddr_in sin = {.sin_family = AF_INET};

	memcpy(&sin.sin_addr, v4, 4);
	memcpy(ifr.ifr_name, tap->name, sizeof(tap->name));
	memcpy(&ifr.ifr_addr, &sin, sizeof(sin));
	return ioctl(sock, request, &ifr) < 0 ? -errno : 0;
}

/** bring_up() - our own tap: an address of the host's on it. */
static int bring_up(int sock, const struct net_tap *tap,
		    const struct net_option *o)
{
	uint32_t bits = o->own[0].bits - 96u;
	uint32_t mask = htonl(bits ? UINT32_MAX << (32 - bits) : 0);
	struct ifreq ifr = {0};
	uint8_t mask_bytes[4];
	int err;

	memcpy(mask_bytes, &mask, sizeof(mask_bytes));
	memcpy(ifr.ifr_name, tap->name, sizeof(tap->name));
	if (o->mtu) {
		ifr.ifr_mtu = (int)o->mtu;
		if (ioctl(sock, SIOCSIFMTU, &ifr) < 0)
			return -errno;
	}
	err = set_addr(sock, tap, SIOCSIFADDR, o->gateway.b + 12);
	if (!err)
		err = set_addr(sock, tap, SIOCSIFNETMASK, mask_bytes);
	if (err)
		return err;
	if (ioctl(sock, SIOCGIFFLAGS, &ifr) < 0)
		return -errno;
	ifr.ifr_flags |= IFF_UP;
	return ioctl(sock, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
}

/** choose() - what its own tap's network is, unless it was said. */
static int choose(const struct net_tap *tap, struct net_option *o)
{
	uint32_t n = if_nametoindex(tap->name);
	uint8_t host[4] = {172, 31, (uint8_t)(n >> 6), (uint8_t)(n << 2 | 1)};
	uint8_t guest[4] = {172, 31, host[2], (uint8_t)(host[3] + 1)};

	if (!o->own_count && !o->any_source) {
		o->own[o->own_count++] =
			(struct net_prefix){net_addr_v4(guest), 126, {0}};
		if (!o->has_gateway)
			o->gateway = net_addr_v4(host);
		o->has_gateway = true;
	}
	return o->own_count && o->has_gateway &&
			       net_addr_is_v4(&o->own[0].addr) &&
			       net_addr_in(&o->gateway, &o->own[0])
		       ? 0
		       : -EDESTADDRREQ;
}

static int configure(struct net_tap *tap, struct net_option *o)
{
	cleanup_fd int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {0};
	int err = 0;

	if (sock < 0)
		return -errno;
	if (!o->tap[0])
		err = choose(tap, o);
	if (!err && !o->tap[0])
		err = bring_up(sock, tap, o);
	if (err)
		return err;
	memcpy(ifr.ifr_name, tap->name, sizeof(tap->name));
	if (ioctl(sock, SIOCGIFMTU, &ifr) < 0)
		return -errno;
	tap->mtu = (uint32_t)ifr.ifr_mtu;
	return 0;
}

/** open_queues() - of an interface of this network namespace. */
static int open_queues(struct net_tap *tap, struct net_option *o)
{
	uint32_t queues = o->queues ? o->queues : 1;
	int err = 0;

	while (!err && tap->count < queues)
		err = attach(tap, queues > 1);
	return err ? err : configure(tap, o);
}

int net_tap_open(struct net_option *o, struct net_tap *ret, struct problem *why)
{
	int err;

	*ret = (struct net_tap){.count = 0};
	(void)snprintf(ret->name, sizeof(ret->name), "%s",
		       o->tap[0] ? o->tap : OWN_NAME);
	/* Or the kernel would make one of that name. */
	if (o->tap[0] && !if_nametoindex(o->tap))
		return problem_set(why, EXIT_AMPOULE,
				   "--net tap=%s: there is no such interface; "
				   "make it with 'ip tuntap add %s mode tap "
				   "vnet_hdr', or use --net tap for one that "
				   "lives as long as the VM",
				   o->tap, o->tap);
	err = o->tap_fd >= 0 ? take_over(ret, o) : open_queues(ret, o);
	if (!err)
		look_for_uso(ret);
	return err ? cannot(o, -err, why) : 0;
}

void net_tap_done(struct net_tap *tap)
{
	for (uint32_t i = 0; i < tap->count; i++)
		cleanup_fd_run(&tap->fd[i]);
	tap->count = 0;
}
