/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c - limits, devices and speculation controls for a kind of use.
 * Trusts: no byte of a text. One table says what each key takes. */
#include "runner/cli/profile.h"

#include "base/plan.h"
#include "runner/cli/keyfile.h"
#include "runner/cli/parse.h"
#include "runner/cli/problem.h"
#include "runner/cli/text_file.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NS_MAX       (INT64_MAX / 2)
#define RATE_MIN     4096u /* less than a page a second is a mistake */
#define RNG_RATE_MIN 64u
#define RATE_MAX     (1ull << 50)
#define OPS_MAX      1000000000ull
#define PERCENT_MAX  (100ull * PLAN_CPUS_MAX * 4)
#define PAGE_BYTES   4096ull
#define DEVICE(kind) (1ull << PLAN_DEVICE_##kind)

#define RATE_WRONG                                                             \
	"is neither 'none' nor bytes a second from 4K to 1024T, like 20M"
#define OPS_WRONG "is neither 'none' nor a number of requests a second"

enum kind {
	KIND_SIZE,
	KIND_COUNT,
	KIND_TIME,
	KIND_PERCENT,
	KIND_DEVICES,
	KIND_WORD, /* only the words of the key */
};

struct word {
	const char *text;
	uint64_t value;
};

static const struct key {
	const char *name;
	enum kind kind;
	uint64_t min, max;
	const char *wrong, *low, *high;
	struct word word[2];
} keys[PROFILE_KEYS] = {
	[PROFILE_MEM] = {.name = "mem",
			 .kind = KIND_SIZE,
			 .min = PLAN_MEM_MIN_BYTES,
			 .max = PLAN_MEM_MAX_BYTES,
			 .wrong = "is not a size like 64M or 1.5G",
			 .low = "is less than 1M",
			 .high = "is more than 512G"},
	[PROFILE_CPUS] = {.name = "cpus",
			  .kind = KIND_COUNT,
			  .min = 1,
			  .max = PLAN_CPUS_MAX,
			  .wrong = "is not a number from 1 to 64"},
	[PROFILE_PIDS] = {.name = "pids",
			  .kind = KIND_COUNT,
			  .min = PLAN_PIDS_MIN,
			  .max = PLAN_PIDS_MAX,
			  .wrong = "is neither 'auto' nor a number from 4 to "
				   "1024",
			  .word = {{"auto", 0}}},
	[PROFILE_OPEN_FILES] = {.name = "open-files",
				.kind = KIND_COUNT,
				.min = PLAN_FILES_MIN,
				.max = PLAN_FILES_MAX,
				.wrong = "is not a number from 48 to 1024"},
	[PROFILE_TIME] = {.name = "time",
			  .kind = KIND_TIME,
			  .min = 1,
			  .max = NS_MAX,
			  .wrong = "is not a time like 2, 0.5, 300ms or 5m",
			  .word = {{"none", 0}}},
	[PROFILE_GRACE] = {.name = "grace",
			   .kind = KIND_TIME,
			   .min = 1,
			   .max = NS_MAX,
			   .wrong = "is neither 'none' nor a time like 2s or "
				    "300ms",
			   .word = {{"none", 0}}},
	[PROFILE_CPU_MAX] = {.name = "cpu-max",
			     .kind = KIND_PERCENT,
			     .min = 1,
			     .max = PERCENT_MAX,
			     .wrong = "is neither 'auto' nor 'none' nor a "
				      "percentage of one CPU from 1% to 25600%",
			     .word = {{"auto", 0}, {"none", PROFILE_NO_LIMIT}}},
	[PROFILE_CPU_WEIGHT] = {.name = "cpu-weight",
				.kind = KIND_COUNT,
				.min = 1,
				.max = 10000,
				.wrong = "is not a number from 1 to 10000"},
	[PROFILE_IO_WEIGHT] = {.name = "io-weight",
			       .kind = KIND_COUNT,
			       .min = 1,
			       .max = 10000,
			       .wrong = "is not a number from 1 to 10000"},
	[PROFILE_IO_READ] = {.name = "io-read",
			     .kind = KIND_SIZE,
			     .min = RATE_MIN,
			     .max = RATE_MAX,
			     .wrong = RATE_WRONG,
			     .word = {{"none", 0}}},
	[PROFILE_IO_WRITE] = {.name = "io-write",
			      .kind = KIND_SIZE,
			      .min = RATE_MIN,
			      .max = RATE_MAX,
			      .wrong = RATE_WRONG,
			      .word = {{"none", 0}}},
	[PROFILE_IO_READ_OPS] = {.name = "io-read-ops",
				 .kind = KIND_COUNT,
				 .min = 1,
				 .max = OPS_MAX,
				 .wrong = OPS_WRONG,
				 .word = {{"none", 0}}},
	[PROFILE_IO_WRITE_OPS] = {.name = "io-write-ops",
				  .kind = KIND_COUNT,
				  .min = 1,
				  .max = OPS_MAX,
				  .wrong = OPS_WRONG,
				  .word = {{"none", 0}}},
	[PROFILE_DEVICES] = {.name = "devices",
			     .kind = KIND_DEVICES,
			     .min = DEVICE(HARNESS),
			     .max = DEVICE(HARNESS) | DEVICE(CONSOLE) |
				    DEVICE(RNG) | DEVICE(BALLOON),
			     .wrong = "is not a list of harness, console, rng, "
				      "balloon"},
	[PROFILE_RNG_RATE] = {.name = "rng-rate",
			      .kind = KIND_SIZE,
			      .min = RNG_RATE_MIN,
			      .max = RATE_MAX,
			      .wrong = "is neither 'none' nor bytes a second "
				       "from 64 to 1024T, like 16K",
			      .word = {{"none", 0}}},
	[PROFILE_STORE_BYPASS] = {.name = "store-bypass",
				  .kind = KIND_WORD,
				  .wrong = "is neither 'off' nor 'host'",
				  .word = {{"off", 0}, {"host", 1}}},
	[PROFILE_INDIRECT_BRANCH] = {.name = "indirect-branch",
				     .kind = KIND_WORD,
				     .wrong = "is neither 'off' nor 'host'",
				     .word = {{"off", 0}, {"host", 1}}},
	[PROFILE_L1D_FLUSH] = {.name = "l1d-flush",
			       .kind = KIND_WORD,
			       .wrong = "is neither 'on' nor 'host'",
			       .word = {{"on", 0}, {"host", 1}}},
	[PROFILE_CORE_SCHEDULING] = {.name = "core-scheduling",
				     .kind = KIND_WORD,
				     .wrong = "is neither 'on' nor 'off'",
				     .word = {{"off", 0}, {"on", 1}}},
};

