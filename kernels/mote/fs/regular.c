/* SPDX-License-Identifier: Apache-2.0 */
/* regular.c - the content of regular files. Bytes move by uio and memcpy()
 * in runs as long as memory is contiguous; nothing here looks at them. */
#include "kernels/mote/fs/regular.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"

#define RUN_PAGES_MAX 64u /* pages prepared before one copy: bits of a mask */

static uint64_t page_offset(uint64_t pos)
{
	return pos & (PAGE_SIZE - 1);
}

const uint8_t *regular_bytes(struct inode *inode, uint64_t pos, uint64_t want,
			     uint64_t *ret_run)
{
	const struct inode_reg *reg = &inode->reg;
	uint64_t offset = page_offset(pos);

	if (pos >= inode->size) {
		*ret_run = 0;
		return NULL;
	}
	want = MIN(want, inode->size - pos);
	if (reg->pages.root) {
		uint64_t pages = (offset + want + PAGE_SIZE - 1) >> PAGE_SHIFT;
		const uint8_t *page = pagemap_run(
			&reg->pages, pos >> PAGE_SHIFT, pages, &pages);

		if (page) {
			*ret_run = MIN(want, (pages << PAGE_SHIFT) - offset);
			return page + offset;
		}
		want = MIN(want, PAGE_SIZE - offset); /* the next may be one */
	}
	if (pos >= reg->base_bytes) {
		*ret_run = want;
		return NULL;
	}
	*ret_run = MIN(want, reg->base_bytes - pos);
	return reg->base + pos;
}

long regular_read(struct inode *inode, struct uio *u, uint64_t pos)
{
	uint64_t done = 0, want, run;

	if (pos >= inode->size)
		return 0;
	want = MIN(u->left, inode->size - pos);
	while (done < want) {
		const uint8_t *src =
			regular_bytes(inode, pos + done, want - done, &run);
		long n = src ? uio_copy_out(u, src, run) : uio_zero_out(u, run);

		if (n <= 0)
			return done ? (long)done : n;
		done += (uint64_t)n;
		if ((uint64_t)n < run)
			break;
	}
	return (long)done;
}

/* Bytes [from, PAGE_SIZE) of page @index as the initrd has them. */
static void fill_from_base(const struct inode *inode, uint64_t index,
			   uint8_t *page, uint64_t from)
{
	uint64_t start = (index << PAGE_SHIFT) + from;
	uint64_t have = 0;

	if (start < inode->reg.base_bytes) {
		have = MIN(inode->reg.base_bytes - start, PAGE_SIZE - from);
		memcpy(page + from, inode->reg.base + start, have);
	}
	if (from + have < PAGE_SIZE)
		memset(page + from + have, 0, PAGE_SIZE - from - have);
}

/* Keep some pages for the program's own memory: a file that grows without end
 * meets -ENOSPC before the program is out of memory. */
static bool low_on_pages(void)
{
	return pages_free() < 32 + pages_total() / 64;
}

/* The page at @index, made if need be: with its old content, or with anything
 * in it (@ret_fresh) when the caller overwrites all of it. */
static uint8_t *page_for_write(struct inode *inode, uint64_t index,
			       bool overwrite, bool *ret_fresh)
{
	uint8_t *page = pagemap_get(&inode->reg.pages, index);
	bool in_base = index << PAGE_SHIFT < inode->reg.base_bytes;

	*ret_fresh = false;
	if (page)
		return page;
	if (low_on_pages())
		return NULL;
	page = in_base || overwrite ? page_alloc() : page_alloc_zero();
	if (!page)
		return NULL;
	if (pagemap_set(&inode->reg.pages, index, page)) {
		page_unref(kva_to_pa(page));
		return NULL;
	}
	if (in_base && !overwrite)
		fill_from_base(inode, index, page, 0);
	*ret_fresh = overwrite;
	return page;
}

/* Pages prepared for one copy: contiguous in the file and in memory. */
struct run {
	uint8_t *va;
	uint64_t index;
	uint64_t bytes;
	uint64_t fresh; /* bit n: page index + n has undefined content */
};

/* Pages that are there already, as far as they are neighbours. */
static bool run_existing(struct inode *inode, uint64_t pos, uint64_t want,
			 struct run *ret)
{
	uint64_t offset = page_offset(pos);
	uint64_t pages = (offset + want + PAGE_SIZE - 1) >> PAGE_SHIFT;

