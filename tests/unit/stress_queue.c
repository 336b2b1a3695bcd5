/* SPDX-License-Identifier: Apache-2.0 */
/* stress_queue.c - a driver that writes its rings while the device walks them:
 * whatever the interleaving, a visit is handled or the ring is refused. Another
 * thread changes descriptors, both rings and the indirect tables, sensibly and
 * not, between any two loads of the walk. A plain program, so that it also runs
 * under ThreadSanitizer, where Criterion does not start; there the bytes of the
 * guest are shared by intention (tsan.supp), and nothing else may be.
 *
 * stress_queue [ROUNDS [SEED]] */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_driver.h"

#define SIZE   16u
#define BASE   (DRV_QUEUE_BASE)
#define TABLES (BASE + DRV_INDIRECT)

static struct fake_driver drv;
static atomic_bool over;
static _Atomic uint64_t changes;
static _Atomic uint16_t taken; /* requests, as a driver would know */

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "stress_queue: %s\n", what);
	abort();
}

/** next() - xorshift64: the same choices for the same seed. */
static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/** guest_write() - one store of a driver's, as a CPU makes it. */
static void guest_write(uint64_t at, uint64_t value, unsigned bytes)
{
	void *p = drv_at(&drv, at);

	if (bytes == 2)
		__atomic_store_n((uint16_t *)p, (uint16_t)value,
				 __ATOMIC_RELAXED);
	else if (bytes == 4)
		__atomic_store_n((uint32_t *)p, (uint32_t)value,
				 __ATOMIC_RELAXED);
	else
		__atomic_store_n((uint64_t *)p, value, __ATOMIC_RELAXED);
}

/** an_address() - mostly memory, also its edges and what is none. */
static uint64_t an_address(uint64_t r)
{
	switch (r >> 60) {
	case 0:
		return DRV_MEM_BYTES - (r & 0xff);
	case 1:
		return DRV_HIGH + (r & 0x1ffff);
	case 2:
		return r;
	case 3:
	case 4:
		return TABLES + 16 * (r & 0x1f);
	default:
		return DRV_DATA + (r & 0xfffff);
	}
}

/** change_descriptor() - one field of one descriptor, of ring or table. */
static void change_descriptor(uint64_t r)
{
	uint64_t at = (r & 0x100 ? TABLES : BASE + DRV_DESC) +
		      16 * (r >> 9 & (SIZE - 1));
	uint64_t value = r * 0x9e3779b97f4a7c15ull;

	switch (r & 3) {
	case 0:
		guest_write(at, an_address(value), 8);
		break;
	case 1:
		guest_write(at + 8, value >> 63 ? 16 * (value & 0x1f) : value,
			    4);
		break;
	case 2:
		guest_write(at + 12, value >> 58 ? value & 7 : value, 2);
		break;
	default:
		guest_write(at + 14, value >> 59 ? value & (SIZE - 1) : value,
			    2);
		break;
	}
}

/** repair_descriptor() - all fields as a sane driver has them, one by one: a
 * walk meets it half done. */
static void repair_descriptor(uint64_t r)
{
	unsigned i = r >> 9 & (SIZE - 1);
	uint64_t at = (r & 0x100 ? TABLES : BASE + DRV_DESC) + 16ull * i;
	bool indirect = !(r & 0x100) && (r >> 20 & 3) == 3;

	guest_write(at + 12, r >> 21 & VRING_DESC_F_WRITE, 2);
	guest_write(at, indirect ? TABLES : DRV_DATA + (r >> 24 & 0xffff0), 8);
	guest_write(at + 8, indirect ? 16 * SIZE : 1 + (r >> 40 & 0xfff), 4);
	guest_write(at + 14, (i + 1) & (SIZE - 1), 2);
	if (indirect)
		guest_write(at + 12, VRING_DESC_F_INDIRECT, 2);
	else if (r >> 54 & 1)
		guest_write(at + 12, VRING_DESC_F_NEXT, 2);
}

/** change_ring() - the available ring: mostly one more request, and mostly no
 * more than it has room for. */
