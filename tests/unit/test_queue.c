/* SPDX-License-Identifier: Apache-2.0 */
/* test_queue.c - split rings: what a good driver gets, and that everything a
 * bad one can write is refused without being followed. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>

#include "tests/unit/fake_driver.h"

#define SIZE 8u
#define NEXT VRING_DESC_F_NEXT
#define WR   VRING_DESC_F_WRITE
#define IND  VRING_DESC_F_INDIRECT

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct fake_driver drv;
static struct vq vq;
static struct vq_chain chain;

static void set_up(void)
{
	drv_memory(&drv);
	drv.ring[0].size = SIZE;
}

static void enable(bool indirect, bool event_idx)
{
	struct vq_setup s = drv_setup(0, SIZE);

	s.indirect = indirect;
	s.event_idx = event_idx;
	cr_assert_eq(vq_enable(&vq, &drv.gm, &s), 0);
}

TestSuite(queue, .init = set_up);

Test(queue, is_empty_when_disabled)
{
	memset(&vq, 0, sizeof(vq));
	cr_expect_eq(vq_pop(&vq, &chain), 0);
	cr_expect_eq(vq_push(&vq, 0, 0), 0);
	cr_expect(!vq_wants_signal(&vq));
}

Test(queue, pops_a_chain_in_order)
{
	enable(false, false);
	drv_put(&drv, 0, 3, (struct vring_desc){DRV_DATA, 100, NEXT, 1});
	drv_put(&drv, 0, 1, (struct vring_desc){DRV_HIGH, 7, NEXT | WR, 5});
	drv_put(&drv, 0, 5, (struct vring_desc){DRV_DATA + 512, 9, WR, 0});
	drv_offer(&drv, 0, 3);
	cr_assert_eq(vq_pop(&vq, &chain), 1);
	cr_expect_eq(chain.head, 3);
	cr_expect_eq(chain.readable, 1);
	cr_expect_eq(chain.writable, 2);
	cr_expect_eq(chain.readable_bytes, 100);
	cr_expect_eq(chain.writable_bytes, 16);
	cr_expect_eq(chain.iov[0].iov_base, drv.mem + DRV_DATA);
	cr_expect_eq(chain.iov[1].iov_base, drv.high);
	cr_expect_eq(chain.iov[2].iov_len, 9);
	cr_expect_eq(vq_pop(&vq, &chain), 0);
}

Test(queue, follows_an_indirect_table)
{
	struct vring_desc *table = drv_at(&drv, DRV_QUEUE_BASE + DRV_INDIRECT);

	enable(true, false);
	table[0] = (struct vring_desc){DRV_DATA, 10, NEXT, 2};
	table[2] = (struct vring_desc){DRV_DATA + 64, 20, WR, 0};
	drv_put(&drv, 0, 1, (struct vring_desc){DRV_DATA + 128, 5, NEXT, 2});
	drv_put(&drv, 0, 2,
		(struct vring_desc){DRV_QUEUE_BASE + DRV_INDIRECT, 48, IND,
				    0xffff});
	drv_offer(&drv, 0, 1);
	cr_assert_eq(vq_pop(&vq, &chain), 1);
	cr_expect_eq(chain.readable_bytes, 15);
	cr_expect_eq(chain.writable_bytes, 20);
}

/* 2.7.5.3.2: the write flag of a descriptor that refers to a table says
 * nothing, wherever it stands. */
Test(queue, ignores_the_write_flag_of_a_table)
{
	struct vring_desc *table = drv_at(&drv, DRV_QUEUE_BASE + DRV_INDIRECT);

	enable(true, false);
	table[0] = (struct vring_desc){DRV_DATA, 10, NEXT, 1};
	table[1] = (struct vring_desc){DRV_DATA + 64, 20, WR, 0};
	drv_put(&drv, 0, 0,
		(struct vring_desc){DRV_QUEUE_BASE + DRV_INDIRECT, 32, IND | WR,
				    0});
	drv_offer(&drv, 0, 0);
	cr_assert_eq(vq_pop(&vq, &chain), 1);
	cr_expect_eq(chain.readable_bytes, 10);
	cr_expect_eq(chain.writable_bytes, 20);
}

