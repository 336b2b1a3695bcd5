/* SPDX-License-Identifier: Apache-2.0 */
/* compute.c - work that needs no kernel, of several kinds. One line a kind:
 * name, nanoseconds, a sum that must be the same everywhere.
 *
 * Usage: compute [PASSES]. A pass of a kind takes some 50 ms on a CPU of 2023.
 * The first pass is not counted: it brings memory in, and page faults are
 * measured by ops.c. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

#define SIDE          192u /* of a matrix: three fit into the L2 cache */
#define SORT_ITEMS    (1u << 19)
#define CHASE_ITEMS   (1u << 21) /* 16 MiB of links: caches and TLBs miss */
#define CHASE_STEPS   (1u << 19)
#define ARX_ROUNDS    (1u << 23)
#define COLLATZ_UP_TO 300000u

static uint64_t random_next(uint64_t *state)
{
	/* xorshift64: same numbers everywhere, no library */
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static uint32_t rotate(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

/* Integer units, no memory: what ciphers and hashes are made of. */
static uint64_t run_arx(void)
{
	uint32_t a = 1, b = 2, c = 3, d = 4;

	for (uint32_t i = 0; i < ARX_ROUNDS; i++) {
		a += b + i;
		d = rotate(d ^ a, 16);
		c += d;
		b = rotate(b ^ c, 12);
		a += b;
		d = rotate(d ^ a, 8);
		c += d;
		b = rotate(b ^ c, 7);
	}
	return (uint64_t)(a ^ c) << 32 | (b ^ d);
}

/* Floating point, vector units and the first caches. */
static uint64_t run_matrix(void)
{
	static double a[SIDE][SIDE], b[SIDE][SIDE], c[SIDE][SIDE];
	double sum = 0;

	for (unsigned i = 0; i < SIDE; i++)
		for (unsigned j = 0; j < SIDE; j++) {
			a[i][j] = (double)(i * j % 7) + 0.5;
			b[i][j] = (double)((i + j) % 5) - 1.5;
			c[i][j] = 0;
		}
	for (int pass = 0; pass < 16; pass++)
		for (unsigned i = 0; i < SIDE; i++)
			for (unsigned k = 0; k < SIDE; k++)
				for (unsigned j = 0; j < SIDE; j++)
					c[i][j] += a[i][k] * b[k][j];
	for (unsigned i = 0; i < SIDE; i++)
		sum += c[i][i] * (double)(i + 1);
	return (uint64_t)(int64_t)(sum * 16);
}

static void sift_down(uint32_t *item, uint32_t root, uint32_t count)
{
	uint32_t child, moved = item[root];

	for (; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && item[child] < item[child + 1])
			child++;
		if (item[child] <= moved)
			break;
		item[root] = item[child];
	}
	item[root] = moved;
}

/* Branches nobody can predict. Heap sort, because the C library's qsort()
 * allocates, and this is not about page faults. */
static uint64_t run_sort(void)
{
	static uint32_t item[SORT_ITEMS];
	uint64_t state = 88172645463325252u, sum = 0;

	for (uint32_t i = 0; i < SORT_ITEMS; i++)
		item[i] = (uint32_t)random_next(&state);
	for (uint32_t i = SORT_ITEMS / 2; i-- > 0;)
		sift_down(item, i, SORT_ITEMS);
	for (uint32_t end = SORT_ITEMS - 1; end > 0; end--) {
		uint32_t largest = item[0];

		item[0] = item[end];
		item[end] = largest;
		sift_down(item, 0, end);
	}
	for (uint32_t i = 0; i < SORT_ITEMS; i += 1024)
		sum = sum * 31 + item[i];
	return sum;
}

/* Loads that depend on each other all over memory: what page tables cost. */
static uint64_t run_chase(void)
{
	static uint64_t next[CHASE_ITEMS];
	uint64_t state = 88172645463325252u, at = 0;

	/* Sattolo's shuffle makes one cycle of all items. */
	for (uint64_t i = 0; i < CHASE_ITEMS; i++)
		next[i] = i;
	for (uint64_t i = CHASE_ITEMS - 1; i > 0; i--) {
		uint64_t j = random_next(&state) % i, held = next[i];

		next[i] = next[j];
		next[j] = held;
	}
	for (uint32_t i = 0; i < CHASE_STEPS; i++)
		at = next[at];
	return at;
}

/* Short loops of unknown length, divisions by shifting. */
static uint64_t run_collatz(void)
{
	uint64_t steps = 0;

	for (uint64_t start = 1; start < COLLATZ_UP_TO; start++)
		for (uint64_t n = start; n != 1; steps++)
			n = n & 1 ? 3 * n + 1 : n / 2;
	return steps;
}

static const struct {
	const char *name;
	uint64_t (*run)(void);
} kind[] = {
	{"arx", run_arx},     {"matrix", run_matrix},   {"sort", run_sort},
	{"chase", run_chase}, {"collatz", run_collatz},
};

int main(int argc, char **argv)
{
	int passes = argc > 1 ? atoi(argv[1]) : 5;

	for (unsigned k = 0; k < sizeof(kind) / sizeof(kind[0]); k++) {
		uint64_t sum = kind[k].run(), start = clock_ns();

		for (int i = 0; i < passes; i++)
			sum = sum * 31 + kind[k].run();
		printf("%s %" PRIu64 " %" PRIx64 "\n", kind[k].name,
		       clock_ns() - start, sum);
	}
	return 0;
}
