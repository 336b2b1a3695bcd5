/* SPDX-License-Identifier: Apache-2.0 */
/* settings_devices.c - the options of `run` that give a VM devices. What they
 * name is opened by device_set.h. */
#include "runner/cli/settings.h"

#include <string.h>

/** set_pmem() - kept as given: which part is the file's name is known when it
 * is opened. */
static const char *set_pmem(void *settings, const char *value)
{
	struct settings *s = settings;

	if (!*value || *value == ',')
		return "names no file of the host";
	return strlist_add(&s->pmem, value) ? "is too much" : NULL;
}

const struct option_spec settings_device_options[] = {
	{"pmem", 0, OPTION_REQUIRED, "FILE[,rw=private]",
	 "map a file into the VM (virtio-pmem): read-only,\n"
	 "or as a copy that only this VM changes",
	 set_pmem},
	{0},
};
