/* SPDX-License-Identifier: Apache-2.0 */
/* regular.c - the content of regular files. Bytes move by uio and memcpy()
 * in runs as long as memory is contiguous; nothing here looks at them. */
#include "kernels/mote/fs/regular.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/image.h"
#include "kernels/mote/fs/lower.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"

#define RUN_PAGES_MAX 64u /* pages prepared before one copy: bits of a mask */

static uint64_t page_offset(uint64_t pos)
{
	return pos & (PAGE_SIZE - 1);
}

/* Of what initrd or image give, up to @want bytes at @pos. */
static const uint8_t *base_bytes(const struct inode *inode, uint64_t pos,
				 uint64_t want, uint64_t *ret_run, int *ret_err)
{
	want = MIN(want, inode->reg.base_bytes - pos);
	if (inode->flags & INODE_LOWER)
		return lower_bytes(inode, pos, want, ret_run, ret_err);
	*ret_run = want;
	return inode->reg.base + pos;
}

/* Whole pages that lie in place: the address of the one at @start, which is a
 * multiple of their size, and how many bytes are such pages from there on;
 * NULL: none. */
static const uint8_t *base_pages(const struct inode *inode, uint64_t start,
				 uint64_t *ret_bytes)
{
	const struct inode_reg *reg = &inode->reg;
	uint64_t end = reg->base_bytes;
	const uint8_t *at = NULL;
	int err;

	if (inode->flags & INODE_LOWER)
		end = lower_in_place() ? MIN(end, reg->lower.blocks_bytes) : 0;
	end &= ~(PAGE_SIZE - 1);
	if (start < end)
		at = base_bytes(inode, start, end - start, ret_bytes, &err);
	return page_offset((uint64_t)(uintptr_t)at) ? NULL : at;
}

int regular_bytes(struct inode *inode, uint64_t pos, uint64_t want,
		  const uint8_t **ret, uint64_t *ret_run)
{
	const struct inode_reg *reg = &inode->reg;
	uint64_t offset = page_offset(pos);
	int err = 0;

	*ret = NULL;
	*ret_run = 0;
	if (pos >= inode->size)
		return 0;
	want = MIN(want, inode->size - pos);
	if (reg->pages.root) {
		uint64_t pages = (offset + want + PAGE_SIZE - 1) >> PAGE_SHIFT;
		const uint8_t *page = pagemap_run(
			&reg->pages, pos >> PAGE_SHIFT, pages, &pages);

		if (page) {
			*ret_run = MIN(want, (pages << PAGE_SHIFT) - offset);
			*ret = page + offset;
			return 0;
		}
		want = MIN(want, PAGE_SIZE - offset); /* the next may be one */
	}
	if (pos >= reg->base_bytes)
		*ret_run = want;
	else
		*ret = base_bytes(inode, pos, want, ret_run, &err);
	return err;
}

/* Bytes into the program, which may need pages itself meanwhile: those of the
 * image that came from a disk would make room. */
static long copy_out(struct uio *u, const uint8_t *src, uint64_t bytes)
{
	uint64_t pa;
	long n;

	if (!src)
		return uio_zero_out(u, bytes);
	pa = kva_to_pa(src) & ~(PAGE_SIZE - 1);
	page_ref(pa);
	n = uio_copy_out(u, src, bytes);
	page_unref(pa);
	return n;
}

/* regular_bytes() for a program: while a page of the image is on its way from
 * a disk, others run. */
static int bytes_for_program(struct inode *inode, uint64_t pos, uint64_t want,
			     const uint8_t **ret, uint64_t *ret_run)
{
	int err;

	image_impatient = true;
	err = regular_bytes(inode, pos, want, ret, ret_run);
	image_impatient = false;
	if (err != -EAGAIN)
		return err;
	err = lower_fetch();
	return err ? err : regular_bytes(inode, pos, want, ret, ret_run);
}

long regular_read(struct inode *inode, struct uio *u, uint64_t pos)
{
	uint64_t done = 0, want, run;

	if (pos >= inode->size)
		return 0;
	want = MIN(u->left, inode->size - pos);
	while (done < want) {
		const uint8_t *src;
		long n = u->kernel ? regular_bytes(inode, pos + done,
						   want - done, &src, &run)
				   : bytes_for_program(inode, pos + done,
						       want - done, &src, &run);

		if (!n)
			n = copy_out(u, src, run);
		if (n <= 0)
			return done ? (long)done : n;
		done += (uint64_t)n;
		if ((uint64_t)n < run)
			break;
	}
	return (long)done;
}

/* Bytes [from, PAGE_SIZE) of page @index as initrd or image have them. */
static int fill_from_base(const struct inode *inode, uint64_t index,
			  uint8_t *page, uint64_t from)
{
	uint64_t start = index << PAGE_SHIFT, run;
	int err = -EIO;

	while (from < PAGE_SIZE && start + from < inode->reg.base_bytes) {
		const uint8_t *src = base_bytes(inode, start + from,
						PAGE_SIZE - from, &run, &err);

		if (!src)
			return err;
		memcpy(page + from, src, run);
		from += run;
	}
	if (from < PAGE_SIZE)
		memset(page + from, 0, PAGE_SIZE - from);
	return 0;
}

/* Can what is in place always be had? */
static bool base_is_sure(const struct inode *inode)
{
	return !(inode->flags & INODE_LOWER) || lower_in_place();
}

/* Keep some pages for the program's own memory: a file that grows without end
 * meets -ENOSPC before the program is out of memory. */
static bool low_on_pages(void)
{
	const uint64_t mark = 32 + pages_total() / 64;

	while (pages_free() < mark)
		if (!lower_shrink())
			return true;
	return false;
}

