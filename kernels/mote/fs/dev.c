/* SPDX-License-Identifier: Apache-2.0 */
/* dev.c - /dev: null, zero, full, random, the terminal; and the program's
 * standard streams, whose bytes go straight to the console device. */
#include "kernels/mote/fs/dev.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

#include "base/abi/runblock.h"
#include "kernels/mote/drv/blkdev.h"
#include "kernels/mote/drv/console.h"
#include "kernels/mote/drv/vport.h"
#include "kernels/mote/drv/vsock.h"
#include "kernels/mote/fs/cpio.h"
#include "kernels/mote/fs/devmem.h"
#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/fs/pipe.h"
#include "kernels/mote/fs/pty.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/net/vsock.h"
#include "kernels/mote/proc/random.h"

#define RDEV(major, minor) ((uint32_t)(major) << 8 | (uint32_t)(minor))

/* What the streams are on the host's side; the terminal exists when the
 * program's input is one. */
static struct {
	uint8_t kind[3];
	struct inode *tty;
} streams;

static bool nonblocking(const struct file *f)
{
	return f->flags & O_NONBLOCK;
}

static long null_read(struct file *f, struct uio *u, uint64_t pos)
{
	return 0;
}

static long null_write(struct file *f, struct uio *u, uint64_t pos)
{
	uint64_t bytes = u->left;

	uio_advance(u, bytes);
	return (long)bytes;
}

static unsigned always_ready(struct file *f)
{
	return POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

static long zero_read(struct file *f, struct uio *u, uint64_t pos)
{
	return uio_zero_out(u, u->left);
}

static int zero_map(struct file *f, uint64_t index, bool shared_write,
		    uint64_t *ret_pa)
{
	void *page = page_alloc_zero();

	if (!page)
		return -ENOMEM;
	*ret_pa = kva_to_pa(page);
	return 0;
}

static long full_write(struct file *f, struct uio *u, uint64_t pos)
{
	return -ENOSPC;
}

static long random_read(struct file *f, struct uio *u, uint64_t pos)
{
	uint8_t block[256];
	long done = 0;

	while (u->left) {
		uint64_t bytes = MIN(u->left, sizeof(block));
		long n;

		random_bytes(block, bytes);
		n = uio_copy_out(u, block, bytes);
		if (n < 0)
			return done ? done : n;
		done += n;
		if ((uint64_t)n < bytes)
			break;
	}
	return done;
}

static long tty_file_read(struct file *f, struct uio *u, uint64_t pos)
{
	if (streams.kind[CONSOLE_STDIN] != RUNBLOCK_STREAM_TTY)
		return -EIO;
	return tty_read(u, nonblocking(f));
}

static long tty_file_write(struct file *f, struct uio *u, uint64_t pos)
{
	return tty_write((enum console_port)f->id, u, nonblocking(f));
}

static long tty_file_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
	return tty_ioctl(cmd, arg);
}

static unsigned tty_file_poll(struct file *f)
{
	return tty_poll();
}

static long stream_read(struct file *f, struct uio *u, uint64_t pos)
{
	return console_read(u, nonblocking(f));
}

static long stream_write(struct file *f, struct uio *u, uint64_t pos)
{
	return console_write((enum console_port)f->id, u, nonblocking(f));
}

static unsigned stream_poll(struct file *f)
{
	return console_poll((enum console_port)f->id);
}

static struct waitq *tty_file_waitq(struct file *f)
{
	return tty_waitq();
}

static struct waitq *stream_waitq(struct file *f)
{
	return console_waitq();
}

/* Without poll: always ready, and nothing to add to an epoll. */
static const struct file_ops null_ops = {.read = null_read,
					 .write = null_write};
static const struct file_ops zero_ops = {
	.read = zero_read, .write = null_write, .map_page = zero_map};
static const struct file_ops full_ops = {
	.read = zero_read, .write = full_write, .map_page = zero_map};
static const struct file_ops random_ops = {
	.read = random_read, .write = null_write, .poll = always_ready};
static const struct file_ops tty_ops = {.read = tty_file_read,
					.write = tty_file_write,
					.ioctl = tty_file_ioctl,
					.poll = tty_file_poll,
					.waitq = tty_file_waitq};