Test(queue, takes_a_chain_as_long_as_the_ring)
{
	enable(false, false);
	for (uint16_t i = 0; i < SIZE; i++)
		drv_put(&drv, 0, i,
			(struct vring_desc){DRV_DATA, 1,
					    i < SIZE - 1 ? NEXT : 0,
					    (uint16_t)(i + 1)});
	drv_offer(&drv, 0, 0);
	cr_assert_eq(vq_pop(&vq, &chain), 1);
	cr_expect_eq(chain.readable, SIZE);
}

Test(queue, keeps_its_copy_when_the_guest_rewrites_descriptors)
{
	enable(false, false);
	drv_put(&drv, 0, 0, (struct vring_desc){DRV_DATA, 64, 0, 0});
	drv_offer(&drv, 0, 0);
	cr_assert_eq(vq_pop(&vq, &chain), 1);
	/* between pop and use: everything the guest owns turns hostile */
	memset(drv_at(&drv, DRV_QUEUE_BASE), 0xff, DRV_QUEUE_STRIDE);
	cr_expect_eq(chain.iov[0].iov_base, drv.mem + DRV_DATA);
	cr_expect_eq(chain.iov[0].iov_len, 64);
	cr_expect_eq(vq_push(&vq, chain.head, 1), 0);
	cr_expect_eq(*drv_used_word(&drv, 0, 1), 1, "our index, not theirs");
	cr_expect_eq(vq.last_avail, 1);
}

Test(queue, wraps_its_indices)
{
	struct drv_used used;

	enable(false, false);
	for (unsigned i = 0; i < 70000; i++) {
		drv_send(&drv, 0, DRV_DATA, 1 + i % 7, WR);
		cr_assert_eq(vq_pop(&vq, &chain), 1);
		cr_assert_eq(vq_push(&vq, chain.head, i), 0);
		cr_assert(drv_take(&drv, 0, &used));
		cr_assert_eq(used.id, i % SIZE);
		cr_assert_eq(used.len, i);
	}
	cr_expect_eq(vq_pop(&vq, &chain), 0);
}

/* Suppression (virtio 1.2, 2.7.7) */

static void complete_one(void)
{
	drv_send(&drv, 0, DRV_DATA, 1, WR);
	cr_assert_eq(vq_pop(&vq, &chain), 1);
	cr_assert_eq(vq_push(&vq, chain.head, 1), 0);
}

Test(queue, signals_unless_told_not_to)
{
	enable(false, false);
	cr_expect(!vq_wants_signal(&vq), "nothing was pushed");
	complete_one();
	cr_expect(vq_wants_signal(&vq));
	cr_expect(!vq_wants_signal(&vq), "once a completion");
	*drv_avail_word(&drv, 0, 0) = VRING_AVAIL_F_NO_INTERRUPT;
	complete_one();
	cr_expect(!vq_wants_signal(&vq));
}

/* 2.7.7.2: without the feature, used_event says nothing. */
Test(queue, ignores_used_event_unless_negotiated)
{
	enable(false, false);
	*drv_avail_word(&drv, 0, 2 + SIZE) = 100;
	complete_one();
	cr_expect(vq_wants_signal(&vq));
}

/* 2.7.10: nor is avail_event written then. */
Test(queue, leaves_avail_event_alone_unless_negotiated)
{
	enable(false, false);
	*drv_used_word(&drv, 0, 2 + 4 * SIZE) = 0x5a5a;
	complete_one();
	cr_expect_eq(vq_pop(&vq, &chain), 0);
	cr_expect_eq(*drv_used_word(&drv, 0, 2 + 4 * SIZE), 0x5a5a);
	cr_expect_eq(*drv_used_word(&drv, 0, 0), 0, "used.flags: notify us");
}

