/* SPDX-License-Identifier: Apache-2.0 */
/* mote_fake_cpio.c - archives for the tree of a test program's kernel. */
#include "tests/unit/mote_fake.h"

#include <stdio.h>
#include <string.h>

static void cpio_bytes(struct fake_cpio *c, const void *bytes, size_t count)
{
	memcpy(c->bytes + c->used, bytes, count);
	c->used += count;
}

static void cpio_align(struct fake_cpio *c, size_t to)
{
	while (c->used % to)
		c->bytes[c->used++] = 0;
}

void fake_cpio_add(struct fake_cpio *c, const char *name, uint32_t mode,
		   const void *data, size_t bytes, int pad_name)
{
	static unsigned ino;
	size_t name_bytes = strlen(name) + 1;
	char header[111];

	if (pad_name)
		while ((c->used + 110 + name_bytes) % 4096)
			name_bytes++;
	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
		 ++ino, mode, 1000u, 100u, 1u, 0x5f000000u, bytes, 0u, 0u, 0u,
		 0u, name_bytes, 0u);
	cpio_bytes(c, header, 110);
	cpio_bytes(c, name, strlen(name) + 1);
	c->used += name_bytes - strlen(name) - 1;
	cpio_align(c, 4);
	cpio_bytes(c, data, bytes);
	cpio_align(c, 4);
}

void fake_cpio_end(struct fake_cpio *c)
{
	fake_cpio_add(c, "TRAILER!!!", 0, "", 0, 0);
}