static const struct file_ops stdin_ops = {
	.read = stream_read, .poll = stream_poll, .waitq = stream_waitq};
static const struct file_ops stdout_ops = {
	.write = stream_write, .poll = stream_poll, .waitq = stream_waitq};
static const struct file_ops console_ops = {.read = stream_read,
					    .write = stream_write,
					    .poll = stream_poll,
					    .waitq = stream_waitq};

static int stream_open(struct inode *inode, struct file *f)
{
	f->id = inode->id;
	return 0;
}

static int tty_open(struct inode *inode, struct file *f)
{
	if (pty_open_controlling(f))
		return 0;
	if (!streams.tty)
		return -ENXIO;
	f->id = CONSOLE_STDOUT;
	return 0;
}

/* Kernel-wide output when there is no terminal: the stream for errors. */
static int console_open(struct inode *inode, struct file *f)
{
	f->id = CONSOLE_STDERR;
	if (streams.tty)
		f->ops = &tty_ops;
	return 0;
}

static const struct inode_ops null_inode = {.file_ops = &null_ops};
static const struct inode_ops zero_inode = {.file_ops = &zero_ops};
static const struct inode_ops full_inode = {.file_ops = &full_ops};
static const struct inode_ops random_inode = {.file_ops = &random_ops};
static const struct inode_ops tty_inode = {.file_ops = &tty_ops,
					   .open = tty_open};
static const struct inode_ops console_inode = {.file_ops = &console_ops,
					       .open = console_open};
static const struct inode_ops stdin_inode = {.file_ops = &stdin_ops,
					     .open = stream_open};
static const struct inode_ops stdout_inode = {.file_ops = &stdout_ops,
					      .open = stream_open};

static const struct device {
	const char *name;
	uint32_t mode, rdev;
	const struct inode_ops *ops;
} devices[] = {
	{"mem", 0600, RDEV(1, 1), &devmem_inode_ops},
	{"null", 0666, RDEV(1, 3), &null_inode},
	{"zero", 0666, RDEV(1, 5), &zero_inode},
	{"full", 0666, RDEV(1, 7), &full_inode},
	{"random", 0666, RDEV(1, 8), &random_inode},
	{"urandom", 0666, RDEV(1, 9), &random_inode},
	{"tty", 0666, RDEV(5, 0), &tty_inode},
	{"console", 0600, RDEV(5, 1), &console_inode},
	{"ptmx", 0666, RDEV(5, 2), &pty_master_inode},
	{"vsock", 0666, RDEV(10, 121), &vsock_inode_ops},
};

static const struct mount_link links[] = {
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
};

static bool exists(const struct device *d)
{
	if (d->ops == &devmem_inode_ops)
		return devmem_is_on();
	return d->ops != &vsock_inode_ops || vsock_exists();
}

static const struct device *device_by_number(uint32_t rdev)
{
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		if (devices[i].rdev == rdev && exists(&devices[i]))
			return &devices[i];
	return NULL;
}

static struct inode *device_inode(const struct device *d, uint32_t mode)
{
	struct inode *inode;

	/* One terminal, whatever name leads to it: ttyname(3) compares. */
	if (d->ops == &tty_inode && streams.tty)
		return streams.tty;
	inode = inode_new(S_IFCHR | mode, d->ops);
	if (inode) {
		inode->rdev = d->rdev;
		inode->device = FS_DEVICE_DEV;
	}
	return inode;
}

struct inode *dev_by_number(uint32_t rdev, uint32_t mode)
{
	const struct device *d = device_by_number(rdev);

	return d ? device_inode(d, mode & 07777) : NULL;
}

const char *dev_name(uint32_t rdev)
{
	const struct device *d = device_by_number(rdev);

	return d ? d->name : NULL;
}

struct inode *dev_special(const uint8_t *header, uint32_t mode)
{
	struct cpio_meta meta;

	if ((mode & S_IFMT) == S_IFIFO)
		return fifo_new(mode & 07777);
	cpio_meta(header, &meta);
	if (meta.rdev_major > 0xff || meta.rdev_minor > 0xff)
		return NULL;
	return dev_by_number(RDEV(meta.rdev_major, meta.rdev_minor), mode);
}

