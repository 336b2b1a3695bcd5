/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_block.c - a disk whose driver and whose host are the input. Oracle:
 * every I/O lies within its file and in guest memory, what is only read is
 * never written, and a reset leaves nothing in flight. */
#include <stdlib.h>

#include "base/loop.h"
#include "tests/fuzz/fuzz_engine.h"
#include "tests/fuzz/session.h"

static struct fuzz_guest guest;
static struct session session;
static struct loop *loop;

/** play() - any accesses of a driver that began well. */
static void play(struct fuzz_input *in)
{
	for (unsigned i = 0; i < FUZZ_OPS_MAX && in->left; i++) {
		uint8_t op = fuzz_u8(in);

		if (op < 100)
			fuzz_request(&guest, in);
		else if (op < 170)
			fuzz_poke(&guest, in);
		else if (op < 220)
			fuzz_disk_host(NULL, in);
		else
			fuzz_access(&guest, in);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct vdev *vd;

	if (!loop && loop_new(&loop))
		abort();
	/* What is it? The last byte says: a session has no other place. */
	vd = fuzz_disk_new(loop, size ? data[size - 1] : 0);
	if (session_is(&in)) {
		session_play(&session, vd, &in, fuzz_disk_host, NULL);
	} else {
		fuzz_attach(&guest, vd);
		fuzz_start(&guest, vd->features & ~(uint64_t)fuzz_u16(&in));
		play(&in);
	}
	vdev_free(vd);
	return 0;
}
