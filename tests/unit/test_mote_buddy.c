/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_buddy.c - blocks of freed memory. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/mote/mm/buddy.h"
#include "kernels/mote/mm/page.h"

#define PAGES 1024u /* two of the largest blocks */

#define FIRST (1ul << 21) /* physical */

static uint32_t words[FIRST / PAGE_SIZE + PAGES];
static const uint64_t first = FIRST;

/* The blocks are linked through themselves: they are where the direct map shows
 * them. */
static void start(void)
{
	void *at =
		mmap(pa_to_va(FIRST), PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (at != pa_to_va(FIRST))
		abort(); /* something of the host's is there */
	memset(words, 0, sizeof(words));
	buddy_init(words, FIRST / PAGE_SIZE + PAGES);
}

static void stop(void)
{
	munmap(pa_to_va(FIRST), PAGES * PAGE_SIZE);
}

TestSuite(mote_buddy, .init = start, .fini = stop);

Test(mote_buddy, has_nothing_at_first)
{
	for (unsigned order = 0; order < BUDDY_ORDERS; order++)
		cr_assert_eq(buddy_alloc(order), 0);
}

Test(mote_buddy, gives_back_what_it_got)
{
	buddy_free(first + 5 * PAGE_SIZE, 0);
	cr_assert_eq(buddy_alloc(1), 0);
	cr_assert_eq(buddy_alloc(0), first + 5 * PAGE_SIZE);
	cr_assert_eq(buddy_alloc(0), 0);
}

Test(mote_buddy, joins_halves_in_any_order)
{
	for (unsigned i = 0; i < 512; i++)
		buddy_free(first + (i * 37 % 512) * PAGE_SIZE, 0);
	cr_assert_eq(buddy_alloc(9), first);
	cr_assert_eq(buddy_alloc(0), 0);
	for (unsigned i = 0; i < 512; i++)
		cr_assert_eq(words[FIRST / PAGE_SIZE + i], 0, "frame %u", i);
}

Test(mote_buddy, does_not_join_over_a_border)
{
	/* The second half of one block and the first of the next. */
	buddy_free(first + PAGE_SIZE, 0);
	buddy_free(first + 2 * PAGE_SIZE, 0);
	cr_assert_eq(buddy_alloc(1), 0);
}

Test(mote_buddy, splits_a_large_block)
{
	uint64_t a, b;

	buddy_free(first + (PAGE_SIZE << 9), 9);
	a = buddy_alloc(3);
	b = buddy_alloc(0);
	cr_assert_eq(a, first + (PAGE_SIZE << 9));
	cr_assert_eq(b, a + (PAGE_SIZE << 3));
	cr_assert_eq(buddy_alloc(9), 0);
	buddy_free(b, 0);
	buddy_free(a, 3);
	cr_assert_eq(buddy_alloc(9), a);
}

/* Random traffic: no two blocks that are out overlap, and in the end all is one
 * again. */
Test(mote_buddy, never_hands_out_twice)
{
	static uint8_t used[PAGES];
	static struct {
		uint64_t pa;
		unsigned order;
	} out[256];
	unsigned count = 0, seed = 1;

	buddy_free(first, 9);
	buddy_free(first + (PAGE_SIZE << 9), 9);
	memset(used, 0, sizeof(used));
	for (unsigned i = 0; i < 20000; i++) {
		unsigned order = (seed = seed * 1103515245u + 12345u) >> 16 & 7;
		uint64_t pa = count < 256 ? buddy_alloc(order) : 0;

		if (pa && seed & 1u << 31) {
			uint64_t at = (pa - first) >> PAGE_SHIFT;

			for (unsigned k = 0; k < 1u << order; k++)
				cr_assert(!used[at + k]++, "twice");
			out[count].pa = pa;
			out[count++].order = order;
			continue;
		}
		if (pa)
			buddy_free(pa, order);
		if (count) {
			unsigned n = seed % count;
			uint64_t at = (out[n].pa - first) >> PAGE_SHIFT;

			memset(&used[at], 0, 1u << out[n].order);
			buddy_free(out[n].pa, out[n].order);
			out[n] = out[--count];
		}
	}
	while (count--)
		buddy_free(out[count].pa, out[count].order);
	cr_assert_neq(buddy_alloc(9), 0);
	cr_assert_neq(buddy_alloc(9), 0);
}
