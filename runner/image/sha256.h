/* SPDX-License-Identifier: Apache-2.0 */
/* sha256.h - SHA-256 (FIPS 180-4), for the digests of OCI images. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES      32u
#define SHA256_TEXT_BYTES 65u /* in hex, with NUL */

struct sha256 {
	uint32_t state[8];
	uint64_t bytes; /* so far */
	uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *data, size_t bytes);
/** sha256_end() - the digest; @s is used up. */
void sha256_end(struct sha256 *s, uint8_t ret[SHA256_BYTES]);
/** sha256_text() - a digest in lower-case hex. */
void sha256_text(const uint8_t digest[SHA256_BYTES],
		 char ret[SHA256_TEXT_BYTES]);
