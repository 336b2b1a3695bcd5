/* SPDX-License-Identifier: Apache-2.0 */
/* blkdev.c - disks as files. Nothing is kept in memory: a read or write goes
 * to the device before it returns, by the program's own pages if they can be
 * given to it, otherwise by a buffer of the disk's. Stable is what was written
 * only after fsync(2), or with O_SYNC or O_DSYNC. */
#include "kernels/mote/drv/blkdev.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>

#include "kernels/mote/drv/blk.h"
#include "kernels/mote/drv/blk_cache.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/waitq.h"

#define MAJOR        254u
#define MINORS       16u /* of a disk: it and its partitions, which we lack */
#define RDEV_OF(n)   (MAJOR << 8 | (n)*MINORS)
#define BUFFER_PAGES 16u
#define BUFFER_BYTES (BUFFER_PAGES * PAGE_SIZE)

/* Where unaligned transfers go by; one at a time. */
struct buffer {
	uint8_t *bytes;
	bool busy;
	struct waitq waitq;
};

static struct buffer buffers[BLK_DISKS_MAX];
static bool written[BLK_DISKS_MAX]; /* since the last flush */

static bool is_free(void *arg)
{
	return !((const struct buffer *)arg)->busy;
}

static struct buffer *buffer_take(uint32_t disk)
{
	struct buffer *b = &buffers[disk];

	waitq_wait_device(&b->waitq, is_free, b);
	if (!b->bytes)
		b->bytes = pages_alloc_counted(BUFFER_PAGES);
	if (!b->bytes)
		return NULL;
	b->busy = true;
	return b;
}

static void buffer_put(struct buffer *b)
{
	b->busy = false;
	waitq_wake(&b->waitq);
}

struct transfer {
	struct blk_disk *disk;
	uint32_t number;
	bool write;
	struct uio *u;
	uint64_t pos;
};

static uint64_t round_down(uint64_t v)
{
	return v & ~(uint64_t)(BLK_SECTOR - 1);
}

static uint64_t round_up(uint64_t v)
{
	return round_down(v + BLK_SECTOR - 1);
}

/* Cut the list to whole sectors, @most bytes. Return: bytes. */
static uint64_t cut_spans(struct phys_span *span, uint32_t *count,
			  uint64_t most)
{
	uint64_t bytes = 0, keep;

	for (uint32_t i = 0; i < *count; i++)
		bytes += span[i].bytes;
	keep = round_down(MIN(bytes, most));
	while (*count && bytes > keep) {
		struct phys_span *last = &span[*count - 1];
		uint64_t cut = MIN(bytes - keep, last->bytes);

		last->bytes -= (uint32_t)cut;
		bytes -= cut;
		if (!last->bytes)
			--*count;
	}
	return keep;
}

/* By the program's own pages. Bytes, 0: not possible so, -errno. */
static long move_direct(const struct transfer *t, uint64_t want)
{
	struct phys_span span[BLK_SPANS_MAX];
	uint64_t bytes;
	uint32_t count;
	int n;

	if (t->pos % BLK_SECTOR || !uio_pages_stay(t->u))
		return 0;
	n = uio_pin(t->u, !t->write, span, BLK_SPANS_MAX);
	if (n <= 0)
		return n;
	count = (uint32_t)n;
	bytes = cut_spans(span, &count, want);
	if (!bytes)
		return 0;
	n = blk_transfer(t->disk, t->write ? BLK_WRITE : BLK_READ,
			 t->pos / BLK_SECTOR, span, count, BLK_SLEEPS);
	if (n)
		return n;
	uio_advance(t->u, bytes);
	return (long)bytes;
}

static int move_sectors(const struct transfer *t, enum blk_type type,
			uint64_t start, uint64_t end, const uint8_t *buffer)
{
	struct phys_span span = {kva_to_pa(buffer), (uint32_t)(end - start)};

	return blk_transfer(t->disk, type, start / BLK_SECTOR, &span, 1,
			    BLK_SLEEPS);
}

/* Whole sectors around [pos, +bytes): those that are not overwritten as a
 * whole are read first. */
static long write_buffered(const struct transfer *t, uint64_t bytes,
			   uint8_t *buffer)
{
	uint64_t start = round_down(t->pos), end = round_up(t->pos + bytes);
	bool whole = start == t->pos && end == t->pos + bytes;
	int err = 0;
	long n;

	if (!whole)
		err = move_sectors(t, BLK_READ, start, end, buffer);
	if (err)
		return err;
	n = uio_copy_in(t->u, buffer + (t->pos - start), bytes);
	if (n > 0 && whole && (uint64_t)n < bytes) {
		/* A bad address in the midst: what is not a sector yet is
		 * left out. */
		n = (long)round_down((uint64_t)n);
		end = start + (uint64_t)n;
		if (!n)
			return -EFAULT;
	}
	if (n > 0)
		err = move_sectors(t, BLK_WRITE, start, end, buffer);
	return err ? err : n;
}

static long read_buffered(const struct transfer *t, uint64_t bytes,
			  uint8_t *buffer)
{
	uint64_t start = round_down(t->pos), end = round_up(t->pos + bytes);
	int err = move_sectors(t, BLK_READ, start, end, buffer);

	return err ? err : uio_copy_out(t->u, buffer + (t->pos - start), bytes);
}

static long move_buffered(const struct transfer *t, uint64_t want)
{
	struct buffer *b = buffer_take(t->number);
	uint64_t bytes = MIN(want, BUFFER_BYTES - t->pos % BLK_SECTOR);
	long n;

	if (!b)
		return -ENOMEM;
	n = t->write ? write_buffered(t, bytes, b->bytes)
		     : read_buffered(t, bytes, b->bytes);
	buffer_put(b);
	return n;
}

