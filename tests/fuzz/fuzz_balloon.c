/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_balloon.c - a balloon whose driver is the input. Oracle: what is given
 * back is whole pages of guest memory, and a visit of the loop ends. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/loop.h"
#include "devices-virtio/balloon.h"
#include "tests/fuzz/fuzz_driver.h"

#define VISITS_MAX 4096u /* far above what so small a guest can ask for */

static struct fuzz_guest guest;
static struct loop *loop;
static int outcome;

/** give_back() - the page is at once what another one would be. */
static int give_back(void *ctx, void *hva, size_t bytes, bool zero)
{
	uint8_t *p = hva;

	(void)ctx;
	(void)zero;
	if (p < guest.mem || !bytes || ((uintptr_t)p | bytes) % 4096 ||
	    bytes > FUZZ_MEM_BYTES - (size_t)(p - guest.mem))
		abort();
	if (!outcome)
		memset(p, 0, bytes);
	return outcome;
}

/** visit() - what the loop's thread would do next, in this one. */
static void visit(void)
{
	for (unsigned i = 0; balloon_work(guest.vd); i++) {
		if (i == VISITS_MAX)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct balloon_config config = {.give_back = give_back};
	struct fuzz_input in = {data, size};
	struct balloon_look look;

	if (!loop && loop_new(&loop))
		abort();
	config.loop = loop;
	if (balloon_new(&config, &guest.vd))
		abort();
	fuzz_attach(&guest, guest.vd);
	fuzz_start(&guest, fuzz_u32(&in));
	for (unsigned i = 0; i < FUZZ_OPS_MAX && in.left; i++) {
		uint8_t op = fuzz_u8(&in);

		if (op < 128)
			fuzz_request(&guest, &in);
		else if (op < 180)
			fuzz_poke(&guest, &in);
		else if (op < 200)
			visit();
		else if (op < 210)
			(void)balloon_set_target(guest.vd,
						 (uint64_t)fuzz_u32(&in) << 12);
		else if (op < 220)
			(void)balloon_ask_stats(guest.vd);
		else if (op < 224)
			outcome = op & 1 ? -5 : 0;
		else
			fuzz_access(&guest, &in);
	}
	visit();
	balloon_look_at(guest.vd, &look);
	if (look.reported_bytes % 4096 || look.inflated_bytes % 4096)
		abort();
	vdev_free(guest.vd);
	outcome = 0;
	return 0;
}
