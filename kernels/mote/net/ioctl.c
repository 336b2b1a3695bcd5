/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl.c - what waits in a socket, and the old way to ask for interfaces
 * (netdevice(7)). */
#include "kernels/mote/net/ioctl.h"

#include <asm/ioctls.h>
#include <linux/errno.h>
#include <linux/sockios.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/net/loopback.h"
#include "kernels/mote/net/socket.h"

#define ADDRESS_LOOPBACK 0x0100007fu /* 127.0.0.1 in network order */
#define ADDRESS_MASK     0x000000ffu /* 255.0.0.0 */

struct ifreq_x { /* struct ifreq */
	char name[16];
	union {
		struct sockaddr_in addr;
		struct {
			uint16_t family;
			uint8_t bytes[6];
		} hardware;
		int number;
		short flags;
		uint8_t raw[24];
	};
};

struct ifconf_x { /* struct ifconf */
	int bytes, pad;
	uint64_t user;
};

static void put_address(struct ifreq_x *q, uint32_t address)
{
	q->addr = (struct sockaddr_in){.sin_family = AF_INET};
	q->addr.sin_addr.s_addr = address;
}

static long list_interfaces(uint64_t user)
{
	struct ifreq_x q = {.name = LO_NAME};
	struct ifconf_x c;

	if (copy_from_user(&c, user, sizeof(c)))
		return -EFAULT;
	if (!c.user) {
		c.bytes = sizeof(q);
	} else if (c.bytes < (int)sizeof(q)) {
		c.bytes = 0;
	} else {
		put_address(&q, ADDRESS_LOOPBACK);
		c.bytes = sizeof(q);
		if (copy_to_user(c.user, &q, sizeof(q)))
			return -EFAULT;
	}
	return copy_to_user(user, &c, sizeof(c));
}

static long answer(struct ifreq_x *q, uint32_t cmd)
{
	switch (cmd) {
	case SIOCGIFFLAGS:
		q->flags = LO_FLAGS;
		return 0;
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
		put_address(q, ADDRESS_LOOPBACK);
		return 0;
	case SIOCGIFBRDADDR:
		put_address(q, 0);
		return 0;
	case SIOCGIFNETMASK:
		put_address(q, ADDRESS_MASK);
		return 0;
	case SIOCGIFMTU:
		q->number = LO_MTU;
		return 0;
	case SIOCGIFMETRIC:
		q->number = 0;
		return 0;
	case SIOCGIFINDEX:
		q->number = LO_INDEX;
		return 0;
	case SIOCGIFTXQLEN:
		q->number = LO_QUEUE;
		return 0;
	case SIOCGIFHWADDR:
		memset(q->raw, 0, sizeof(q->raw));
		q->hardware.family = LO_TYPE;
		return 0;
	default:
		return -ENOTTY;
	}
}

static long ask_interface(uint32_t cmd, uint64_t user)
{
	struct ifreq_x q;
	long err;

	if (copy_from_user(&q, user, sizeof(q)))
		return -EFAULT;
	q.name[sizeof(q.name) - 1] = '\0';
	if (cmd == SIOCGIFNAME) {
		if (q.number != LO_INDEX)
			return -ENODEV;
		strscpy(q.name, LO_NAME, sizeof(q.name));
		return copy_to_user(user, &q, sizeof(q));
	}
	if (strcmp(q.name, LO_NAME) != 0)
		return -ENODEV;
	err = answer(&q, cmd);
	return err ? err : copy_to_user(user, &q, sizeof(q));
}

static long put_int(uint64_t user, long value)
{
	int v = (int)value;

	return value < 0 ? value : copy_to_user(user, &v, sizeof(v));
}

long socket_ioctl(struct socket *s, uint32_t cmd, uint64_t arg)
{
	switch (cmd) {
	case FIONREAD:
		return s->ops->unread ? put_int(arg, s->ops->unread(s))
				      : -EOPNOTSUPP;
	case TIOCOUTQ:
		return s->ops->unsent ? put_int(arg, s->ops->unsent(s))
				      : -EOPNOTSUPP;
	case SIOCATMARK:
		return s->domain == AF_UNIX ? -ENOTTY : put_int(arg, 0);
	case SIOCGIFCONF:
		return list_interfaces(arg);
	case SIOCGIFNAME:
	case SIOCGIFFLAGS:
	case SIOCGIFADDR:
	case SIOCGIFDSTADDR:
	case SIOCGIFBRDADDR:
	case SIOCGIFNETMASK:
	case SIOCGIFMTU:
	case SIOCGIFMETRIC:
	case SIOCGIFINDEX:
	case SIOCGIFTXQLEN:
	case SIOCGIFHWADDR:
		return ask_interface(cmd, arg);
	default:
		return -ENOTTY;
	}
}
