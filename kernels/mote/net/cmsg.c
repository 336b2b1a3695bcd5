/* SPDX-License-Identifier: Apache-2.0 */
/* cmsg.c - lists of control messages: each a length (of header and data), a
 * level and a type, aligned to eight bytes. */
#include "kernels/mote/net/cmsg.h"

#include <linux/errno.h>

#include "kernels/mote/lib/lib.h"

struct header {
	uint64_t bytes;
	int level, type;
};
_Static_assert(sizeof(struct header) == CMSG_HEADER_BYTES, "");

static uint32_t aligned(uint32_t bytes)
{
	return (bytes + 7) & ~7u;
}

int cmsg_next(const uint8_t *list, uint32_t bytes, uint32_t *at,
	      struct cmsg *ret)
{
	struct header h;

	if (*at >= bytes || bytes - *at < sizeof(h))
		return 0;
	memcpy(&h, list + *at, sizeof(h));
	if (h.bytes < sizeof(h) || h.bytes > bytes - *at)
		return -EINVAL;
	ret->level = h.level;
	ret->type = h.type;
	ret->data = list + *at + sizeof(h);
	ret->bytes = (uint32_t)(h.bytes - sizeof(h));
	*at += MIN(aligned((uint32_t)h.bytes), bytes - *at);
	return 1;
}

uint32_t cmsg_room(const struct cmsg_writer *w)
{
	uint32_t left = w->room - w->used;

	return left > CMSG_HEADER_BYTES ? left - CMSG_HEADER_BYTES : 0;
}

void cmsg_put(struct cmsg_writer *w, const struct cmsg *c)
{
	uint32_t left = w->room - w->used;
	uint32_t data = MIN(c->bytes, cmsg_room(w));
	struct header h = {CMSG_HEADER_BYTES + data, c->level, c->type};

	if (data < c->bytes)
		w->cut = 1;
	if (left < sizeof(h)) {
		w->cut = 1;
		return;
	}
	memcpy(w->list + w->used, &h, sizeof(h));
	memcpy(w->list + w->used + sizeof(h), c->data, data);
	w->used += MIN(aligned((uint32_t)h.bytes), left);
}