static void change_ring(uint64_t r, uint16_t *idx)
{
	uint64_t avail = BASE + DRV_AVAIL;
	uint16_t ahead = (uint16_t)(*idx - atomic_load(&taken));

	if (r >> 59 == 0) {
		guest_write(avail + 4 + 2 * (r & (SIZE - 1)), r >> 8, 2);
		return;
	}
	if (ahead >= SIZE && r >> 47 != 0x1ffff)
		return;
	guest_write(avail + 4 + 2ull * (*idx & (SIZE - 1)),
		    r >> 16 & (SIZE - 1), 2);
	__atomic_store_n((uint16_t *)drv_at(&drv, avail + 2), ++*idx,
			 __ATOMIC_RELEASE);
}

static void *change(void *arg)
{
	uint64_t state = *(const uint64_t *)arg;
	uint16_t idx = 0;

	while (!atomic_load_explicit(&over, memory_order_relaxed)) {
		uint64_t r = next(&state);

		if (r & 0x10)
			change_ring(r, &idx);
		else if (r & 0xe0)
			repair_descriptor(r);
		else
			change_descriptor(r);
		atomic_fetch_add_explicit(&changes, 1, memory_order_relaxed);
	}
	return NULL;
}

/** in_memory() - is a span wholly within one region? */
static bool in_memory(const struct iovec *span)
{
	const uint8_t *p = span->iov_base;
	size_t n = span->iov_len;

	return (p >= drv.mem && n <= DRV_MEM_BYTES &&
		p <= drv.mem + DRV_MEM_BYTES - n) ||
	       (p >= drv.high && n <= DRV_HIGH_BYTES &&
		p <= drv.high + DRV_HIGH_BYTES - n);
}

/** check() - what was handed out is bounded, in memory, and counted right. */
static void check(const struct vq_chain *c)
{
	unsigned n = (unsigned)c->readable + c->writable;
	uint64_t bytes = 0;

	must(c->head < SIZE, "a head beyond the ring");
	must(n > 0 && n <= SIZE, "a chain that is empty or too long");
	for (unsigned i = 0; i < n; i++) {
		must(in_memory(&c->iov[i]), "a span outside memory");
		bytes += c->iov[i].iov_len;
	}
	must(bytes == c->readable_bytes + c->writable_bytes, "a wrong sum");
	must(bytes <= VQ_CHAIN_BYTES, "too many bytes");
}

static void restart(struct vq *vq, uint64_t r)
{
	struct vq_setup setup = drv_setup(0, SIZE);

	setup.event_idx = r & 1;
	setup.indirect = r & 2;
	vq_disable(vq);
	must(!vq_enable(vq, &drv.gm, &setup), "a good queue is refused");
	/* Where the driver is now: it does not start over with us. */
	vq->last_avail =
		__atomic_load_n((uint16_t *)drv_at(&drv, BASE + DRV_AVAIL + 2),
				__ATOMIC_RELAXED);
}

int main(int argc, char **argv)
{
	uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 0) : 30000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	uint64_t state = seed * 77 + 1, got = 0, refused = 0;
	static struct vq_chain chain;
	struct vq vq = {0};
	pthread_t thread;

	drv_memory(&drv);
	restart(&vq, 3);
	must(!pthread_create(&thread, NULL, change, &seed), "no thread");
	while (got + refused < rounds || !got || !refused) {
		int n = vq_pop(&vq, &chain);

		must(n == 1 || n == 0 || n == -EPROTO, "another answer");
		if (n == 1) {
			check(&chain);
			must(!vq_push(&vq, chain.head, 1), "a push failed");
			(void)vq_wants_signal(&vq);
			got++;
		} else if (n < 0) {
			restart(&vq, next(&state));
			refused++;
		} else {
			sched_yield();
		}
		atomic_store(&taken, vq.last_avail);
	}
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	printf("%llu handled, %llu refused, %llu changes meanwhile\n",
	       (unsigned long long)got, (unsigned long long)refused,
	       (unsigned long long)atomic_load(&changes));
	return 0;
}
