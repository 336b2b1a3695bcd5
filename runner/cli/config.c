/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - what the owner of a host decides for all VMs on it. Trusts: that
 * only the owner writes the file, not that it is well-formed. */
#include "runner/cli/config.h"

#include "runner/cli/keyfile.h"
#include "runner/cli/parse.h"

#include <stdio.h>
#include <string.h>

#define UID_FIRST 900000u
#define UID_LAST  909999u
#define UID_MAX   4294967294u /* the next one means "unchanged" */

/** set_uids() - "900000-909999". */
static const char *set_uids(struct config *config, const char *value)
{
	char text[KEYFILE_LINE_BYTES], *dash;
	uint32_t first, last;

	(void)snprintf(text, sizeof(text), "%s", value);
	dash = strchr(text, '-');
	if (!dash)
		return "is not a range FIRST-LAST";
	*dash = '\0';
	if (parse_count(text, 1, UID_MAX, &first) ||
	    parse_count(dash + 1, 1, UID_MAX, &last))
		return "is not a range of ids from 1 to 4294967294";
	if (first > last)
		return "ends before it begins";
	config->uid_first = first;
	config->uid_last = last;
	return NULL;
}

static const char *set_key(void *into, size_t key, const char *value)
{
	(void)key; /* there is one */
	return set_uids(into, value);
}

int config_parse(const char *text, size_t bytes, struct config *ret,
		 struct problem *why)
{
	static const char *const keys[] = {"uids"};
	const struct keyfile file = {
		.name = CONFIG_PATH,
		.keys = keys,
		.count = 1,
		.set = set_key,
	};
	struct config config = *ret;
	int err = keyfile_parse(&file, text, bytes, &config, why);

	if (!err)
		*ret = config;
	return err;
}

void config_defaults(struct config *ret)
{
	*ret = (struct config){.uid_first = UID_FIRST, .uid_last = UID_LAST};
}

bool config_is_sane(const struct config *config)
{
	return config->uid_first && config->uid_first <= config->uid_last &&
	       config->uid_last <= UID_MAX;
}
