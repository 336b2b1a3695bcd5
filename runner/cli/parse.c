/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c - numbers as people write them. */
#include "runner/cli/parse.h"

#include "base/ckd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DECIMALS_MAX 9

struct unit {
	const char *suffix;
	uint64_t factor;
};

/** parse_decimal() - "12" or "12.345" times @unit; *ret_rest is what follows.
 * Digits beyond the ninth decimal are ignored. */
static int parse_decimal(const char *text, const char **ret_rest,
			 uint64_t *ret_whole, uint64_t *ret_nano)
{
	const char *p = text;
	uint64_t whole = 0, nano = 0, scale = 100000000;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (ckd_mul(&whole, whole, 10u) ||
		    ckd_add(&whole, whole, (unsigned)(*p - '0')))
			return -ERANGE;
	}
	if (*p == '.') {
		p++;
		if (*p < '0' || *p > '9')
			return -EINVAL;
		for (; *p >= '0' && *p <= '9'; p++) {
			nano += (uint64_t)(*p - '0') * scale;
			scale /= 10;
		}
	}
	*ret_rest = p;
	*ret_whole = whole;
	*ret_nano = nano;
	return 0;
}

static int parse_unit(const char *text, const struct unit *units, size_t count,
		      uint64_t *ret)
{
	uint64_t whole, nano, total, part;
	const char *suffix;
	int err = parse_decimal(text, &suffix, &whole, &nano);

	if (err)
		return err;
	for (size_t i = 0; i < count; i++) {
		if (strcasecmp(suffix, units[i].suffix) != 0)
			continue;
		/* A fraction of a unit: in steps a double holds exactly. */
		part = (uint64_t)((double)nano / 1e9 * (double)units[i].factor);
		if (ckd_mul(&total, whole, units[i].factor) ||
		    ckd_add(&total, total, part))
			return -ERANGE;
		*ret = total;
		return 0;
	}
	return -EINVAL;
}

int parse_size(const char *text, uint64_t *ret_bytes)
{
	static const struct unit units[] = {
		{"", 1},
		{"B", 1},
		{"K", 1ull << 10},
		{"KB", 1ull << 10},
		{"KiB", 1ull << 10},
		{"M", 1ull << 20},
		{"MB", 1ull << 20},
		{"MiB", 1ull << 20},
		{"G", 1ull << 30},
		{"GB", 1ull << 30},
		{"GiB", 1ull << 30},
		{"T", 1ull << 40},
		{"TB", 1ull << 40},
		{"TiB", 1ull << 40},
	};

	return parse_unit(text, units, sizeof(units) / sizeof(units[0]),
			  ret_bytes);
}

int parse_seconds(const char *text, uint64_t *ret_ns)
{
	static const struct unit units[] = {
		{"", 1000000000ull},       {"s", 1000000000ull},
		{"ms", 1000000ull},        {"us", 1000ull},
		{"m", 60 * 1000000000ull}, {"h", 3600 * 1000000000ull},
	};
	uint64_t ns;
	int err =
		parse_unit(text, units, sizeof(units) / sizeof(units[0]), &ns);

	if (err)
		return err;
	if (!ns || ns > INT64_MAX / 2)
		return -ERANGE;
	*ret_ns = ns;
	return 0;
}

int parse_count(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
	uint64_t whole, nano;
	const char *rest;
	int err = parse_decimal(text, &rest, &whole, &nano);

	if (err)
		return err;
	if (*rest || nano)
		return -EINVAL;
	if (whole < min || whole > max)
		return -ERANGE;
	*ret = (uint32_t)whole;
	return 0;
}

const char *size_text(uint64_t bytes, char buf[32])
{
	static const char letters[] = {'T', 'G', 'M', 'K'};

	for (unsigned i = 0; i < sizeof(letters); i++) {
		unsigned shift = 40 - 10 * i;

		if (bytes >> shift && !(bytes & ((1ull << shift) - 1))) {
			(void)snprintf(buf, 32, "%llu%c",
				       (unsigned long long)(bytes >> shift),
				       letters[i]);
			return buf;
		}
	}
	(void)snprintf(buf, 32, "%llu", (unsigned long long)bytes);
	return buf;
}
