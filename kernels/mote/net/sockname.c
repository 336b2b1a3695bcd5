/* SPDX-License-Identifier: Apache-2.0 */
/* sockname.c - socket addresses in and out of the program's memory. */
#include "kernels/mote/net/sockname.h"

#include <linux/errno.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"

_Static_assert(sizeof(struct sockaddr_un) <= SOCKNAME_MAX, "fits");

int sockname_get(struct sockname *ret, uint64_t user, uint64_t bytes)
{
	if (bytes > SOCKNAME_MAX) /* also what was negative */
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	if (copy_from_user(ret->raw, user, bytes))
		return -EFAULT;
	ret->bytes = (uint32_t)bytes;
	return 0;
}

int sockname_put(const struct sockname *name, uint64_t user,
		 uint64_t user_bytes)
{
	int room, bytes = (int)name->bytes;

	if (copy_from_user(&room, user_bytes, sizeof(room)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	room = MIN(room, bytes);
	if (room && copy_to_user(user, name->raw, (uint64_t)room))
		return -EFAULT;
	return copy_to_user(user_bytes, &bytes, sizeof(bytes));
}
