/* SPDX-License-Identifier: Apache-2.0 */
/* pty.c - pseudo terminals: the pairs, their names in /dev/pts, and both sides'
 * reads and writes. */
#include "kernels/mote/fs/pty.h"

#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>
#include <linux/termios.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/time.h"

#define CHUNK    128u
#define GROWTH   8u /* bytes of output one byte may become */
#define VTIME_NS 100000000ull

static struct pty *ptys[PTYS_MAX];
static struct inode *pts_dir;

static struct pty *pty_of(const struct file *f)
{
	return f->private;
}

struct inode *pty_pts_dir(void)
{
	if (!pts_dir) {
		pts_dir = dir_new(0755);
		if (pts_dir) {
			pts_dir->device = FS_DEVICE_PTS;
			inode_ref(pts_dir);
		}
	}
	return pts_dir;
}

/* The output ring. */

static uint32_t out_room(const struct pty *p)
{
	return PTY_OUT_BYTES - p->used;
}

static void out_put(struct pty *p, const uint8_t *src, uint32_t bytes)
{
	bytes = MIN(bytes, out_room(p));
	for (uint32_t i = 0; i < bytes; i++)
		p->out[(p->head + p->used++) % PTY_OUT_BYTES] = src[i];
}

void pty_show_echo(struct pty *p)
{
	struct ldisc *d = &p->ldisc;

	if (!d->echo_bytes || d->stopped || out_room(p) < d->echo_bytes)
		return;
	out_put(p, d->echo, d->echo_bytes);
	d->echo_bytes = 0;
	waitq_wake(&p->waitq);
}

/* Waiting: each is told what side waits for what. */

struct wanted {
	struct pty *pty;
	uint32_t bytes;
};

static int wait_on(struct pty *p, bool (*ready)(void *), uint32_t bytes,
		   uint64_t deadline_ns, bool nonblock)
{
	struct wanted w = {p, bytes};

	if (ready(&w))
		return 0;
	if (nonblock)
		return -EAGAIN;
	return waitq_wait(&p->waitq, ready, &w, deadline_ns);
}

static bool is_hung_up(const struct pty *p)
{
	return !p->slaves && p->was_open;
}

static bool master_can_read(void *arg)
{
	const struct wanted *w = arg;

	return w->pty->used || is_hung_up(w->pty);
}

static bool master_can_write(void *arg)
{
	const struct wanted *w = arg;

	return ldisc_has_room(&w->pty->ldisc);
}

static bool slave_can_read(void *arg)
{
	const struct wanted *w = arg;
	const struct ldisc *d = &w->pty->ldisc;

	if (d->hung_up || (d->t.lflag & ICANON))
		return ldisc_can_read(d);
	return ldisc_readable(d) >= w->bytes;
}

static bool slave_can_write(void *arg)
{
	const struct wanted *w = arg;

	return !w->pty->masters ||
	       (!w->pty->ldisc.stopped && out_room(w->pty) >= w->bytes);
}

/* The master's side. */

static long master_read(struct file *f, struct uio *u, uint64_t pos)
{
	struct pty *p = pty_of(f);
	long done = 0, n;
	int err;

	if (!u->left)
		return 0;
	err = wait_on(p, master_can_read, 0, WAIT_FOREVER,
		      f->flags & O_NONBLOCK);
	if (err)
		return err;
	if (!p->used)
		return -EIO;
	if (p->packets) { /* the kind of what follows: data */
		n = uio_copy_out(u, "", 1);
		if (n <= 0)
			return n;
		done = 1;
	}
	while (u->left && p->used) {
		uint32_t bytes = MIN(p->used, PTY_OUT_BYTES - p->head);

		n = uio_copy_out(u, p->out + p->head, MIN(bytes, u->left));
		if (n <= 0)
			return done ? done : n;
		p->head = (p->head + (uint32_t)n) % PTY_OUT_BYTES;
		p->used -= (uint32_t)n;
		done += n;
	}
	pty_show_echo(p);
	waitq_wake(&p->waitq);
	return done;
}

/* As far as there is room, byte by byte: one may empty all of it (VKILL). */
static uint32_t type(struct pty *p, const uint8_t *text, uint32_t bytes)
{
	uint32_t n = 0;

	while (n < bytes && ldisc_has_room(&p->ldisc)) {
		ldisc_input(&p->ldisc, text + n++, 1);
		pty_show_echo(p);
	}
	waitq_wake(&p->waitq);
	return n;
}

/* All of @text, or as much as does not have to wait. */
static long type_all(struct file *f, const uint8_t *text, uint32_t bytes)
{
	struct pty *p = pty_of(f);
	uint32_t typed = 0;

	while (typed < bytes) {
		int err = wait_on(p, master_can_write, 0, WAIT_FOREVER,
				  f->flags & O_NONBLOCK);

		if (err)
			return typed ? (long)typed : err;
		typed += type(p, text + typed, bytes - typed);
	}
	return typed;
}

