/* SPDX-License-Identifier: Apache-2.0 */
/* background.c - the options of VMs in the background, as tables. */
#include "runner/cli/background.h"

#include "runner/cli/parse.h"
#include "runner/cli/settings.h"
#include "runner/cli/vmlog.h"

static const char *set_detach(void *settings, const char *value)
{
	(void)value;
	((struct settings *)settings)->detach = true;
	return NULL;
}

static const char *set_remove(void *settings, const char *value)
{
	(void)value;
	((struct settings *)settings)->remove = true;
	return NULL;
}

static const char *set_log_size(void *settings, const char *value)
{
	struct settings *s = settings;
	uint64_t bytes;

	if (parse_size(value, &bytes))
		return "is not a size like 64K or 4M";
	if (bytes < VMLOG_MIN_BYTES || bytes > VMLOG_MAX_BYTES)
		return "is not from 8K to 1G";
	s->log_bytes = bytes;
	return NULL;
}

const struct option_spec detach_options[] = {
	{"detach", 'd', OPTION_FLAG, NULL,
	 "run in the background, print the VM's name; as\n"
	 "'ampoule start'",
	 set_detach},
	{0},
};

const struct option_spec background_options[] = {
	{"rm", 0, OPTION_FLAG, NULL,
	 "in the background: leave nothing when it ends, as\n"
	 "in the foreground",
	 set_remove},
	{"log-size", 0, OPTION_REQUIRED, "SIZE",
	 "in the background: keep at most this much of its\n"
	 "output (default 4M)",
	 set_log_size},
	{0},
};
