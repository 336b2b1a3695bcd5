/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_chacha.c - mote's random generator against RFC 8439, and its
 * promise to forget. */
#include <criterion/criterion.h>
#include <string.h>

#include "kernels/mote/proc/chacha.h"

Test(mote_chacha, makes_the_block_of_the_rfc)
{
	/* RFC 8439, 2.3.2 */
	static const uint32_t nonce[3] = {0x09000000, 0x4a000000, 0};
	static const uint32_t want[16] = {
		0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3,
		0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3,
		0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
		0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2,
	};
	uint32_t key[8], got[16];

	for (unsigned i = 0; i < 8; i++)
		key[i] = 0x03020100 + i * 0x04040404;
	chacha_block(key, 1, nonce, got);
	cr_expect_arr_eq(got, want, sizeof(want));
}

Test(mote_chacha, gives_the_same_bytes_in_any_portions)
{
	struct chacha a = {0}, b = {0};
	uint8_t whole[200], parts[200];

	chacha_mix(&a, "seed", 4);
	chacha_mix(&b, "seed", 4);
	chacha_bytes(&a, whole, sizeof(whole));
	for (size_t at = 0, n = 1; at < sizeof(parts);
	     at += n, n = n % 50 + 7) {
		if (n > sizeof(parts) - at)
			n = sizeof(parts) - at;
		chacha_bytes(&b, parts + at, n);
	}
	cr_expect_arr_eq(whole, parts, sizeof(whole));
}

Test(mote_chacha, keeps_nothing_that_it_gave)
{
	struct chacha c = {0};
	uint8_t out[16];

	chacha_mix(&c, "seed", 4);
	chacha_bytes(&c, out, sizeof(out));
	cr_expect_null(memmem(&c, sizeof(c), out, sizeof(out)));
}

Test(mote_chacha, depends_on_every_seed)
{
	struct chacha a = {0}, b = {0};
	uint8_t x[16], y[16];
	uint8_t seed[64] = {0};

	chacha_mix(&a, seed, sizeof(seed));
	seed[63] = 1;
	chacha_mix(&b, seed, sizeof(seed));
	chacha_bytes(&a, x, sizeof(x));
	chacha_bytes(&b, y, sizeof(y));
	cr_expect_neq(memcmp(x, y, sizeof(x)), 0);
}