static long master_write(struct file *f, struct uio *u, uint64_t pos)
{
	uint8_t text[CHUNK];
	long done = 0;

	while (u->left) {
		long n = uio_copy_in(u, text, MIN(u->left, sizeof(text)));
		long typed = n > 0 ? type_all(f, text, (uint32_t)n) : n;

		if (typed <= 0)
			return done ? done : typed;
		done += typed;
		if (typed < n)
			break;
	}
	return done;
}

static unsigned master_poll(struct file *f)
{
	const struct pty *p = pty_of(f);
	unsigned events = 0;

	if (p->used)
		events |= POLLIN | POLLRDNORM;
	if (is_hung_up(p))
		events |= POLLHUP;
	if (ldisc_has_room(&p->ldisc))
		events |= POLLOUT | POLLWRNORM;
	return events;
}

static struct waitq *either_waitq(struct file *f)
{
	return &pty_of(f)->waitq;
}

static void pty_free(struct pty *p)
{
	if (p->masters || p->slaves)
		return;
	terminal_done(&p->job);
	ptys[p->number] = NULL;
	p->slave->private = NULL;
	inode_unref(p->slave);
	kfree(p);
}

static void master_release(struct file *f)
{
	struct pty *p = pty_of(f);

	if (--p->masters)
		return;
	ldisc_flush_input(&p->ldisc);
	p->ldisc.hung_up = true;
	terminal_hangup(&p->job);
	if (p->slave->entry)
		dir_remove(p->slave->entry);
	waitq_wake(&p->waitq);
	pty_free(p);
}

/* The slave's side. */

/* VMIN and VTIME (termios(3)). Return: 0 to read what is there, or -errno. */
static int wait_raw(struct pty *p, uint32_t cap, bool nonblock)
{
	const uint8_t *cc = p->ldisc.t.cc;
	uint32_t least = MIN((uint32_t)cc[VMIN], cap);
	uint64_t pause = cc[VTIME] * VTIME_NS;
	uint32_t first = pause || nonblock ? MIN(least, 1u) : least;
	int err;

	if (!least && !pause)
		return 0;
	if (!least) {
		err = wait_on(p, slave_can_read, 1, deadline_after(pause),
			      nonblock);
		return err == -ETIMEDOUT ? 0 : err;
	}
	err = wait_on(p, slave_can_read, first, WAIT_FOREVER, nonblock);
	while (!err && pause && !p->ldisc.hung_up &&
	       ldisc_readable(&p->ldisc) < least)
		err = wait_on(p, slave_can_read, ldisc_readable(&p->ldisc) + 1,
			      deadline_after(pause), nonblock);
	return ldisc_readable(&p->ldisc) || err == -ETIMEDOUT ? 0 : err;
}

static long slave_read(struct file *f, struct uio *u, uint64_t pos)
{
	struct pty *p = pty_of(f);
	bool nonblock = f->flags & O_NONBLOCK, end = false;
	uint64_t total = u->left;
	int err = total ? terminal_may_read(&p->job) : 0;

	if (err || !total)
		return err;
	err = p->ldisc.t.lflag & ICANON
		      ? wait_on(p, slave_can_read, 0, WAIT_FOREVER, nonblock)
		      : wait_raw(p, (uint32_t)MIN(total, LDISC_RING), nonblock);
	if (err)
		return err;
	while (u->left && !end) {
		uint8_t text[CHUNK];
		uint32_t cap = (uint32_t)MIN(u->left, sizeof(text));
		uint32_t n = ldisc_read(&p->ldisc, text, cap, &end);

		if (!(p->ldisc.t.lflag & ICANON))
			end = n < cap;
		if (n && uio_copy_out(u, text, n) < (long)n)
			return u->left == total ? -EFAULT
						: (long)(total - u->left);
	}
	waitq_wake(&p->waitq); /* there is room again */
	return (long)(total - u->left);
}

static long write_chunk(struct file *f, struct uio *u)
{
	struct pty *p = pty_of(f);
	uint8_t text[CHUNK], cooked[CHUNK * GROWTH];
	int err = wait_on(p, slave_can_write, sizeof(cooked), WAIT_FOREVER,
			  f->flags & O_NONBLOCK);
	long n;

	if (!err && !p->masters)
		err = -EIO;
	if (err)
		return err;
	n = uio_copy_in(u, text, MIN(u->left, sizeof(text)));
	if (n <= 0)
		return n;
	if (p->ldisc.t.oflag & OPOST)
		out_put(p, cooked,
			ldisc_output(&p->ldisc, cooked, text, (uint32_t)n));
	else
		out_put(p, text, (uint32_t)n);
	waitq_wake(&p->waitq);
	return n;
}

