/* SPDX-License-Identifier: Apache-2.0 */
/* test_blob.c - saved state: order, bounds, the error that sticks. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "base/blob.h"

Test(blob, round_trip)
{
	uint8_t data[15 + 3];
	struct blob b;
	char text[3];

	blob_init(&b, data, sizeof(data));
	blob_put8(&b, 0x12);
	blob_put16(&b, 0x3456);
	blob_put32(&b, 0x789abcde);
	blob_put64(&b, 0x1122334455667788);
	blob_put(&b, "abc", 3);
	cr_assert_eq(b.err, 0);
	cr_assert_eq(b.at, sizeof(data));
	cr_assert_eq(memcmp(data, "\x12\x56\x34\xde\xbc\x9a\x78", 7), 0);
	blob_init(&b, data, b.at);
	cr_assert_eq(blob_get8(&b), 0x12);
	cr_assert_eq(blob_get16(&b), 0x3456);
	cr_assert_eq(blob_get32(&b), 0x789abcde);
	cr_assert_eq(blob_get64(&b), 0x1122334455667788);
	blob_get(&b, text, 3);
	cr_assert_eq(memcmp(text, "abc", 3), 0);
	cr_assert_eq(b.err, 0);
}

Test(blob, full)
{
	uint8_t data[4] = {0};
	struct blob b;

	blob_init(&b, data, 3);
	blob_put32(&b, ~0u);
	cr_assert_eq(b.err, -ENOSPC);
	blob_put8(&b, 1); /* there is room, but the blob is spoilt */
	cr_assert_eq(b.at, 0);
	cr_assert_eq(data[0], 0);
}

Test(blob, empty)
{
	uint8_t data[3] = {1, 2, 3};
	struct blob b;

	blob_init(&b, data, sizeof(data));
	cr_assert_eq(blob_get32(&b), 0);
	cr_assert_eq(b.err, -ENODATA);
	cr_assert_eq(blob_get8(&b), 0);
	cr_assert_eq(blob_fail(&b, -EPROTO), -ENODATA);
}