Test(queue, untakes_what_it_took_last)
{
	enable(false, true);
	drv_send(&drv, 0, DRV_DATA, 8, 0);
	drv_send(&drv, 0, DRV_DATA + 64, 16, 0);
	cr_assert_eq(vq_pop(&vq, &chain), 1);
	cr_assert_eq(vq_pop(&vq, &chain), 1);
	vq_untake(&vq);
	drv_desc(&drv, 0, 1)->len = 24; /* the driver's, until it is taken */
	cr_assert_eq(vq_pop(&vq, &chain), 1);
	cr_expect_eq(chain.readable_bytes, 24);
	cr_expect_eq(vq_pop(&vq, &chain), 0);
}

Test(queue, signals_when_used_event_is_passed)
{
	enable(false, true);
	*drv_avail_word(&drv, 0, 2 + SIZE) = 2; /* used_event */
	*drv_avail_word(&drv, 0, 0) = VRING_AVAIL_F_NO_INTERRUPT; /* ignored */
	complete_one();
	cr_expect(!vq_wants_signal(&vq));
	complete_one();
	cr_expect(!vq_wants_signal(&vq));
	complete_one();
	cr_expect(vq_wants_signal(&vq), "completion 2 is done");
	complete_one();
	cr_expect(!vq_wants_signal(&vq));
}

Test(queue, asks_for_a_kick_when_it_runs_empty)
{
	unsigned event = 2 + 4 * SIZE;

	enable(false, true);
	complete_one();
	cr_expect_eq(*drv_used_word(&drv, 0, event), 0);
	cr_expect_eq(vq_pop(&vq, &chain), 0);
	cr_expect_eq(*drv_used_word(&drv, 0, event), 1);
}

/* Hostile set-up (STYLE.md, 7e) */

struct bad_setup {
	const char *what;
	uint32_t size;
	uint64_t desc, avail, used;
};

#define D (DRV_QUEUE_BASE + DRV_DESC)
#define A (DRV_QUEUE_BASE + DRV_AVAIL)
#define U (DRV_QUEUE_BASE + DRV_USED)

static const struct bad_setup bad_setups[] = {
	{"size 0", 0, D, A, U},
	{"size 3", 3, D, A, U},
	{"size above the maximum", 512, D, A, U},
	{"size 2^31", 1u << 31, D, A, U},
	{"size beyond 16 bits", 0x10008, D, A, U},
	{"descriptors misaligned", 8, D + 8, A, U},
	{"available ring misaligned", 8, D, A + 1, U},
	{"used ring misaligned", 8, D, A, U + 2},
	{"descriptors outside RAM", 8, DRV_MEM_BYTES, A, U},
	{"available ring outside RAM", 8, D, 0x80000000, U},
	{"used ring outside RAM", 8, D, A, UINT64_MAX - 3},
	{"descriptors across the end", 8, DRV_MEM_BYTES - 112, A, U},
	{"available ring across the end", 8, D, DRV_MEM_BYTES - 20, U},
	{"used ring across the end", 8, D, A, DRV_MEM_BYTES - 68},
	{"used ring wraps", 8, D, A, 0xfffffffffffffffcull},
	{"descriptors wrap", 8, 0xfffffffffffffff0ull, A, U},
	{"used over available", 8, D, A, A},
	{"available over descriptors", 8, D, D + 126, U},
	{"used over descriptors", 8, D, A, D + 124},
	{"available ends in used", 8, D, U - 20, U},
	{"all the same", 8, D, D, D},
};

static struct criterion_test_params indices(unsigned *index, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		index[i] = i;
	return cr_make_param_array(unsigned, index, count);
}

ParameterizedTestParameters(queue, refuses_a_bad_set_up)
{
	static unsigned index[COUNT(bad_setups)];

	return indices(index, COUNT(bad_setups));
}

ParameterizedTest(unsigned *index, queue, refuses_a_bad_set_up)
{
	const struct bad_setup *b = &bad_setups[*index];
	struct vq_setup s = {.size = b->size,
			     .max_size = VQ_SIZE_MAX,
			     .desc = gpa(b->desc),
			     .avail = gpa(b->avail),
			     .used = gpa(b->used)};
	struct vq off = {0};

	cr_expect_eq(vq_enable(&off, &drv.gm, &s), -EPROTO, "%s", b->what);
	cr_expect(!off.enabled, "%s", b->what);
}

