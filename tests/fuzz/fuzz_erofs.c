/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_erofs.c - any bytes as the image of the guest's root, in memory as a
 * whole and by pages. Oracle: nothing is read outside it, a walk over its tree
 * ends, and what a directory lists can be looked up. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kernels/mote/fs/erofs.h"
#include "tests/fuzz/fuzz_driver.h"

#define STEPS        2000u
#define CHECKSUM_BIT 1032u /* of the superblock's features */

struct walk {
	struct erofs fs;
	uint64_t nids[64]; /* directories still to be seen */
	uint32_t count, steps;
	unsigned sum; /* of all bytes, so that they are read */
};

static void read_content(struct walk *w, const struct erofs_node *n)
{
	uint64_t run;
	int err;

	for (uint64_t at = 0; at < n->size && w->steps < STEPS; at += run) {
		const uint8_t *p =
			erofs_bytes(&w->fs, n, at, n->size - at, &run, &err);

		w->steps++;
		if (!p)
			return;
		if (!run || run > n->size - at)
			abort();
		w->sum += p[0] + p[run - 1];
	}
}

static void use_entry(struct walk *w, const struct erofs_node *dir,
		      const struct erofs_entry *e)
{
	struct erofs_node n;
	uint64_t nid;
	int err = erofs_lookup(&w->fs, dir, e->name, e->bytes, &nid);

	if (err > 0 || strlen(e->name) != e->bytes || !e->bytes)
		abort();
	if (erofs_node(&w->fs, e->nid, &n))
		return;
	if (!S_ISDIR(n.mode))
		read_content(w, &n);
	else if (w->count < 64)
		w->nids[w->count++] = e->nid;
}

static void walk(struct walk *w)
{
	w->nids[w->count++] = w->fs.root_nid;
	while (w->count && w->steps < STEPS) {
		struct erofs_node dir;
		struct erofs_entry e;
		uint64_t pos = 0, last = 0;

		if (erofs_node(&w->fs, w->nids[--w->count], &dir))
			continue;
		while (w->steps++ < STEPS &&
		       erofs_list(&w->fs, &dir, &pos, &e) > 0) {
			if (pos <= last)
				abort();
			last = pos;
			use_entry(w, &dir, &e);
		}
	}
}

struct pages {
	const uint8_t *bytes;
	uint8_t *page; /* the last one, so that old ones are no good */
};

static const uint8_t *get_page(struct image *image, uint64_t index, int *err)
{
	struct pages *p = image->private;
	uint64_t at = index * IMAGE_PAGE;

	free(p->page);
	p->page = calloc(1, IMAGE_PAGE);
	if (index % 7 == 6) {
		*err = -EIO;
		return NULL;
	}
	memcpy(p->page, p->bytes + at,
	       image->bytes - at < IMAGE_PAGE ? image->bytes - at : IMAGE_PAGE);
	return p->page;
}

static void look(const uint8_t *bytes, size_t size, bool in_pages)
{
	struct pages pages = {.bytes = bytes};
	struct image image = {
		.bytes = size,
		.base = in_pages ? NULL : bytes,
		.page = get_page,
		.private = &pages,
	};
	struct walk w = {0};
	const char *why;

	if (!erofs_open(&w.fs, &image, &why))
		walk(&w);
	else if (!why)
		abort();
	free(pages.page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The end is one that ASan sees. */
	uint8_t *copy = malloc(size ? size : 1);

	memcpy(copy, data, size);
	look(copy, size, false);
	if (size > CHECKSUM_BIT) /* no fuzzer finds the sum of a change */
		copy[CHECKSUM_BIT] &= 0xfe;
	look(copy, size, false);
	look(copy, size, true);
	free(copy);
	return 0;
}
