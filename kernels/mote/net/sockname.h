/* SPDX-License-Identifier: Apache-2.0 */
/* sockname.h - socket addresses, as the program gives and gets them. */
#pragma once
#include <stdint.h>

#include "kernels/mote/net/abi.h"

#define SOCKNAME_MAX 128u /* sizeof(struct sockaddr_storage) */

struct sockname_netlink { /* struct sockaddr_nl */
	uint16_t family, pad;
	uint32_t pid, groups;
};

struct sockname_vm { /* struct sockaddr_vm */
	uint16_t family, reserved;
	uint32_t port, cid;
	uint8_t flags, zero[3];
};

struct sockname {
	uint32_t bytes; /* 0: none; else the family is there */
	union {
		uint16_t family;
		struct sockaddr_un un;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockname_netlink nl;
		struct sockname_vm vm;
		uint8_t raw[SOCKNAME_MAX];
	};
};

/** sockname_get() - copy an address of @bytes bytes from the program. What it
 * did not give is zero. 0, -EINVAL (too long), -EFAULT. */
int sockname_get(struct sockname *ret, uint64_t user, uint64_t bytes);
/** sockname_put() - copy @name out, cut to the program's room. @user_bytes:
 * where its int says how much room there is, and gets the whole length.
 * 0, -EINVAL (negative), -EFAULT. */
int sockname_put(const struct sockname *name, uint64_t user,
		 uint64_t user_bytes);