static long slave_write(struct file *f, struct uio *u, uint64_t pos)
{
	struct pty *p = pty_of(f);
	long done = 0;
	int err = p->ldisc.t.lflag & TOSTOP ? terminal_may_change(&p->job) : 0;

	if (err)
		return err;
	while (u->left) {
		long n = write_chunk(f, u);

		if (n <= 0)
			return done ? done : n;
		done += n;
	}
	return done;
}

static unsigned slave_poll(struct file *f)
{
	struct pty *p = pty_of(f);
	struct wanted in = {p,
			    p->ldisc.t.cc[VTIME]
				    ? 1
				    : MAX((uint32_t)p->ldisc.t.cc[VMIN], 1u)};
	struct wanted out = {p, CHUNK * GROWTH};
	unsigned events = 0;

	if (slave_can_read(&in))
		events |= POLLIN | POLLRDNORM;
	if (slave_can_write(&out))
		events |= POLLOUT | POLLWRNORM;
	if (!p->masters)
		events |= POLLHUP | POLLERR;
	return events;
}

static void slave_release(struct file *f)
{
	struct pty *p = pty_of(f);

	p->slaves--;
	waitq_wake(&p->waitq);
	pty_free(p);
}

static const struct file_ops master_ops = {.read = master_read,
					   .write = master_write,
					   .ioctl = pty_master_ioctl,
					   .poll = master_poll,
					   .waitq = either_waitq,
					   .release = master_release};
static const struct file_ops slave_ops = {.read = slave_read,
					  .write = slave_write,
					  .ioctl = pty_slave_ioctl,
					  .poll = slave_poll,
					  .waitq = either_waitq,
					  .release = slave_release};

static void attach_slave(struct pty *p, struct file *f)
{
	p->slaves++;
	p->was_open = true;
	f->private = p;
	f->ops = &slave_ops;
}

static int slave_open(struct inode *inode, struct file *f)
{
	struct pty *p = inode->private;

	if (!p || !p->masters || p->locked)
		return -EIO;
	attach_slave(p, f);
	if (!(f->flags & O_NOCTTY))
		terminal_opened(&p->job);
	return 0;
}

static const struct inode_ops slave_inode = {.file_ops = &slave_ops,
					     .open = slave_open};

int pty_open_slave(struct pty *p, uint32_t flags, struct file **ret)
{
	return file_new(p->slave, flags, ret);
}

bool pty_open_controlling(struct file *f)
{
	const struct terminal *t = terminal_of(current_process());

	for (uint32_t i = 0; t && i < PTYS_MAX; i++) {
		if (!ptys[i] || &ptys[i]->job != t || !ptys[i]->masters)
			continue;
		attach_slave(ptys[i], f);
		return true;
	}
	return false;
}

static void key_signal(struct ldisc *d, int signal)
{
	struct pty *p = container_of(d, struct pty, ldisc);

	terminal_signal(&p->job, signal);
}

/* The lowest free number; -ENOSPC. */
static int number_new(uint32_t *ret)
{
	for (uint32_t i = 0; i < PTYS_MAX; i++) {
		if (ptys[i])
			continue;
		*ret = i;
		return 0;
	}
	return -ENOSPC;
}

static int make_name(struct pty *p)
{
	struct inode *dir = pty_pts_dir();
	char text[16];

	p->slave = dir ? inode_new(S_IFCHR | 0620, &slave_inode) : NULL;
	if (!p->slave)
		return -ENOMEM;
	p->slave->rdev = PTY_RDEV_MAJOR << 8 | p->number;
	p->slave->device = FS_DEVICE_PTS;
	p->slave->private = p;
	inode_ref(p->slave);
	ksnprintf(text, sizeof(text), "%u", p->number);
	mount_add(dir, text, p->slave);
	return 0;
}

static int master_open(struct inode *inode, struct file *f)
{
	struct pty *p = kzalloc(sizeof(*p));
	int err = p ? number_new(&p->number) : -ENOMEM;

	if (!err)
		err = make_name(p);
	if (err) {
		kfree(p);
		return err;
	}
	ptys[p->number] = p;
	ldisc_init(&p->ldisc, key_signal);
	p->ldisc.t.iflag &= ~(uint32_t)IUTF8; /* whoever opens it knows */
	terminal_init(&p->job);
	p->masters = 1;
	p->locked = true;
	f->private = p;
	f->ops = &master_ops;
	return 0;
}

const struct inode_ops pty_master_inode = {.file_ops = &master_ops,
					   .open = master_open};

bool pty_is(const struct file *f)
{
	return f->ops == &master_ops || f->ops == &slave_ops;
}