static const struct word devices[] = {
	{"harness", DEVICE(HARNESS)},
	{"console", DEVICE(CONSOLE)},
	{"rng", DEVICE(RNG)},
	{"balloon", DEVICE(BALLOON)},
};
#define DEVICES (sizeof(devices) / sizeof(devices[0]))

const char *profile_key_name(enum profile_key key)
{
	return keys[key].name;
}

/** parse_devices() - "harness, console". Return: NULL or what is wrong. */
static const char *parse_devices(const char *text, uint64_t *ret)
{
	uint64_t all = 0;

	while (*text) {
		size_t len = strcspn(text, ", \t"), i = 0;

		while (i < DEVICES && (strlen(devices[i].text) != len ||
				       memcmp(devices[i].text, text, len) != 0))
			i++;
		if (i == DEVICES)
			return keys[PROFILE_DEVICES].wrong;
		all |= devices[i].value;
		text += len + strspn(text + len, ", \t");
	}
	if (!(all & DEVICE(HARNESS)))
		return "lacks the harness, by which a VM tells how it ends";
	*ret = all;
	return NULL;
}

/** parse_percent() - "150%" or "150". */
static int parse_percent(const char *text, uint64_t *ret)
{
	size_t len = strlen(text);
	char digits[16];
	uint32_t percent;
	int err;

	if (len && text[len - 1] == '%')
		len--;
	if (!len || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len);
	digits[len] = '\0';
	err = parse_count(digits, 0, UINT32_MAX, &percent);
	if (!err)
		*ret = percent;
	return err;
}

