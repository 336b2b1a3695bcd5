/* SPDX-License-Identifier: Apache-2.0 */
/* profile.h - limits, devices and speculation controls for a kind of use, as
 * numbers. Comes from a text file (keyfile.h), from options of the same names,
 * or from both: what was set last wins. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct problem;

enum profile_key {           /* unit; range in profile.c */
	PROFILE_MEM,         /* bytes, whole pages */
	PROFILE_CPUS,        /* virtual ones */
	PROFILE_PIDS,        /* threads; 0: auto */
	PROFILE_OPEN_FILES,  /* fds */
	PROFILE_TIME,        /* ns; 0: none */
	PROFILE_GRACE,       /* ns; 0: none */
	PROFILE_CPU_MAX,     /* percent of a CPU; 0: auto, PROFILE_NO_LIMIT */
	PROFILE_CPU_WEIGHT,  /* 1 to 10000, 100 is usual */
	PROFILE_IO_WEIGHT,   /* the same */
	PROFILE_IO_READ,     /* bytes a second; 0: none */
	PROFILE_IO_WRITE,    /* the same */
	PROFILE_IO_READ_OPS, /* requests a second; 0: none */
	PROFILE_IO_WRITE_OPS,
	PROFILE_DEVICES,         /* bits 1 << enum plan_device_kind */
	PROFILE_RNG_RATE,        /* bytes a second; 0: none */
	PROFILE_STORE_BYPASS,    /* 0: off, 1: the host's choice */
	PROFILE_INDIRECT_BRANCH, /* the same */
	PROFILE_L1D_FLUSH,       /* 0: on, 1: the host's choice */
	PROFILE_CORE_SCHEDULING, /* 0: off, 1: on */
	PROFILE_KEYS
};

#define PROFILE_NO_LIMIT UINT64_MAX

struct profile {
	uint32_t set; /* bit n: key n was given */
	uint32_t reserved;
	uint64_t value[PROFILE_KEYS];
};

#define PROFILE_TEXT_MAX 16384u

/** profile_parse() - a whole file. @name: for errors. A key comes at most once.
 * Return: 0; -EINVAL with @why: file, line, column, what is allowed. */
int profile_parse(const char *name, const char *text, size_t bytes,
		  struct profile *ret, struct problem *why);

/** profile_set() - one value, as text. Return: NULL or what is wrong with it,
 * to be read after "'VALUE' ". */
const char *profile_set(struct profile *p, enum profile_key key,
			const char *value);

/** profile_merge() - what is set in @over goes before what @into has. */
void profile_merge(struct profile *into, const struct profile *over);

/** profile_is_sane() - could profile_parse() have made it? For profiles that
 * come from a parser one does not trust. */
bool profile_is_sane(const struct profile *p);

/** profile_key_name() - as in a file. */
const char *profile_key_name(enum profile_key key);

/** profile_builtin() - those that come with Ampoule: "default", which has all
 * keys set, and others. Return: 0 or -ENOENT. */
int profile_builtin(const char *name, struct profile *ret);

/** profile_read() - the file at @path. Return: 0, or negative with @why. */
int profile_read(const char *path, struct profile *ret, struct problem *why);

struct profile_text {
	const char *name;
	const char *text; /* not NUL-terminated */
	size_t bytes;
};

extern const struct profile_text profile_texts[]; /* ends with name NULL */