	ret->index = pos >> PAGE_SHIFT;
	ret->fresh = 0;
	ret->va = pagemap_run(&inode->reg.pages, ret->index, pages, &pages);
	ret->bytes = MIN(want, (pages << PAGE_SHIFT) - offset);
	return ret->va;
}

static int run_prepare(struct inode *inode, uint64_t pos, uint64_t want,
		       struct run *ret)
{
	struct run run = {.index = pos >> PAGE_SHIFT};
	uint64_t offset = page_offset(pos);

	if (run_existing(inode, pos, want, ret))
		return 0;
	for (uint64_t i = 0; i < RUN_PAGES_MAX && run.bytes < want; i++) {
		uint64_t bytes = MIN(want - run.bytes, PAGE_SIZE - offset);
		bool fresh;
		uint8_t *va = page_for_write(inode, run.index + i,
					     bytes == PAGE_SIZE, &fresh);

		if (!va)
			break;
		if (i && va != run.va + i * PAGE_SIZE) {
			/* Not a neighbour: it waits for the next run, with
			 * defined content. */
			if (fresh)
				fill_from_base(inode, run.index + i, va, 0);
			break;
		}
		if (fresh)
			run.fresh |= 1ull << i;
		if (!i)
			run.va = va;
		run.bytes += bytes;
		offset = 0;
	}
	*ret = run;
	return run.bytes ? 0 : -ENOSPC;
}

/* A copy ended at file position @end, short of the run: give the fresh pages
 * behind it the content they would have had. */
static void run_repair(struct inode *inode, const struct run *run, uint64_t end)
{
	for (uint64_t i = 0; i < RUN_PAGES_MAX; i++) {
		uint64_t start = (run->index + i) << PAGE_SHIFT;
		uint64_t from = end > start ? end - start : 0;

		if ((run->fresh >> i & 1) && from < PAGE_SIZE)
			fill_from_base(inode, run->index + i,
				       run->va + i * PAGE_SIZE, from);
	}
}

