/* SPDX-License-Identifier: Apache-2.0 */
/* chacha.h - a ChaCha20 generator with fast key erasure: the first half of
 * every block becomes the next key, so that who learns the state cannot go
 * back. Pure computation. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct chacha {
	uint32_t key[8];
	uint8_t ready[32]; /* output not handed out yet: its last bytes */
	uint32_t left;
};

/** chacha_block() - RFC 8439, 2.3: 64 bytes for a key, counter and nonce. */
void chacha_block(const uint32_t key[8], uint32_t counter,
		  const uint32_t nonce[3], uint32_t ret[16]);

/** chacha_mix() - add @bytes of seed to the key; more cannot make it worse. */
void chacha_mix(struct chacha *c, const void *seed, size_t bytes);
void chacha_bytes(struct chacha *c, void *dst, size_t bytes);
