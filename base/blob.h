/* SPDX-License-Identifier: Apache-2.0 */
/* blob.h - bounded sequence of little-endian values: what a device saves of
 * itself and loads again. Trusts: nothing of what it reads. Must not: allocate.
 *
 * An error sticks: after the first one every put does nothing and every get
 * gives zeroes, so a caller looks once, in the end, at blob->err. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct blob {
	uint8_t *data; /* borrowed */
	size_t bytes;  /* capacity when written, content when read */
	size_t at;     /* next byte */
	int err;       /* 0; -ENOSPC, -ENODATA, or what a caller put there */
};

/** blob_init() - begin at the start of @data. */
void blob_init(struct blob *b, void *data, size_t bytes);

/** blob_fail() - the content makes no sense: @err (negative) unless there is
 * one already. Return: the error that sticks. */
int blob_fail(struct blob *b, int err);

void blob_put(struct blob *b, const void *src, size_t bytes);
void blob_put8(struct blob *b, uint8_t value);
void blob_put16(struct blob *b, uint16_t value);
void blob_put32(struct blob *b, uint32_t value);
void blob_put64(struct blob *b, uint64_t value);

/** blob_get() - the next @bytes, or zeroes. */
void blob_get(struct blob *b, void *dst, size_t bytes);
uint8_t blob_get8(struct blob *b);
uint16_t blob_get16(struct blob *b);
uint32_t blob_get32(struct blob *b);
uint64_t blob_get64(struct blob *b);