Test(queue, accepts_areas_that_touch)
{
	struct vq_setup s = {.size = SIZE, .max_size = SIZE, .desc = gpa(D)};

	s.avail = gpa(D + 16 * SIZE);
	s.used = gpa(s.avail.v + 4 + 2 * SIZE + 2 + 2);
	cr_expect_eq(vq_enable(&vq, &drv.gm, &s), 0);
	s.used = gpa(DRV_MEM_BYTES - (4 + 8 * SIZE + 2) - 2);
	cr_expect_eq(vq_enable(&vq, &drv.gm, &s), 0, "up to the last bytes");
}

/* Hostile requests (STYLE.md, 7d). Tables at TABLE; head 0 unless said. */

#define TABLE (DRV_QUEUE_BASE + DRV_INDIRECT)

struct bad_request {
	const char *what;
	bool direct_only; /* INDIRECT_DESC not negotiated */
	uint16_t head;
	uint16_t jump; /* added to the available index instead of 1 */
	struct vring_desc desc[4];
	struct vring_desc table[4]; /* at TABLE */
};

static const struct bad_request bad_requests[] = {
	{.what = "available index jumps further than the ring",
	 .jump = SIZE + 1,
	 .desc = {{DRV_DATA, 1, 0, 0}}},
	{.what = "available index goes backwards",
	 .jump = 0xffff,
	 .desc = {{DRV_DATA, 1, 0, 0}}},
	{.what = "head out of range", .head = SIZE},
	{.what = "head far out of range", .head = 0xffff},
	{.what = "next out of range", .desc = {{DRV_DATA, 1, NEXT, SIZE}}},
	{.what = "next far out of range",
	 .desc = {{DRV_DATA, 1, NEXT, 0xffff}}},
	{.what = "self loop", .desc = {{DRV_DATA, 1, NEXT, 0}}},
	{.what = "loop of two",
	 .desc = {{DRV_DATA, 1, NEXT, 1}, {DRV_DATA, 1, NEXT, 0}}},
	{.what = "loop that misses the head",
	 .desc = {{DRV_DATA, 1, NEXT, 1},
		  {DRV_DATA, 1, NEXT, 2},
		  {DRV_DATA, 1, NEXT, 1}}},
	{.what = "length 0", .desc = {{DRV_DATA, 0, 0, 0}}},
	{.what = "length 0 in the middle",
	 .desc = {{DRV_DATA, 1, NEXT, 1},
		  {DRV_DATA, 0, NEXT, 2},
		  {DRV_DATA, 1, 0, 0}}},
	{.what = "address plus length wraps",
	 .desc = {{UINT64_MAX - 1, 16, 0, 0}}},
	{.what = "address plus length wraps to 0",
	 .desc = {{UINT64_MAX, 1, 0, 0}}},
	{.what = "one byte past the last byte of memory",
	 .desc = {{DRV_MEM_BYTES - 1, 2, 0, 0}}},
	{.what = "in the hole", .desc = {{0x80000000, 1, WR, 0}}},
	{.what = "longer than all memory", .desc = {{0, UINT32_MAX, WR, 0}}},
	{.what = "write before read",
	 .desc = {{DRV_DATA, 1, WR | NEXT, 1}, {DRV_DATA, 1, 0, 0}}},
	{.what = "indirect not negotiated",
	 .direct_only = true,
	 .desc = {{TABLE, 16, IND, 0}},
	 .table = {{DRV_DATA, 1, 0, 0}}},
	{.what = "indirect within indirect",
	 .desc = {{TABLE, 32, IND, 0}},
	 .table = {{TABLE + 16, 16, IND, 0}, {DRV_DATA, 1, 0, 0}}},
	{.what = "indirect table of itself",
	 .desc = {{TABLE, 16, IND, 0}},
	 .table = {{TABLE, 16, IND, 0}}},
	{.what = "indirect table not a multiple of 16",
	 .desc = {{TABLE, 17, IND, 0}},
	 .table = {{DRV_DATA, 1, 0, 0}}},
	{.what = "indirect table shorter than a descriptor",
	 .desc = {{TABLE, 8, IND, 0}},
	 .table = {{DRV_DATA, 1, 0, 0}}},
	{.what = "indirect table empty", .desc = {{TABLE, 0, IND, 0}}},
	{.what = "indirect table larger than the queue",
	 .desc = {{TABLE, 16 * (SIZE + 1), IND, 0}},
	 .table = {{DRV_DATA, 1, 0, 0}}},
	{.what = "indirect table outside RAM",
	 .desc = {{DRV_MEM_BYTES - 16, 32, IND, 0}}},
	{.what = "indirect table wraps",
	 .desc = {{0xfffffffffffffff0ull, 32, IND, 0}}},
	{.what = "indirect and next",
	 .desc = {{TABLE, 16, IND | NEXT, 1}, {DRV_DATA, 1, 0, 0}},
	 .table = {{DRV_DATA, 1, 0, 0}}},
	{.what = "next outside the indirect table",
	 .desc = {{TABLE, 16, IND, 0}},
	 .table = {{DRV_DATA, 1, NEXT, 1}, {DRV_DATA, 1, 0, 0}}},
	{.what = "loop in an indirect table",
	 .desc = {{TABLE, 32, IND, 0}},
	 .table = {{DRV_DATA, 1, NEXT, 1}, {DRV_DATA, 1, NEXT, 0}}},
	{.what = "write in the ring, read in the table",
	 .desc = {{DRV_DATA, 1, WR | NEXT, 1}, {TABLE, 16, IND, 0}},
	 .table = {{DRV_DATA, 1, 0, 0}}},
};

