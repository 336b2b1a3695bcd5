/* SPDX-License-Identifier: Apache-2.0 */
/* sockopt.c - setsockopt(2), getsockopt(2): options that are no plain number,
 * or have a meaning besides their value; all others are in option.c. */
#include <linux/errno.h>
#include <linux/tcp.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/net/inet.h"
#include "kernels/mote/net/option.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/socket_call.h"
#include "kernels/mote/net/tcp.h"
#include "kernels/mote/net/vsock.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"

#define IP_MEMBERSHIP_ADD 35 /* and what lies between, to ... */
#define IP_MEMBERSHIP_END 48
#define US_PER_SEC        1000000
#define SEGMENT_BYTES     65483u /* what the loopback interface takes */

static const char congestion[] = "cubic";

struct value { /* an option's value in the kernel */
	uint32_t bytes;
	union {
		int number;
		struct linger {
			int on, seconds;
		} linger;
		struct timeval64 time;
		struct cred cred;
		struct tcp_info info;
		char text[16];
	};
};

static void put_number(struct value *v, int number)
{
	v->number = number;
	v->bytes = sizeof(number);
}

static void put_timeout(struct value *v, uint64_t ns)
{
	v->bytes = sizeof(v->time);
	v->time = (struct timeval64){0};
	if (ns == WAIT_FOREVER)
		return;
	v->time.sec = (int64_t)(ns / NS_PER_SEC);
	v->time.usec = (int64_t)(ns % NS_PER_SEC / 1000);
}

static int set_timeout(uint64_t user, uint64_t bytes, uint64_t *ret_ns)
{
	struct timeval64 t;

	if (bytes < sizeof(t))
		return -EINVAL;
	if (copy_from_user(&t, user, sizeof(t)))
		return -EFAULT;
	if (t.usec < 0 || t.usec >= US_PER_SEC)
		return -EDOM;
	*ret_ns = WAIT_FOREVER;
	if (t.sec < 0)
		*ret_ns = 0;
	else if ((t.sec || t.usec) && t.sec < INT64_MAX / (int64_t)NS_PER_SEC)
		*ret_ns =
			(uint64_t)t.sec * NS_PER_SEC + (uint64_t)t.usec * 1000;
	return 0;
}

static int set_linger(struct socket *s, uint64_t user, uint64_t bytes)
{
	struct linger l;

	if (bytes < sizeof(l))
		return -EINVAL;
	if (copy_from_user(&l, user, sizeof(l)))
		return -EFAULT;
	s->option[OPTION_LINGER] = l.on != 0;
	if (l.on)
		s->option[OPTION_LINGER_TIME] = l.seconds;
	return 0;
}

static bool is_tcp(const struct socket *s)
{
	return s->type == SOCK_STREAM &&
	       (s->domain == AF_INET || s->domain == AF_INET6);
}

/* There is one algorithm to ask for, under the names programs know. */
static int set_congestion(uint64_t user, uint64_t bytes)
{
	char name[16] = "";

	bytes = MIN(bytes, sizeof(name) - 1);
	if (copy_from_user(name, user, bytes))
		return -EFAULT;
	if (!strcmp(name, congestion) || !strcmp(name, "reno"))
		return 0;
	return -ENOENT;
}

static int set_device(uint64_t user, uint64_t bytes)
{
	char name[16] = "";

	if (copy_from_user(name, user, MIN(bytes, sizeof(name) - 1)))
		return -EFAULT;
	return !*name || !strcmp(name, "lo") ? 0 : -ENODEV;
}

/* Options of SOL_SOCKET that are not a number. 1: it is one. */
static int set_special(struct socket *s, int name, uint64_t user,
		       uint64_t bytes)
{
	switch (name) {
	case SO_LINGER:
		return set_linger(s, user, bytes);
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return set_timeout(user, bytes, &s->recv_timeout_ns);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return set_timeout(user, bytes, &s->send_timeout_ns);
	case SO_BINDTODEVICE:
		return set_device(user, bytes);
	default:
		return 1;
	}
}

/* Numbers under another name, or that not every socket may set. */
static int set_number(struct socket *s, int level, int name, int value)
{
	if (level == SOL_SOCKET && name == SO_SNDBUFFORCE)
		name = SO_SNDBUF;
	if (level == SOL_SOCKET && name == SO_RCVBUFFORCE)
		name = SO_RCVBUF;
	if (level == SOL_SOCKET && name == SO_REUSEPORT && s->domain == AF_UNIX)
		return -EOPNOTSUPP;
	if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY && s->inet.link)
		return -EINVAL;
	if (level == IPPROTO_IP && name >= IP_MEMBERSHIP_ADD &&
	    name <= IP_MEMBERSHIP_END)
		return -ENODEV; /* no interface for groups */
	return option_set(s, level, name, value);
}

