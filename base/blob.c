/* SPDX-License-Identifier: Apache-2.0 */
/* blob.c - bounded sequence of little-endian values. */
#include "base/blob.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

void blob_init(struct blob *b, void *data, size_t bytes)
{
	*b = (struct blob){.data = data, .bytes = bytes};
}

int blob_fail(struct blob *b, int err)
{
	if (!b->err)
		b->err = err;
	return b->err;
}

/** take() - @bytes from here on; NULL when there are not so many. */
static uint8_t *take(struct blob *b, size_t bytes, int err)
{
	uint8_t *p = b->data + b->at;

	if (b->err || bytes > b->bytes - b->at) {
		blob_fail(b, err);
		return NULL;
	}
	b->at += bytes;
	return p;
}

void blob_put(struct blob *b, const void *src, size_t bytes)
{
	uint8_t *p = take(b, bytes, -ENOSPC);

	if (p && bytes)
		memcpy(p, src, bytes);
}

void blob_get(struct blob *b, void *dst, size_t bytes)
{
	const uint8_t *p = take(b, bytes, -ENODATA);

	if (p && bytes)
		memcpy(dst, p, bytes);
	else if (bytes)
		memset(dst, 0, bytes);
}

void blob_put8(struct blob *b, uint8_t value)
{
	blob_put(b, &value, sizeof(value));
}

void blob_put16(struct blob *b, uint16_t value)
{
	value = htole16(value);
	blob_put(b, &value, sizeof(value));
}

void blob_put32(struct blob *b, uint32_t value)
{
	value = htole32(value);
	blob_put(b, &value, sizeof(value));
}

void blob_put64(struct blob *b, uint64_t value)
{
	value = htole64(value);
	blob_put(b, &value, sizeof(value));
}

uint8_t blob_get8(struct blob *b)
{
	uint8_t value;

	blob_get(b, &value, sizeof(value));
	return value;
}

uint16_t blob_get16(struct blob *b)
{
	uint16_t value;

	blob_get(b, &value, sizeof(value));
	return le16toh(value);
}

uint32_t blob_get32(struct blob *b)
{
	uint32_t value;

	blob_get(b, &value, sizeof(value));
	return le32toh(value);
}

uint64_t blob_get64(struct blob *b)
{
	uint64_t value;

	blob_get(b, &value, sizeof(value));
	return le64toh(value);
}
