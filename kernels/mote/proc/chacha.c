/* SPDX-License-Identifier: Apache-2.0 */
/* chacha.c - ChaCha20 (RFC 8439) as a random generator. */
#include "kernels/mote/proc/chacha.h"

#include "kernels/mote/lib/lib.h"

static uint32_t rotl(uint32_t v, unsigned n)
{
	return (v << n) | (v >> (32 - n));
}

static void quarter_round(uint32_t x[16], int a, int b, int c, int d)
{
	x[a] += x[b];
	x[d] = rotl(x[d] ^ x[a], 16);
	x[c] += x[d];
	x[b] = rotl(x[b] ^ x[c], 12);
	x[a] += x[b];
	x[d] = rotl(x[d] ^ x[a], 8);
	x[c] += x[d];
	x[b] = rotl(x[b] ^ x[c], 7);
}

void chacha_block(const uint32_t key[8], uint32_t counter,
		  const uint32_t nonce[3], uint32_t ret[16])
{
	uint32_t in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
	uint32_t x[16];

	memcpy(&in[4], key, 32);
	in[12] = counter;
	memcpy(&in[13], nonce, 12);
	memcpy(x, in, sizeof(x));
	for (int i = 0; i < 10; i++) {
		quarter_round(x, 0, 4, 8, 12);
		quarter_round(x, 1, 5, 9, 13);
		quarter_round(x, 2, 6, 10, 14);
		quarter_round(x, 3, 7, 11, 15);
		quarter_round(x, 0, 5, 10, 15);
		quarter_round(x, 1, 6, 11, 12);
		quarter_round(x, 2, 7, 8, 13);
		quarter_round(x, 3, 4, 9, 14);
	}
	for (int i = 0; i < 16; i++)
		ret[i] = x[i] + in[i];
}

/* The compiler must not drop the erasure. */
static void erase(void *p, size_t n)
{
	memset(p, 0, n);
	__asm__ volatile("" ::"r"(p) : "memory");
}

static void refill(struct chacha *c)
{
	static const uint32_t nonce[3];
	uint32_t block[16];

	chacha_block(c->key, 0, nonce, block);
	memcpy(c->key, block, 32);
	memcpy(c->ready, block + 8, 32);
	c->left = 32;
	erase(block, sizeof(block));
}

/* Xor into the key, then a block to spread it over all of the key. */
void chacha_mix(struct chacha *c, const void *seed, size_t bytes)
{
	const uint8_t *s = seed;
	uint8_t *key = (uint8_t *)c->key;

	while (bytes) {
		size_t n = MIN(bytes, sizeof(c->key));

		for (size_t i = 0; i < n; i++)
			key[i] ^= s[i];
		refill(c);
		s += n;
		bytes -= n;
	}
}

void chacha_bytes(struct chacha *c, void *dst, size_t bytes)
{
	uint8_t *d = dst;

	while (bytes) {
		uint8_t *from;
		size_t n;

		if (!c->left)
			refill(c);
		n = MIN(bytes, (size_t)c->left);
		from = c->ready + sizeof(c->ready) - c->left;
		memcpy(d, from, n);
		erase(from, n);
		c->left -= (uint32_t)n;
		d += n;
		bytes -= n;
	}
}