long regular_write(struct inode *inode, struct uio *u, uint64_t pos)
{
	uint64_t done = 0, want = u->left;
	long n = 0;

	if (!want)
		return 0;
	if (inode->reg.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if ((inode->reg.seals & F_SEAL_GROW) && pos + want > inode->size)
		return -EPERM;
	if (pos >= FS_FILE_MAX)
		return -EFBIG;
	want = MIN(want, FS_FILE_MAX - pos);
	while (done < want) {
		struct run run;

		n = run_prepare(inode, pos + done, want - done, &run);
		if (n)
			break;
		n = uio_copy_in(u, run.va + page_offset(pos + done), run.bytes);
		if (n > 0)
			done += (uint64_t)n;
		if (n < (long)run.bytes) {
			run_repair(inode, &run, pos + done);
			break;
		}
	}
	if (!done)
		return n;
	inode->size = MAX(inode->size, pos + done);
	inode_modified(inode);
	return (long)done;
}

/* Zero [from, to) inside one page. */
static int zero_part(struct inode *inode, uint64_t from, uint64_t to)
{
	uint64_t index = from >> PAGE_SHIFT;
	uint8_t *page = pagemap_get(&inode->reg.pages, index);
	bool fresh;

	if (from >= to || (!page && from >= inode->reg.base_bytes))
		return 0;
	if (!page)
		page = page_for_write(inode, index, false, &fresh);
	if (!page)
		return -ENOSPC;
	memset(page + page_offset(from), 0, to - from);
	return 0;
}

int regular_truncate(struct inode *inode, uint64_t bytes)
{
	struct inode_reg *reg = &inode->reg;
	uint64_t pages = (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;

	if (bytes > FS_FILE_MAX)
		return -EFBIG;
	if ((bytes < inode->size && (reg->seals & F_SEAL_SHRINK)) ||
	    (bytes > inode->size && (reg->seals & F_SEAL_GROW)))
		return -EPERM;
	if (bytes < inode->size) {
		reg->base_bytes = MIN(reg->base_bytes, bytes);
		pagemap_drop(&reg->pages, pages, PAGEMAP_INDEX_MAX - 1);
		/* Cannot fail: base ends before, and a page is there or not. */
		if (page_offset(bytes))
			(void)zero_part(inode, bytes, pages << PAGE_SHIFT);
	}
	inode->size = bytes;
	inode_modified(inode);
	return 0;
}

int regular_punch(struct inode *inode, uint64_t pos, uint64_t bytes)
{
	uint64_t end = MIN(pos + bytes, inode->size);
	uint64_t first = (pos + PAGE_SIZE - 1) >> PAGE_SHIFT;
	uint64_t last = end >> PAGE_SHIFT; /* one behind the whole pages */
	int err;

	if (inode->reg.seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE))
		return -EPERM;
	if (pos >= end)
		return 0;
	if (first > last) /* within one page */
		return zero_part(inode, pos, end);
	err = zero_part(inode, pos, first << PAGE_SHIFT);
	for (uint64_t i = first; !err && i < last; i++) {
		uint64_t start = i << PAGE_SHIFT;

		/* Inside the initrd's bytes a page of zeros must hide them. */
		if (start < inode->reg.base_bytes)
			err = zero_part(inode, start, start + PAGE_SIZE);
		else
			break;
	}
	if (!err && last > first) {
		uint64_t base_pages =
			(inode->reg.base_bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;

		pagemap_drop(&inode->reg.pages, MAX(first, base_pages),
			     last - 1);
	}
	if (!err)
		err = zero_part(inode, last << PAGE_SHIFT, end);
	inode_modified(inode);
	return err;
}

int64_t regular_seek(struct inode *inode, uint64_t pos, bool hole)
{
	uint64_t index = pos >> PAGE_SHIFT, found;

	if (pos >= inode->size)
		return -ENXIO;
	if (pos < inode->reg.base_bytes) {
		if (!hole)
			return (int64_t)pos;
		pos = (inode->reg.base_bytes + PAGE_SIZE - 1) &
		      ~(PAGE_SIZE - 1);
		index = pos >> PAGE_SHIFT;
	}
	if (hole) {
		while (pagemap_get(&inode->reg.pages, index))
			index++;
		pos = MAX(pos, index << PAGE_SHIFT);
		return (int64_t)MIN(pos, inode->size);
	}
	if (!pagemap_next(&inode->reg.pages, index, &found) ||
	    found << PAGE_SHIFT >= inode->size)
		return -ENXIO;
	return (int64_t)MAX(pos, found << PAGE_SHIFT);
}

int regular_page(struct inode *inode, uint64_t index, bool shared_write,
		 uint64_t *ret_pa)
{
	const struct inode_reg *reg = &inode->reg;
	uint64_t start = index << PAGE_SHIFT;
	uint8_t *page;
	bool fresh;

	if (index >= PAGEMAP_INDEX_MAX || start >= inode->size)
		return -EIO;
	page = pagemap_get(&reg->pages, index);
	if (!page && !shared_write && start + PAGE_SIZE <= reg->base_bytes &&
	    !page_offset((uint64_t)(uintptr_t)(reg->base + start))) {
		/* The initrd's own page; page_ref() knows it is not ours. */
		*ret_pa = kva_to_pa(reg->base + start);
		page_ref(*ret_pa);
		return 0;
	}
	if (!page)
		page = page_for_write(inode, index, false, &fresh);
	if (!page)
		return -ENOMEM;
	*ret_pa = kva_to_pa(page);
	page_ref(*ret_pa);
	return 0;
}

uint64_t regular_run(struct inode *inode, uint64_t index, uint64_t max,
		     uint64_t *ret_pa)
{
	const struct inode_reg *reg = &inode->reg;
	uint64_t end = reg->base_bytes >> PAGE_SHIFT, written;

	if (index >= end || page_offset((uint64_t)(uintptr_t)reg->base))
		return 0;
	if (reg->pages.root && pagemap_next(&reg->pages, index, &written))
		end = MIN(end, written);
	*ret_pa = kva_to_pa(reg->base + (index << PAGE_SHIFT));
	return MIN(end - index, max);
}

/* Pages that hide the initrd's bytes are counted twice, up to the size. */
uint64_t inode_blocks(const struct inode *inode)
{
	const struct inode_reg *reg = &inode->reg;
	uint64_t pages, most;

	if (!inode_is(inode, S_IFREG) || (inode->flags & INODE_GENERATED))
		return 0;
	most = (inode->size + PAGE_SIZE - 1) >> PAGE_SHIFT;
	pages = ((reg->base_bytes + PAGE_SIZE - 1) >> PAGE_SHIFT) +
		reg->pages.count;
	return MIN(pages, most) * (PAGE_SIZE / 512);
}
