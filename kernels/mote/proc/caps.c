/* SPDX-License-Identifier: Apache-2.0 */
/* caps.c - capabilities, as far as programs ask for them: root has all, and
 * nobody else any. Changes are remembered nowhere. */
#include <errno.h>
#include <linux/capability.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"

#define CAPS_ALL ((1ull << (CAP_LAST_CAP + 1)) - 1)

/* How many 32-bit words the version in the header asks for; an unknown one
 * gets ours written back. */
static long words_of(uint64_t header_at)
{
	struct __user_cap_header_struct h;

	if (copy_from_user(&h, header_at, sizeof(h)) < 0)
		return -EFAULT;
	if (h.pid != 0 && h.pid != current_process()->pid)
		return -ESRCH;
	if (h.version == _LINUX_CAPABILITY_VERSION_1)
		return 1;
	if (h.version == _LINUX_CAPABILITY_VERSION_2 ||
	    h.version == _LINUX_CAPABILITY_VERSION_3)
		return 2;
	h.version = _LINUX_CAPABILITY_VERSION_3;
	if (copy_to_user(header_at, &h, sizeof(h)) < 0)
		return -EFAULT;
	return -EINVAL;
}

long sys_capget(struct regs *r)
{
	struct __user_cap_data_struct d[2] = {0};
	uint64_t caps = current_process()->uid == 0 ? CAPS_ALL : 0;
	long n = words_of(ARG0(r));

	if (n < 0)
		return n == -EINVAL && !ARG1(r) ? 0 : n;
	for (long i = 0; i < n; i++, caps >>= 32)
		d[i].effective = d[i].permitted = (uint32_t)caps;
	return copy_to_user(ARG1(r), d, (size_t)n * sizeof(d[0]));
}

long sys_capset(struct regs *r)
{
	struct __user_cap_data_struct d[2] = {0};
	long n = words_of(ARG0(r));

	if (n < 0)
		return n;
	if (copy_from_user(d, ARG1(r), (size_t)n * sizeof(d[0])) < 0)
		return -EFAULT;
	if (current_process()->uid != 0 && (d[0].effective || d[1].effective))
		return -EPERM;
	return 0;
}
