/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.c - see recorder.h. Memory is compared with a copy at each access;
 * of a long run of bytes the first are kept and the rest becomes a fill. */
#include "tests/unit/recorder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/session.h"
#include "tests/unit/fake_driver.h"

#define SEED_BYTES 8192u /* longer sessions are cut: their start is enough */
#define PAGE       4096u
#define RUN_BYTES  64u /* of a run, kept as they are */
#define GAP_BYTES  8u  /* two runs closer than this are one */

struct recorder {
	const struct fake_driver *d;
	const char *kind;
	uint8_t *mem, *high; /* as at the last access */
	size_t at;
	uint8_t seed[SEED_BYTES];
};

static void put(struct recorder *r, const void *data, size_t bytes)
{
	memcpy(r->seed + r->at, data, bytes);
	r->at += bytes;
}

static void put8(struct recorder *r, size_t value)
{
	r->seed[r->at++] = (uint8_t)value;
}

static void put16(struct recorder *r, size_t value)
{
	put8(r, value);
	put8(r, value >> 8);
}

/** room() - for an op and up to 64 bytes of it. */
static bool room(const struct recorder *r)
{
	return r->at + 80 <= sizeof(r->seed);
}

/** put_place() - area and offset of a guest address; what lies before the
 * buffers and belongs to no queue has none. */
static bool put_place(struct recorder *r, uint8_t op, uint64_t gpa)
{
	uint64_t area, offset;

	if (!room(r))
		return false;
	if (gpa >= DRV_HIGH) {
		area = 64;
		offset = gpa - DRV_HIGH;
	} else if (gpa >= DRV_DATA) {
		area = 16 + (gpa - DRV_DATA) / 0x10000;
		offset = (gpa - DRV_DATA) % 0x10000;
	} else if (gpa >= DRV_QUEUE_BASE) {
		area = (gpa - DRV_QUEUE_BASE) / DRV_QUEUE_STRIDE;
		area = area < 16 ? area : 15;
		offset = gpa - DRV_QUEUE_BASE - area * DRV_QUEUE_STRIDE;
	} else {
		return false;
	}
	if (offset > UINT16_MAX)
		return false;
	put8(r, op);
	put8(r, area);
	put16(r, offset);
	return true;
}

/** put_run() - bytes of the guest's memory, as the driver left them. */
static void put_run(struct recorder *r, uint64_t gpa, const uint8_t *data,
		    size_t bytes)
{
	size_t kept = bytes < RUN_BYTES ? bytes : RUN_BYTES;

	if (!put_place(r, SESSION_POKE, gpa))
		return;
	put8(r, kept - 1);
	put(r, data, kept);
	if (bytes == kept || !put_place(r, SESSION_FILL, gpa + kept))
		return;
	bytes -= kept;
	put16(r, bytes < UINT16_MAX ? bytes : UINT16_MAX);
	put8(r, data[kept]);
}

/** run_end() - where the bytes that differ end, small gaps included. */
static size_t run_end(const uint8_t *now, const uint8_t *old, size_t i,
		      size_t bytes)
{
	size_t end = i + 1;

	for (; i < bytes && i < end + GAP_BYTES; i++) {
		if (now[i] != old[i])
			end = i + 1;
	}
	return end;
}

/** compare() - what changed in a region; NULL @r only takes the copy. */
static void compare(struct recorder *r, uint64_t gpa, const uint8_t *now,
		    uint8_t *old, size_t bytes)
{
	for (size_t page = 0; page < bytes; page += PAGE) {
		size_t i = page, end;

		if (!memcmp(now + page, old + page, PAGE))
			continue;
		for (; r && i < page + PAGE; i = end) {
			end = i + 1;
			if (now[i] == old[i])
				continue;
			end = run_end(now, old, i, bytes);
			put_run(r, gpa + i, now + i, end - i);
		}
		memcpy(old + page, now + page, PAGE);
	}
}

/** device_byte() - as tests/fuzz/device_makers.h chooses a device. */
static uint8_t device_byte(const struct fake_driver *d)
{
	uint32_t id = d->vd->ops->device_id;

	return (uint8_t)(id > UINT8_MAX ? UINT8_MAX : id);
}

struct recorder *recorder_new(const struct fake_driver *d, const char *kind)
{
	struct recorder *r;

	if (!getenv("AMPOULE_RECORD"))
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	r->d = d;
	r->kind = kind;
	r->mem = calloc(1, DRV_MEM_BYTES);
	r->high = calloc(1, DRV_HIGH_BYTES);
	if (!r->mem || !r->high)
		abort();
	if (kind) /* its target takes any device */
		put8(r, device_byte(d));
	put(r, SESSION_MAGIC, 4);
	return r;
}

static void compare_all(struct recorder *to, struct recorder *r)
{
	compare(to, 0, r->d->mem, r->mem, DRV_MEM_BYTES);
	compare(to, DRV_HIGH, r->d->high, r->high, DRV_HIGH_BYTES);
}

void recorder_access(struct recorder *r, bool other, bool write,
		     uint32_t offset, const void *data, size_t len)
{
	unsigned log2 = 0;

	if (!r || !room(r))
		return;
	compare_all(r, r);
	if (!room(r))
		return;
	while (1u << log2 < len)
		log2++;
	put8(r, (write ? SESSION_WRITE : SESSION_READ) |
			(other ? SESSION_WRITE_OTHER : 0));
	put8(r, log2);
	put16(r, offset);
	if (write)
		put(r, data, len);
}

void recorder_seen(struct recorder *r)
{
	if (r && room(r))
		compare_all(NULL, r);
}

static uint64_t hash(const uint8_t *data, size_t bytes)
{
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a */

	for (size_t i = 0; i < bytes; i++)
		h = (h ^ data[i]) * 0x100000001b3ull;
	return h;
}

static void write_file(const char *prefix, const uint8_t *data, size_t bytes)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s-%016" PRIx64,
		       getenv("AMPOULE_RECORD"), prefix, hash(data, bytes));
	f = fopen(path, "we");
	if (!f || fwrite(data, 1, bytes, f) != bytes || fclose(f))
		abort();
}

static void discard(struct recorder *r)
{
	free(r->mem);
	free(r->high);
	free(r);
}

void recorder_state(const struct fake_driver *d, const uint8_t *state,
		    size_t bytes)
{
	struct recorder *r = recorder_new(d, NULL);
	uint8_t *seed;
	size_t at = 5;

	if (!r)
		return;
	seed = malloc(at + SEED_BYTES + bytes);
	if (!seed)
		abort();
	r->at = 0;
	compare_all(r, r); /* with memory that is zero */
	seed[0] = device_byte(d);
	seed[1] = (uint8_t)bytes;
	seed[2] = (uint8_t)(bytes >> 8);
	seed[3] = (uint8_t)r->at;
	seed[4] = (uint8_t)(r->at >> 8);
	memcpy(seed + at, r->seed, r->at);
	at += r->at;
	memcpy(seed + at, state, bytes);
	write_file("state", seed, at + bytes);
	free(seed);
	discard(r);
}

void recorder_free(struct recorder *r)
{
	char prefix[16];

	if (!r)
		return;
	(void)snprintf(prefix, sizeof(prefix), "%" PRIu32,
		       r->d->vd->ops->device_id);
	write_file(r->kind ? r->kind : prefix, r->seed, r->at);
	discard(r);
}