/* A new page at @index. 0, -ENOSPC, -EIO. */
static int make_page(struct inode *inode, uint64_t index, bool fill, bool zero,
		     uint8_t **ret)
{
	uint8_t *page = zero ? page_alloc_zero() : page_alloc();
	int err = page ? 0 : -ENOSPC;

	if (!err && fill)
		err = fill_from_base(inode, index, page, 0);
	if (!err && pagemap_set(&inode->reg.pages, index, page))
		err = -ENOSPC;
	if (err && page)
		page_unref(kva_to_pa(page));
	*ret = page;
	return err;
}

/* The page at @index, made if need be: with its old content, or with anything
 * in it (@ret_fresh) when the caller overwrites all of it. */
static int page_for_write(struct inode *inode, uint64_t index, bool overwrite,
			  bool *ret_fresh, uint8_t **ret)
{
	bool in_base = index << PAGE_SHIFT < inode->reg.base_bytes;

	*ret_fresh = false;
	*ret = pagemap_get(&inode->reg.pages, index);
	if (*ret)
		return 0;
	if (low_on_pages())
		return -ENOSPC;
	if (in_base && !base_is_sure(inode))
		overwrite = false;
	*ret_fresh = overwrite;
	return make_page(inode, index, in_base && !overwrite,
			 !in_base && !overwrite, ret);
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
	int err = 0;

	if (run_existing(inode, pos, want, ret))
		return 0;
	for (uint64_t i = 0; i < RUN_PAGES_MAX && run.bytes < want; i++) {
		uint64_t bytes = MIN(want - run.bytes, PAGE_SIZE - offset);
		uint8_t *va;
		bool fresh;

		err = page_for_write(inode, run.index + i, bytes == PAGE_SIZE,
				     &fresh, &va);
		if (err)
			break;
		if (i && va != run.va + i * PAGE_SIZE) {
			/* Not a neighbour: it waits for the next run, with
			 * defined content. */
			if (fresh)
				(void)fill_from_base(inode, run.index + i, va,
						     0);
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
	return run.bytes ? 0 : err;
}

/* A copy ended at file position @end, short of the run: give the fresh pages
 * behind it the content they would have had, which is sure (page_for_write()).
 */
static void run_repair(struct inode *inode, const struct run *run, uint64_t end)
{
	for (uint64_t i = 0; i < RUN_PAGES_MAX; i++) {
		uint64_t start = (run->index + i) << PAGE_SHIFT;
		uint64_t from = end > start ? end - start : 0;

		if ((run->fresh >> i & 1) && from < PAGE_SIZE)
			(void)fill_from_base(inode, run->index + i,
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
	int err = 0;

	if (from >= to || (!page && from >= inode->reg.base_bytes))
		return 0;
	if (!page)
		err = page_for_write(inode, index, false, &fresh, &page);
	if (err)
		return err;
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

/* A whole page of an image on a disk, which was read into one of memory. */
static const uint8_t *base_cached(const struct inode *inode, uint64_t start)
{
	const uint8_t *at;
	uint64_t run;
	int err;

	if (base_is_sure(inode) ||
	    start + PAGE_SIZE >
		    MIN(inode->reg.base_bytes, inode->reg.lower.blocks_bytes))
		return NULL;
	at = base_bytes(inode, start, PAGE_SIZE, &run, &err);
	return at && !page_offset((uint64_t)(uintptr_t)at) ? at : NULL;
}

int regular_page(struct inode *inode, uint64_t index, bool shared_write,
		 uint64_t *ret_pa)
{
	const struct inode_reg *reg = &inode->reg;
	uint64_t start = index << PAGE_SHIFT, run;
	const uint8_t *page;
	uint8_t *own;
	bool fresh;
	int err;

	if (index >= PAGEMAP_INDEX_MAX || start >= inode->size)
		return -EIO;
	page = pagemap_get(&reg->pages, index);
	/* The initrd's or image's own; page_ref() knows whether it counts. */
	if (!page && !shared_write)
		page = base_pages(inode, start, &run);
	if (!page && !shared_write)
		page = base_cached(inode, start);
	if (!page) {
		err = page_for_write(inode, index, false, &fresh, &own);
		if (err)
			return err == -ENOSPC ? -ENOMEM : err;
		page = own;
	}
	if (shared_write)
		inode->flags |= INODE_CHANGED;
	*ret_pa = kva_to_pa(page);
	page_ref(*ret_pa);
	return 0;
}

bool regular_near(struct inode *inode, uint64_t index, uint64_t *ret_pa)
{
	const struct inode_reg *reg = &inode->reg;
	uint64_t start = index << PAGE_SHIFT;
	const uint8_t *page;

	if (index >= PAGEMAP_INDEX_MAX || start >= inode->size)
		return false;
	page = pagemap_get(&reg->pages, index);
	if (!page && (inode->flags & INODE_LOWER) &&
	    start + PAGE_SIZE <= MIN(reg->base_bytes, reg->lower.blocks_bytes))
		page = lower_cached(inode, start);
	if (!page)
		return false;
	*ret_pa = kva_to_pa(page);
	page_ref(*ret_pa);
	return true;
}

uint64_t regular_run(struct inode *inode, uint64_t index, uint64_t max,
		     uint64_t *ret_pa)
{
	const struct inode_reg *reg = &inode->reg;
	uint64_t pages, written;
	const uint8_t *at;

	if (index >= PAGEMAP_INDEX_MAX)
		return 0;
	at = base_pages(inode, index << PAGE_SHIFT, &pages);
	if (!at)
		return 0;
	pages >>= PAGE_SHIFT;
	if (reg->pages.root && pagemap_next(&reg->pages, index, &written))
		pages = MIN(pages, written - index);
	*ret_pa = kva_to_pa(at);
	return MIN(pages, max);
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
