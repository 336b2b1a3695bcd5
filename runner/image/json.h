/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - JSON that strangers wrote, read by jansson. */
#pragma once
#include <jansson.h>
#include <stddef.h>

/** json_read() - an object, whole. Return: owned by the caller, json_decref();
 * NULL: it is none, or out of memory. */
json_t *json_read(const char *text, size_t bytes);

static inline void json_cleanup(json_t **json)
{
	json_decref(*json);
}
#define cleanup_json __attribute__((cleanup(json_cleanup)))