static int get_number(uint64_t user, uint64_t bytes, int level, int *ret)
{
	uint8_t byte;

	/* IP options may be a byte long. */
	if (level == IPPROTO_IP && bytes >= 1 && bytes < sizeof(*ret)) {
		if (copy_from_user(&byte, user, sizeof(byte)))
			return -EFAULT;
		*ret = byte;
		return 0;
	}
	if (bytes < sizeof(*ret))
		return -EINVAL;
	return copy_from_user(ret, user, sizeof(*ret));
}

long sys_setsockopt(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	int level = (int)ARG1(r), name = (int)ARG2(r), value;
	uint64_t user = ARG3(r);
	uint32_t bytes = (uint32_t)ARG4(r);
	struct socket *s;
	int err = socket_get((int)ARG0(r), &f, &s);

	if (!err && (int)bytes < 0)
		err = -EINVAL;
	if (err)
		return err;
	if (level == SOL_SOCKET) {
		err = set_special(s, name, user, bytes);
		if (err <= 0)
			return err;
	}
	if (s->domain == AF_VSOCK && level == AF_VSOCK)
		return vsock_setsockopt(s, name, user, bytes);
	if (level == IPPROTO_TCP && name == TCP_CONGESTION && is_tcp(s))
		return set_congestion(user, bytes);
	err = get_number(user, bytes, level, &value);
	return err ? err : set_number(s, level, name, value);
}

static void get_info(const struct socket *s, struct value *v)
{
	v->bytes = sizeof(v->info);
	v->info = (struct tcp_info){
		.tcpi_state = (uint8_t)tcp_state(s),
		.tcpi_snd_mss = SEGMENT_BYTES,
		.tcpi_rcv_mss = SEGMENT_BYTES,
		.tcpi_pmtu = 65535,
		.tcpi_rtt = 10,
		.tcpi_rttvar = 5,
		.tcpi_snd_cwnd = 10,
		.tcpi_advmss = SEGMENT_BYTES,
	};
	if (s->state == SOCKET_LISTENING) {
		v->info.tcpi_unacked = s->accept.count;
		v->info.tcpi_sacked = s->accept.backlog;
	}
}

/* What SOL_SOCKET can only tell. 0, -errno; 1: something else. */
static int get_special(struct socket *s, int name, struct value *v)
{
	switch (name) {
	case SO_ERROR:
		put_number(v, -socket_take_error(s));
		return 0;
	case SO_TYPE:
		put_number(v, s->type);
		return 0;
	case SO_DOMAIN:
		put_number(v, s->domain);
		return 0;
	case SO_PROTOCOL:
		put_number(v, s->protocol);
		return 0;
	case SO_ACCEPTCONN:
		put_number(v, s->state == SOCKET_LISTENING);
		return 0;
	case SO_SNDLOWAT:
		put_number(v, 1);
		return 0;
	case SO_LINGER:
		v->bytes = sizeof(v->linger);
		v->linger.on = s->option[OPTION_LINGER];
		v->linger.seconds = s->option[OPTION_LINGER_TIME];
		return 0;
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		put_timeout(v, s->recv_timeout_ns);
		return 0;
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		put_timeout(v, s->send_timeout_ns);
		return 0;
	case SO_PEERCRED:
		v->bytes = sizeof(v->cred);
		v->cred = s->peer_cred.pid ? s->peer_cred
					   : (struct cred){0, ~0u, ~0u};
		return 0;
	case SO_BINDTODEVICE:
	case SO_PEERGROUPS:
		v->bytes = 0;
		return 0;
	default:
		return 1;
	}
}

static int get_value(struct socket *s, int level, int name, struct value *v)
{
	int r = level == SOL_SOCKET ? get_special(s, name, v) : 1;
	int number = 0;

	if (r <= 0)
		return r;
	if (level == IPPROTO_TCP && is_tcp(s)) {
		if (name == TCP_INFO) {
			get_info(s, v);
			return 0;
		}
		if (name == TCP_CONGESTION) {
			v->bytes = sizeof(v->text);
			memset(v->text, 0, sizeof(v->text));
			strscpy(v->text, congestion, sizeof(v->text));
			return 0;
		}
	}
	r = option_get(s, level, name, &number);
	put_number(v, number);
	return r;
}

long sys_getsockopt(struct regs *r)
{
	cleanup_file struct file *f = NULL;
	struct value v;
	struct socket *s;
	int room, err = socket_get((int)ARG0(r), &f, &s);

	if (!err)
		err = copy_from_user(&room, ARG4(r), sizeof(room));
	if (!err && room < 0)
		err = -EINVAL;
	if (!err && s->domain == AF_VSOCK && (int)ARG1(r) == AF_VSOCK)
		err = vsock_getsockopt(s, (int)ARG2(r), v.text, (uint32_t)room,
				       &v.bytes);
	else if (!err)
		err = get_value(s, (int)ARG1(r), (int)ARG2(r), &v);
	if (err)
		return err;
	room = MIN(room, (int)v.bytes);
	if (room && copy_to_user(ARG3(r), &v.number, (uint64_t)room))
		return -EFAULT;
	return copy_to_user(ARG4(r), &room, sizeof(room));
}