/* As far as the disk goes. Bytes or -errno. */
static long move_all(struct transfer *t)
{
	uint64_t end = blk_bytes(t->disk), done = 0;
	long n = 0;

	while (t->u->left && t->pos < end) {
		uint64_t want = MIN(t->u->left, end - t->pos);

		n = move_direct(t, want);
		if (!n)
			n = move_buffered(t, want);
		if (n <= 0)
			break;
		if (t->write)
			blk_cache_forget(t->disk, t->pos, (uint64_t)n);
		t->pos += (uint64_t)n;
		done += (uint64_t)n;
	}
	return done ? (long)done : n;
}

static struct blk_disk *disk_of(const struct inode *inode)
{
	return blk_get(inode->id);
}

static long disk_read(struct file *f, struct uio *u, uint64_t pos)
{
	struct transfer t = {disk_of(f->inode), f->inode->id, false, u, pos};

	return t.disk ? move_all(&t) : -ENXIO;
}

static int disk_sync(struct file *f)
{
	struct blk_disk *d = disk_of(f->inode);

	written[f->inode->id] = false;
	return d ? blk_flush(d) : -ENXIO;
}

static long disk_write(struct file *f, struct uio *u, uint64_t pos)
{
	struct transfer t = {disk_of(f->inode), f->inode->id, true, u, pos};
	long n;
	int err = 0;

	if (!t.disk)
		return -ENXIO;
	if (blk_is_read_only(t.disk))
		return -EPERM;
	if (pos >= blk_bytes(t.disk) && u->left)
		return -ENOSPC;
	written[t.number] = true;
	n = move_all(&t);
	if (n > 0 && (f->flags & O_DSYNC)) /* part of O_SYNC, too */
		err = disk_sync(f);
	return err ? err : n;
}

/* BLKDISCARD, BLKZEROOUT: two 64-bit numbers, bytes. */
static long change_range(struct file *f, enum blk_type type, uint64_t user)
{
	struct blk_disk *d = disk_of(f->inode);
	uint64_t range[2];
	int err;

	if (!(f->can & FILE_WRITE))
		return -EBADF;
	if (blk_is_read_only(d))
		return -EPERM;
	if (copy_from_user(range, user, sizeof(range)))
		return -EFAULT;
	if ((range[0] | range[1]) % BLK_SECTOR || range[0] > blk_bytes(d) ||
	    range[1] > blk_bytes(d) - range[0])
		return -EINVAL;
	err = blk_range(d, type, range[0] / BLK_SECTOR, range[1] / BLK_SECTOR);
	if (!err)
		blk_cache_forget(d, range[0], range[1]);
	return err;
}

static long put(uint64_t user, uint64_t value, size_t bytes)
{
	return copy_to_user(user, &value, bytes);
}

static long disk_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
	struct blk_disk *d = disk_of(f->inode);

	switch (cmd) {
	case BLKGETSIZE64:
		return put(arg, blk_bytes(d), 8);
	case BLKGETSIZE:
		return put(arg, blk_bytes(d) / BLK_SECTOR, 8);
	case BLKSSZGET:
	case BLKPBSZGET:
	case BLKIOMIN:
		return put(arg, blk_block_bytes(d), 4);
	case BLKIOOPT:
	case BLKALIGNOFF:
	case BLKDISCARDZEROES:
		return put(arg, 0, 4);
	case BLKBSZGET:
		return put(arg, PAGE_SIZE, 4);
	case BLKROGET:
		return put(arg, blk_is_read_only(d), 4);
	case BLKFLSBUF:
		return current_process()->uid ? -EACCES : disk_sync(f);
	case BLKDISCARD:
		return change_range(f, BLK_DISCARD, arg);
	case BLKZEROOUT:
		return change_range(f, BLK_ZERO, arg);
	case BLKRRPART: /* there are no partitions */
		return -EINVAL;
	default:
		return -ENOTTY;
	}
}

static int disk_open(struct inode *inode, struct file *f)
{
	return disk_of(inode) ? 0 : -ENXIO;
}

static const struct file_ops disk_ops = {
	.read = disk_read,
	.write = disk_write,
	.ioctl = disk_ioctl,
	.sync = disk_sync,
};
static const struct inode_ops disk_inode_ops = {.file_ops = &disk_ops,
						.open = disk_open};

struct inode *blkdev_inode(uint32_t rdev, uint32_t permissions)
{
	uint32_t n = (rdev & 0xff) / MINORS;
	struct inode *inode;

	if (rdev >> 8 != MAJOR || (rdev & 0xff) % MINORS || !blk_exists(n))
		return NULL;
	inode = inode_new(S_IFBLK | permissions, &disk_inode_ops);
	if (inode) {
		inode->rdev = rdev;
		inode->id = n;
	}
	return inode;
}

uint64_t blkdev_bytes(const struct inode *inode)
{
	const struct blk_disk *d = disk_of(inode);

	return inode->ops == &disk_inode_ops && d ? blk_bytes(d) : 0;
}

int blkdev_sync(void)
{
	int err = 0;

	for (uint32_t n = 0; n < BLK_DISKS_MAX; n++)
		if (written[n]) {
			written[n] = false;
			err = blk_flush(blk_get(n)) ? -EIO : err;
		}
	return err;
}

void blkdev_refresh(struct inode *dir, const struct name *wanted)
{
	char name[] = "vda";

	if (wanted &&
	    (wanted->bytes != 3 || memcmp(wanted->text, "vd", 2) != 0))
		return;
	for (uint32_t n = 0; blk_exists(n); n++) {
		name[2] = (char)('a' + n);
		if (!wanted || wanted->text[2] == name[2])
			mount_add(dir, name, blkdev_inode(RDEV_OF(n), 0660));
	}
}