ParameterizedTestParameters(queue, rejects_a_bad_request)
{
	static unsigned index[COUNT(bad_requests)];

	return indices(index, COUNT(bad_requests));
}

ParameterizedTest(unsigned *index, queue, rejects_a_bad_request)
{
	const struct bad_request *b = &bad_requests[*index];

	enable(!b->direct_only, false);
	memcpy(drv_desc(&drv, 0, 0), b->desc, sizeof(b->desc));
	memcpy(drv_at(&drv, TABLE), b->table, sizeof(b->table));
	drv_offer(&drv, 0, b->head);
	if (b->jump)
		*drv_avail_word(&drv, 0, 1) = b->jump;
	cr_expect_eq(vq_pop(&vq, &chain), -EPROTO, "%s", b->what);
	cr_expect_eq(vq.last_avail, 0, "%s: not taken", b->what);
}

Test(queue, bounds_the_bytes_of_a_chain)
{
	/* A region of 3 GiB that is never touched: only addresses matter. */
	struct gmem gm;

	gm_init(&gm);
	cr_assert_eq(gm_add_region(&gm, gpa(0), DRV_MEM_BYTES, drv.mem), 0);
	cr_assert_eq(gm_add_region(&gm, gpa(1ull << 32), 3ull << 30, drv.mem),
		     0);
	enable(false, false);
	vq.gm = &gm;
	drv_put(&drv, 0, 0,
		(struct vring_desc){1ull << 32, 0x80000000, NEXT, 1});
	drv_put(&drv, 0, 1, (struct vring_desc){1ull << 32, 0x80000000, 0, 0});
	drv_offer(&drv, 0, 0);
	cr_expect_eq(vq_pop(&vq, &chain), -EPROTO);
}

Test(queue, accepts_the_last_byte_of_memory)
{
	enable(false, false);
	drv_send(&drv, 0, DRV_MEM_BYTES - 1, 1, 0);
	cr_expect_eq(vq_pop(&vq, &chain), 1);
	drv_send(&drv, 0, DRV_HIGH + DRV_HIGH_BYTES - 1, 1, 0);
	cr_expect_eq(vq_pop(&vq, &chain), 1);
}