struct inode *dev_from_image(uint32_t mode, uint32_t rdev)
{
	static const struct inode_ops nothing = {0};
	const struct device *d = NULL;
	struct inode *inode;

	if ((mode & S_IFMT) == S_IFIFO)
		return fifo_new(mode & 07777);
	inode = (mode & S_IFMT) == S_IFBLK ? blkdev_inode(rdev, mode & 07777)
					   : NULL;
	if (inode)
		return inode;
	if ((mode & S_IFMT) == S_IFCHR)
		d = device_by_number(rdev);
	inode = inode_new_boot(mode, d ? d->ops : &nothing);
	if (inode)
		inode->rdev = rdev;
	return inode;
}

/* Names come into being when somebody asks for them, or for all. */
static bool asked_for(const struct name *wanted, const char *text)
{
	return !wanted ||
	       (*text == *wanted->text && strlen(text) == wanted->bytes &&
		!memcmp(text, wanted->text, wanted->bytes));
}

static void dev_refresh(struct inode *dir, const struct name *wanted)
{
	if ((dir->flags & INODE_FILLED) ||
	    (wanted && dir_find_raw(dir, wanted)))
		return;
	if (!wanted)
		dir->flags |= INODE_FILLED;
	for (size_t i = 0; i < ARRAY_LEN(devices); i++)
		if (asked_for(wanted, devices[i].name) && exists(&devices[i]))
			mount_add(dir, devices[i].name,
				  device_inode(&devices[i], devices[i].mode));
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		if (asked_for(wanted, links[i].name))
			mount_link(dir, &links[i]);
	blkdev_refresh(dir, wanted);
	vport_refresh(dir, wanted);
	if (asked_for(wanted, "shm"))
		mount_add(dir, "shm", dir_new(01777));
	if (asked_for(wanted, "pts"))
		mount_add(dir, "pts", pty_pts_dir());
}

const struct inode_ops dev_dir_ops = {.file_ops = &dir_file_ops,
				      .refresh = dev_refresh};

static struct inode *stream_inode(unsigned port, uint8_t kind)
{
	struct inode *inode;

	if (kind == RUNBLOCK_STREAM_NULL)
		return dev_by_number(RDEV(1, 3), 0666);
	if (kind == RUNBLOCK_STREAM_TTY) {
		if (!streams.tty) {
			streams.tty = dev_by_number(RDEV(5, 0), 0620);
			if (streams.tty)
				inode_ref(streams.tty);
		}
		return streams.tty;
	}
	inode = inode_new_boot(S_IFIFO | 0600, port == CONSOLE_STDIN
						       ? &stdin_inode
						       : &stdout_inode);
	if (inode) {
		inode->id = port;
		inode->device = FS_DEVICE_PIPE;
	}
	return inode;
}

static int open_stream(unsigned port, uint8_t kind)
{
	struct inode *inode = stream_inode(port, kind);
	uint32_t flags = port == CONSOLE_STDIN ? O_RDONLY : O_WRONLY;
	struct file *f;
	int err;

	if (!inode)
		return -ENOMEM;
	if (kind == RUNBLOCK_STREAM_TTY)
		flags = O_RDWR;
	err = file_new(inode, flags | O_LARGEFILE, &f);
	if (err)
		return err;
	if (kind == RUNBLOCK_STREAM_TTY)
		f->id = port == CONSOLE_STDIN ? CONSOLE_STDOUT : port;
	return fd_install_at(f, (int)port, false);
}

int dev_open_streams(const uint8_t kind[3])
{
	memcpy(streams.kind, kind, sizeof(streams.kind));
	for (unsigned port = 0; port < 3; port++) {
		int fd;

		if (kind[port] == RUNBLOCK_STREAM_CLOSED)
			continue;
		fd = open_stream(port, kind[port]);
		if (fd < 0)
			return fd;
	}
	return 0;
}

int dev_is_tty(const struct file *f)
{
	return f->ops == &tty_ops || pty_is(f);
}
