/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_label.c - what an image says about itself, lists of users, and pax
 * records. Oracle: a label that is taken survives being written and read. */
#include <stdlib.h>
#include <string.h>

#include "runner/image/label.h"
#include "runner/image/tar_pax.h"
#include "runner/image/user.h"
#include "tests/fuzz/fuzz_driver.h"

static bool same_list(const struct strlist *a, const struct strlist *b)
{
	for (size_t i = 0; i < a->count && a->count == b->count; i++) {
		if (strcmp(a->item[i], b->item[i]) != 0)
			return false;
	}
	return a->count == b->count;
}

static void try_label(const char *text, size_t bytes)
{
	struct label label, back;
	const char *why = NULL;
	char *json = NULL;

	if (label_decode(text, bytes, &label, &why))
		return;
	if (label.cwd && label.cwd[0] != '/')
		abort();
	if (label_encode(&label, &json) ||
	    label_decode(json, strlen(json), &back, &why))
		abort();
	if (!same_list(&label.command, &back.command) ||
	    !same_list(&label.env, &back.env) || label.uid != back.uid ||
	    label.gid != back.gid)
		abort();
	free(json);
	label_done(&label);
	label_done(&back);
}

/** try_user() - "USER\nrest of the text is both lists". */
static void try_user(const char *text)
{
	char *copy = strdup(text);
	char *lists = copy ? strchr(copy, '\n') : NULL;
	uint32_t uid = 1, gid = 1;

	if (lists) {
		*lists++ = '\0';
		if (!user_resolve(copy, lists, lists, &uid, &gid) &&
		    (uid > INT32_MAX || gid > INT32_MAX))
			abort();
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tar_pax pax = {0};
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	try_label(text, size);
	try_user(text);
	(void)tar_pax_parse(text, size, &pax);
	if (pax.mtime_nsec > 999999999)
		abort();
	tar_pax_done(&pax);
	free(text);
	return 0;
}
