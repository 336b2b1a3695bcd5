/* SPDX-License-Identifier: Apache-2.0 */
/* cmsg.h - control messages (cmsg(3)): reading a list that the program wrote,
 * writing one into the room it gave. Computation only. */
#pragma once
#include <stdint.h>

#define CMSG_HEADER_BYTES 16u /* length, level, type */

struct cmsg {
	int level, type;
	const uint8_t *data;
	uint32_t bytes; /* of data */
};

/** cmsg_next() - the message at *@at of @bytes bytes at @list, and move on.
 * Return: 1, 0 at the end, -EINVAL (a length that does not fit). */
int cmsg_next(const uint8_t *list, uint32_t bytes, uint32_t *at,
	      struct cmsg *ret);

struct cmsg_writer {
	uint8_t *list; /* zeroed */
	uint32_t room, used;
	uint32_t cut; /* something did not fit (MSG_CTRUNC) */
};

/** cmsg_put() - append one; cut to the room left, without which nothing. */
void cmsg_put(struct cmsg_writer *w, const struct cmsg *c);
/** cmsg_room() - bytes of data the next one can have. */
uint32_t cmsg_room(const struct cmsg_writer *w);
