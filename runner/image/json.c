/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - JSON that strangers wrote. */
#include "runner/image/json.h"

#include <sys/random.h>

/** seed() - of jansson's hash tables, before the first of them: left to itself
 * it opens a device, or makes calls that a parser is forbidden. */
static void seed(void)
{
	size_t value = 0;

	if (getrandom(&value, sizeof(value), GRND_NONBLOCK) < 0 || !value)
		value = 1;
	json_object_seed(value);
}

json_t *json_read(const char *text, size_t bytes)
{
	json_t *all;

	seed();
	all = json_loadb(text, bytes, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(all))
		return all;
	json_decref(all);
	return NULL;
}
