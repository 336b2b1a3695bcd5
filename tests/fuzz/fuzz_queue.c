/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_queue.c - a split ring whose every byte is chosen by the input, also
 * between pop and push. Oracle: a chain is bounded and lies in memory. */
#include <stdlib.h>

#include "tests/fuzz/fuzz_driver.h"

static struct fuzz_guest guest;

static void check_chain(const struct vq *vq, const struct vq_chain *chain)
{
	uint32_t n = (uint32_t)chain->readable + chain->writable;
	uint64_t total = 0;

	if (!n || n > vq->size || chain->head >= vq->size)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *p = chain->iov[i].iov_base;
		size_t len = chain->iov[i].iov_len;

		if (!len || len > FUZZ_MEM_BYTES || p < guest.mem ||
		    p > guest.mem + FUZZ_MEM_BYTES - len)
			abort();
		total += len;
	}
	if (total != chain->readable_bytes + chain->writable_bytes)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vq_chain chain;
	struct fuzz_input in = {data, size};
	struct vq vq = {0};
	struct vq_setup setup = {.max_size = VQ_SIZE_MAX};
	uint8_t flags = fuzz_u8(&in), ops;

	fuzz_memory(&guest);
	setup.size = flags & 4 ? fuzz_u32(&in) : 1u << (flags >> 3 & 7);
	setup.event_idx = flags & 1;
	setup.indirect = flags & 2;
	setup.desc = gpa(fuzz_u16(&in));
	setup.avail = gpa(fuzz_u16(&in));
	setup.used = gpa(fuzz_u16(&in));
	if (vq_enable(&vq, &guest.gm, &setup))
		return 0;
	ops = fuzz_u8(&in);
	for (unsigned i = 0; i < ops && in.left; i++) {
		fuzz_poke(&guest, &in);
		if (vq_pop(&vq, &chain) != 1)
			continue;
		fuzz_poke(&guest, &in);
		check_chain(&vq, &chain);
		if (vq_push(&vq, chain.head, fuzz_u32(&in)))
			abort();
		(void)vq_wants_signal(&vq);
	}
	return 0;
}
