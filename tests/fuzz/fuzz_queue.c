/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_queue.c - a split ring whose every byte is chosen by the input, also
 * between pop and push; or, for an input that is a session of any driver, the
 * rings of a device that takes all chains and gives them back. Oracle: a chain
 * is bounded and lies in memory. */
#include <stdlib.h>

#include "tests/fuzz/fuzz_driver.h"
#include "tests/fuzz/session.h"
#include "tests/unit/fake_driver.h"

static struct fuzz_guest guest;
static struct session session;

/** is_within() - do @len bytes at @p lie in @bytes of memory at @base? */
static bool is_within(const uint8_t *p, size_t len, const uint8_t *base,
		      size_t bytes)
{
	return base && len <= bytes && p >= base && p <= base + bytes - len;
}

static bool is_guest_memory(const uint8_t *p, size_t len)
{
	return is_within(p, len, guest.mem, FUZZ_MEM_BYTES) ||
	       is_within(p, len, session.mem, DRV_MEM_BYTES) ||
	       is_within(p, len, session.high, DRV_HIGH_BYTES);
}

static void check_chain(const struct vq *vq, const struct vq_chain *chain)
{
	uint32_t n = (uint32_t)chain->readable + chain->writable;
	uint64_t total = 0;

	if (!n || n > vq->size || chain->head >= vq->size)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		size_t len = chain->iov[i].iov_len;

		if (!len || !is_guest_memory(chain->iov[i].iov_base, len))
			abort();
		total += len;
	}
	if (total != chain->readable_bytes + chain->writable_bytes)
		abort();
}

/** taker_kick() - pushes write only into used rings: what is available does not
 * become more meanwhile, and is at most a ring full. */
static void taker_kick(struct vdev *vd, unsigned queue)
{
	static struct vq_chain chain;
	uint32_t chains = 0;

	while (vdev_pop(vd, queue, &chain)) {
		check_chain(&vd->queue[queue], &chain);
		if (++chains > vd->queue[queue].size)
			abort();
		vdev_push(vd, queue, &chain, (uint32_t)chain.writable_bytes);
	}
	vdev_signal(vd, queue);
}

/* A device of any kind, as far as rings go. */
static const struct vdev_ops taker_ops = {
	.device_id = 1,
	.queue_count = VDEV_QUEUES_MAX,
	.queue_max = VQ_SIZE_MAX,
	.kick = taker_kick,
	.free = vdev_done,
};

static int play(struct fuzz_input *in)
{
	struct vdev vd;

	vdev_init(&vd, &taker_ops, UINT64_MAX);
	session_play(&session, &vd, in, NULL, NULL);
	vdev_free(&vd);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vq_chain chain;
	struct fuzz_input in = {data, size};
	struct vq vq = {0};
	struct vq_setup setup = {.max_size = VQ_SIZE_MAX};
	uint8_t flags, ops;

	if (session_is(&in))
		return play(&in);
	flags = fuzz_u8(&in);
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
