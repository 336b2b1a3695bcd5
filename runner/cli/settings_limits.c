/* SPDX-License-Identifier: Apache-2.0 */
/* settings_limits.c - the options of `run` that a profile has, too. */
#include "runner/cli/cpu_template.h"
#include "runner/cli/options.h"
#include "runner/cli/problem.h"
#include "runner/cli/profile.h"
#include "runner/cli/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OPTION(function, key)                                                  \
	static const char *function(void *settings, const char *value)         \
	{                                                                      \
		struct settings *s = settings;                                 \
                                                                               \
		return profile_set(&s->given, key, value);                     \
	}

OPTION(set_mem, PROFILE_MEM)
OPTION(set_cpus, PROFILE_CPUS)
OPTION(set_time, PROFILE_TIME)
OPTION(set_grace, PROFILE_GRACE)
OPTION(set_pids, PROFILE_PIDS)
OPTION(set_open_files, PROFILE_OPEN_FILES)
OPTION(set_cpu_max, PROFILE_CPU_MAX)
OPTION(set_cpu_weight, PROFILE_CPU_WEIGHT)
OPTION(set_io_weight, PROFILE_IO_WEIGHT)
OPTION(set_io_read, PROFILE_IO_READ)
OPTION(set_io_write, PROFILE_IO_WRITE)
OPTION(set_io_read_ops, PROFILE_IO_READ_OPS)
OPTION(set_io_write_ops, PROFILE_IO_WRITE_OPS)
OPTION(set_rng_rate, PROFILE_RNG_RATE)

static const char *set_profile(void *settings, const char *value)
{
	struct settings *s = settings;
	struct profile p;

	if (!strchr(value, '/') && profile_builtin(value, &p))
		return "is no profile: default, function, fuzz and strict are; "
		       "the name of a file has a '/' in it";
	s->profile = value;
	return NULL;
}

static const char *set_cpu(void *settings, const char *value)
{
	if (strcmp(value, CPU_TEMPLATE_HOST) != 0 &&
	    strcmp(value, CPU_TEMPLATE_BASELINE) != 0 && !strchr(value, '/'))
		return "is neither host nor baseline; the name of a file has a "
		       "'/' in it";
	((struct settings *)settings)->cpu = value;
	return NULL;
}

const struct option_spec settings_limit_options[] = {
	{"profile", 0, OPTION_REQUIRED, "NAME|FILE",
	 "limits and devices for a kind of use: default,\n"
	 "function, fuzz, strict, or a file of yours (with\n"
	 "a '/'); the options below go before it",
	 set_profile},
	{"mem", 0, OPTION_REQUIRED, "SIZE",
	 "memory of the VM, files included (default 128M)", set_mem},
	{"cpus", 0, OPTION_REQUIRED, "N",
	 "virtual CPUs (default 1); up to 8, with a Linux\n"
	 "kernel up to 64",
	 set_cpus},
	{"cpu", 0, OPTION_REQUIRED, "TEMPLATE",
	 "features that the VM sees: host (default, all that\n"
	 "KVM offers), baseline (x86-64-v3, the same on all\n"
	 "hosts of a make), or a file, with a '/' in its\n"
	 "name, of lines like '0x7.ebx = ~0x10000': CPUID\n"
	 "bits to take away",
	 set_cpu},
	{"time", 0, OPTION_REQUIRED, "SECONDS",
	 "end it after this time with exit code 124; also\n"
	 "300ms, 5m",
	 set_time},
	{"grace", 0, OPTION_REQUIRED, "SECONDS",
	 "kill it this time after a SIGTERM", set_grace},
	{"pids", 0, OPTION_REQUIRED, "N", "threads of the VM's process",
	 set_pids},
	{"open-files", 0, OPTION_REQUIRED, "N", "open files of the same",
	 set_open_files},
	{"cpu-max", 0, OPTION_REQUIRED, "PERCENT",
	 "of one CPU of the host, as 150%", set_cpu_max},
	{"cpu-weight", 0, OPTION_REQUIRED, "N",
	 "share of busy CPUs, 1 to 10000 (default 100)", set_cpu_weight},
	{"io-weight", 0, OPTION_REQUIRED, "N",
	 "share of busy disks, 1 to 10000 (default 100)", set_io_weight},
	{"io-read", 0, OPTION_REQUIRED, "SIZE", "bytes a second from a disk",
	 set_io_read},
	{"io-write", 0, OPTION_REQUIRED, "SIZE", "bytes a second to a disk",
	 set_io_write},
	{"io-read-ops", 0, OPTION_REQUIRED, "N",
	 "requests a second to a disk, for reading", set_io_read_ops},
	{"io-write-ops", 0, OPTION_REQUIRED, "N", "the same, for writing",
	 set_io_write_ops},
	{"rng-rate", 0, OPTION_REQUIRED, "SIZE",
	 "bytes a second from the entropy device", set_rng_rate},
	{0},
};

const char *settings_profile_file(const struct settings *s)
{
	return s->profile && strchr(s->profile, '/') ? s->profile : NULL;
}

void settings_resolve(struct settings *s, const struct profile *from_file)
{
	struct profile named;
	int err = profile_builtin("default", &s->limits);

	assert(!err);
	if (from_file)
		profile_merge(&s->limits, from_file);
	else if (s->profile && !profile_builtin(s->profile, &named))
		profile_merge(&s->limits, &named);
	profile_merge(&s->limits, &s->given);
}

const char *settings_wants_cgroup(const struct settings *s)
{
	for (unsigned i = PROFILE_CPU_MAX; i <= PROFILE_IO_WRITE_OPS; i++) {
		if (s->given.set & (1u << i))
			return profile_key_name((enum profile_key)i);
	}
	return NULL;
}
