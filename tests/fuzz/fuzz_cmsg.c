/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cmsg.c - any bytes as control messages of sendmsg(2). Oracle: what is
 * found lies inside the list and one behind the other; written again, it is
 * found again. */
#include <stdlib.h>
#include <string.h>

#include "kernels/mote/net/cmsg.h"
#include "tests/fuzz/fuzz_driver.h"

static void again(const struct cmsg *c)
{
	uint32_t room = c->bytes + CMSG_HEADER_BYTES, at = 0;
	struct cmsg_writer w = {.list = malloc(room), .room = room};
	struct cmsg got;

	cmsg_put(&w, c);
	if (w.cut || cmsg_next(w.list, w.used, &at, &got) != 1 ||
	    got.bytes != c->bytes || got.level != c->level ||
	    got.type != c->type || memcmp(got.data, c->data, c->bytes) != 0)
		abort();
	free(w.list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *list = malloc(size + 1); /* an end that ASan sees */
	uint32_t bytes = (uint32_t)size, at = 0, before = 0;
	struct cmsg c;

	memcpy(list, data, size);
	while (cmsg_next(list, bytes, &at, &c) > 0) {
		if (at <= before || at > bytes || c.data < list + before ||
		    c.bytes > (uint32_t)(list + bytes - c.data))
			abort();
		again(&c);
		before = at;
	}
	free(list);
	return 0;
}
