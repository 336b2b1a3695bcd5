/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_cpio.c - any bytes as the guest's initrd. Oracle: entries lie inside
 * the archive, one behind the other, and their names can be read in words. */
#include <stdlib.h>
#include <string.h>

#include "kernels/mote/fs/cpio.h"
#include "kernels/mote/fs/name.h"
#include "tests/fuzz/fuzz_driver.h"

static void use(const struct cpio *c, const struct cpio_entry *e, uint64_t at)
{
	const char *end = (const char *)c->base + c->bytes;
	const char *p = e->name;
	struct cpio_meta meta;

	if (e->header != c->base + at || c->offset <= at ||
	    (const char *)e->data < e->name ||
	    e->bytes > (uint64_t)(end - (const char *)e->data))
		abort();
	while (*p) {
		struct name name = name_scan(p);

		p += name.bytes + (p[name.bytes] == '/');
	}
	if (end - p < (long)NAME_SLACK)
		abort();
	cpio_meta(e->header, &meta);
	(void)cpio_single_link(e->header);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cpio archive = {.bytes = size};
	struct cpio_entry e;
	uint8_t *copy = malloc(size + 1); /* aligned, with an end ASan sees */
	uint64_t at = 0;

	memcpy(copy, data, size);
	archive.base = copy;
	while (cpio_next(&archive, &e) > 0) {
		use(&archive, &e, at);
		at = archive.offset;
	}
	free(copy);
	return 0;
}
