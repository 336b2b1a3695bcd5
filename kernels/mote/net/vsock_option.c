/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_option.c - options of AF_VSOCK, and /dev/vsock, which tells the VM's
 * own address. */
#include <linux/errno.h>
#include <stddef.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/net/socket.h"
#include "kernels/mote/net/vsock.h"
#include "kernels/mote/proc/time.h"

#define GET_LOCAL_CID 0x7b9u /* IOCTL_VM_SOCKETS_GET_LOCAL_CID */

enum vsock_option { /* SO_VM_SOCKETS_* of linux/vm_sockets.h */
	BUFFER_SIZE = 0,
	BUFFER_MIN = 1,
	BUFFER_MAX = 2,
	CONNECT_TIMEOUT_OLD = 6,
	CONNECT_TIMEOUT_NEW = 8,
};

static void set_size(struct socket *s, uint64_t value)
{
	value = MIN(value, s->vs.buffer_max);
	s->vs.buffer = MAX(value, s->vs.buffer_min);
}

static int set_buffer(struct socket *s, int name, uint64_t user, uint64_t bytes)
{
	uint64_t value;

	if (bytes < sizeof(value))
		return -EINVAL;
	if (copy_from_user(&value, user, sizeof(value)))
		return -EFAULT;
	value = MIN(value, UINT32_MAX);
	if (name == BUFFER_MIN)
		s->vs.buffer_min = value;
	else if (name == BUFFER_MAX)
		s->vs.buffer_max = value;
	set_size(s, name == BUFFER_SIZE ? value : s->vs.buffer);
	return 0;
}

static int set_timeout(struct socket *s, uint64_t user, uint64_t bytes)
{
	struct timeval64 t;

	if (bytes < sizeof(t))
		return -EINVAL;
	if (copy_from_user(&t, user, sizeof(t)))
		return -EFAULT;
	if (t.sec < 0 || t.usec < 0 || t.usec >= 1000000 ||
	    t.sec >= INT64_MAX / (int64_t)NS_PER_SEC)
		return -ERANGE;
	s->vs.connect_ns =
		(uint64_t)t.sec * NS_PER_SEC + (uint64_t)t.usec * 1000;
	if (!s->vs.connect_ns) /* the default */
		s->vs.connect_ns = 2 * NS_PER_SEC;
	return 0;
}

int vsock_setsockopt(struct socket *s, int name, uint64_t user, uint64_t bytes)
{
	switch (name) {
	case BUFFER_SIZE:
	case BUFFER_MIN:
	case BUFFER_MAX:
		return set_buffer(s, name, user, bytes);
	case CONNECT_TIMEOUT_OLD:
	case CONNECT_TIMEOUT_NEW:
		return set_timeout(s, user, bytes);
	default:
		return -ENOPROTOOPT;
	}
}

int vsock_getsockopt(const struct socket *s, int name, void *value,
		     uint32_t room, uint32_t *ret_bytes)
{
	struct timeval64 t = {
		.sec = (int64_t)(s->vs.connect_ns / NS_PER_SEC),
		.usec = (int64_t)(s->vs.connect_ns % NS_PER_SEC / 1000),
	};
	const void *from = &s->vs.buffer;

	*ret_bytes = sizeof(uint64_t);
	switch (name) {
	case BUFFER_SIZE:
		break;
	case BUFFER_MIN:
		from = &s->vs.buffer_min;
		break;
	case BUFFER_MAX:
		from = &s->vs.buffer_max;
		break;
	case CONNECT_TIMEOUT_OLD:
	case CONNECT_TIMEOUT_NEW:
		from = &t;
		*ret_bytes = sizeof(t);
		break;
	default:
		return -ENOPROTOOPT;
	}
	if (room < *ret_bytes)
		return -EINVAL;
	memcpy(value, from, *ret_bytes);
	return 0;
}

/* /dev/vsock */

static long vsock_dev_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
	uint32_t cid;

	if ((uint32_t)cmd != GET_LOCAL_CID)
		return -ENOTTY;
	cid = vsock_up() ? (uint32_t)vsock_cid() : VMADDR_ANY;
	return copy_to_user(arg, &cid, sizeof(cid));
}

static const struct file_ops vsock_dev_ops = {.ioctl = vsock_dev_ioctl};

const struct inode_ops vsock_inode_ops = {.file_ops = &vsock_dev_ops};