static int parse_number(const struct key *key, const char *text, uint64_t *ret)
{
	uint32_t count;
	int err;

	switch (key->kind) {
	case KIND_SIZE:
		return parse_size(text, ret);
	case KIND_TIME:
		return parse_seconds(text, ret);
	case KIND_PERCENT:
		return parse_percent(text, ret);
	case KIND_COUNT:
		err = parse_count(text, 0, UINT32_MAX, &count);
		if (!err)
			*ret = count;
		return err;
	case KIND_DEVICES:
	case KIND_WORD:
		break;
	}
	return -EINVAL;
}

static const char *parse_value(const struct key *key, const char *text,
			       uint64_t *ret)
{
	uint64_t value = 0;
	int err;

	for (size_t i = 0; i < 2 && key->word[i].text; i++) {
		if (!strcmp(key->word[i].text, text)) {
			*ret = key->word[i].value;
			return NULL;
		}
	}
	if (key->kind == KIND_DEVICES)
		return parse_devices(text, ret);
	err = parse_number(key, text, &value);
	if (err == -ERANGE || (!err && value > key->max))
		return key->high ? key->high : key->wrong;
	if (err || value < key->min)
		return !err && key->low ? key->low : key->wrong;
	*ret = value;
	return NULL;
}

const char *profile_set(struct profile *p, enum profile_key key,
			const char *value)
{
	uint64_t number = 0;
	const char *wrong = parse_value(&keys[key], value, &number);

	if (wrong)
		return wrong;
	if (key == PROFILE_MEM)
		number = (number + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
	p->value[key] = number;
	p->set |= 1u << key;
	return NULL;
}

static const char *set_key(void *into, size_t key, const char *value)
{
	struct profile *p = into;

	if (p->set & (1u << key))
		return "comes too late: this key already has a value above";
	return profile_set(p, (enum profile_key)key, value);
}

int profile_parse(const char *name, const char *text, size_t bytes,
		  struct profile *ret, struct problem *why)
{
	const char *names[PROFILE_KEYS];
	const struct keyfile file = {
		.name = name,
		.keys = names,
		.count = PROFILE_KEYS,
		.set = set_key,
	};
	struct profile p = {0};
	int err;

	for (size_t i = 0; i < PROFILE_KEYS; i++)
		names[i] = keys[i].name;
	err = keyfile_parse(&file, text, bytes, &p, why);
	if (!err)
		*ret = p;
	return err;
}

void profile_merge(struct profile *into, const struct profile *over)
{
	for (unsigned i = 0; i < PROFILE_KEYS; i++) {
		if (over->set & (1u << i))
			into->value[i] = over->value[i];
	}
	into->set |= over->set;
}

static bool is_value(const struct key *key, uint64_t value)
{
	for (size_t i = 0; i < 2 && key->word[i].text; i++) {
		if (key->word[i].value == value)
			return true;
	}
	if (key->kind == KIND_DEVICES)
		return !(value & ~key->max) && value & key->min;
	return key->kind != KIND_WORD && value >= key->min && value <= key->max;
}

bool profile_is_sane(const struct profile *p)
{
	if (p->set >> PROFILE_KEYS)
		return false;
	for (unsigned i = 0; i < PROFILE_KEYS; i++) {
		if (p->set & (1u << i) && !is_value(&keys[i], p->value[i]))
			return false;
	}
	return !(p->set & (1u << PROFILE_MEM)) ||
	       p->value[PROFILE_MEM] % PAGE_BYTES == 0;
}

int profile_builtin(const char *name, struct profile *ret)
{
	struct problem why;

	for (const struct profile_text *t = profile_texts; t->name; t++) {
		int err;

		if (strcmp(t->name, name) != 0)
			continue;
		err = profile_parse(name, t->text, t->bytes, ret, &why);
		assert(!err); /* the unit tests have read all of them */
		return err;
	}
	return -ENOENT;
}

int profile_read(const char *path, struct profile *ret, struct problem *why)
{
	char text[PROFILE_TEXT_MAX];
	size_t bytes = 0;
	int err = text_file_read("profile", path, text, sizeof(text), &bytes,
				 why);

	return err ? err : profile_parse(path, text, bytes, ret, why);
}
