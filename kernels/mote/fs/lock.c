/* SPDX-License-Identifier: Apache-2.0 */
/* lock.c - advisory locks on files: the lists, conflicts, waiting, and who
 * waits for whom. The number of locks is bounded. */
#include "kernels/mote/fs/lock.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/lib/list.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/waitq.h"

#define LOCKS_MAX    8192u
#define CHAIN_MAX    64u /* waiters followed in search of a deadlock */
#define RANGE_END    INT64_MAX
#define OP_SHARED    1u /* LOCK_SH and so on of flock(2) */
#define OP_EXCLUSIVE 2u
#define OP_NONBLOCK  4u
#define OP_UNLOCK    8u

enum lock_kind {
	LOCK_RANGE, /* POSIX and OFD */
	LOCK_WHOLE, /* flock */
};

struct lock {
	struct list in_file; /* inode_locks.held */
	enum lock_kind kind;
	const void *owner;  /* struct files (POSIX) or struct file */
	int pid;            /* -1: OFD */
	int64_t start, end; /* [start, end] */
	bool exclusive;
};

struct inode_locks {
	struct list held;
	struct waitq changed;
};

/* One owner that sleeps until another lets go. */
struct lock_wait {
	struct list in_waits;
	const void *owner, *holder;
};

static struct list waits = {&waits, &waits};
static uint32_t lock_count;

static struct lock *lock_of(struct list *at)
{
	return container_of(at, struct lock, in_file);
}

static bool overlaps(const struct lock *a, const struct lock *b)
{
	return a->start <= b->end && b->start <= a->end;
}

/* Who is in the way of @want; NULL: nobody. */
static struct lock *conflict(struct inode_locks *l, const struct lock *want)
{
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): see lock_free() */
	LIST_EACH(at, &l->held) {
		struct lock *held = lock_of(at);

		if (held->kind == want->kind && held->owner != want->owner &&
		    overlaps(held, want) &&
		    (held->exclusive || want->exclusive))
			return held;
	}
	return NULL;
}

static void lock_free(struct lock *held)
{
	list_remove(&held->in_file);
	kfree(held);
	lock_count--;
}

static struct lock *lock_new(const struct lock *from)
{
	struct lock *held =
		lock_count < LOCKS_MAX ? kmalloc(sizeof(*held)) : NULL;

	if (!held)
		return NULL;
	*held = *from;
	list_init(&held->in_file);
	lock_count++;
	return held;
}

/* Take @range from what its owner holds. @spare: for the case that one lock
 * becomes two; true: it was needed. */
static bool cut(struct inode_locks *l, const struct lock *range,
		struct lock *spare)
{
	bool used = false;

	LIST_EACH(at, &l->held) {
		struct lock *held = lock_of(at);

		if (held->kind != range->kind || held->owner != range->owner ||
		    !overlaps(held, range))
			continue;
		if (held->start < range->start && held->end > range->end) {
			*spare = *held;
			spare->start = range->end + 1;
			held->end = range->start - 1;
			list_init(&spare->in_file);
			list_push(&l->held, &spare->in_file);
			used = true;
		} else if (held->start < range->start) {
			held->end = range->start - 1;
		} else if (held->end > range->end) {
			held->start = range->end + 1;
		} else {
			lock_free(held);
		}
	}
	return used;
}

static int release(struct inode_locks *l, const struct lock *range)
{
	struct lock *spare = lock_new(range);

	if (!spare)
		return -ENOLCK;
	if (!cut(l, range, spare))
		lock_free(spare);
	waitq_wake(&l->changed);
	return 0;
}

/* Neighbours of one kind become one lock, so that a program that locks byte
 * by byte does not meet the bound. */
static void merge(struct inode_locks *l, struct lock *new)
{
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): see lock_free() */
	LIST_EACH(at, &l->held) {
		struct lock *held = lock_of(at);

		if (held == new || held->kind != new->kind ||
		    held->owner != new->owner ||
		    held->exclusive != new->exclusive)
			continue;
		if (new->start && held->end == new->start - 1)
			new->start = held->start;
		else if (new->end != RANGE_END && held->start == new->end + 1)
			new->end = held->end;
		else
			continue;
		lock_free(held);
	}
}

static int take(struct inode_locks *l, const struct lock *want)
{
	struct lock *new = lock_new(want), *spare = lock_new(want);

	if (!new || !spare) {
		if (new)
			lock_free(new);
		return -ENOLCK;
	}
	if (!cut(l, want, spare))
		lock_free(spare);
	list_push(&l->held, &new->in_file);
	merge(l, new);
	waitq_wake(&l->changed); /* it may have been stronger before */
	return 0;
}

/* Does @holder wait, perhaps through others, for @owner? */
static bool would_deadlock(const void *holder, const void *owner)
{
	for (uint32_t i = 0; i < CHAIN_MAX; i++) {
		const struct lock_wait *next = NULL;

		if (holder == owner)
			return true;
		LIST_EACH(at, &waits) {
			const struct lock_wait *w =
				container_of(at, struct lock_wait, in_waits);

			if (w->owner == holder)
				next = w;
		}
		if (!next)
			return false;
		holder = next->holder;
	}
	return false;
}

struct wanted {
	struct inode_locks *locks;
	const struct lock *want;
};

static bool no_conflict(void *arg)
{
	const struct wanted *w = arg;

	return !conflict(w->locks, w->want);
}

/* Sleep until nobody is in the way. */
static int wait_for(struct inode_locks *l, const struct lock *want)
{
	struct wanted wanted = {l, want};
	int err = 0;

	for (;;) {
		const struct lock *held = conflict(l, want);
		struct lock_wait w = {.owner = want->owner};

		if (!held || err)
			return err;
		w.holder = held->owner;
		/* As Linux: only POSIX locks are looked at. */
		if (want->kind == LOCK_RANGE && want->pid > 0 &&
		    would_deadlock(w.holder, w.owner))
			return -EDEADLK;
		list_push(&waits, &w.in_waits);
		err = waitq_wait(&l->changed, no_conflict, &wanted,
				 WAIT_FOREVER);
		list_remove(&w.in_waits);
	}
}

static struct inode_locks *locks_of(struct inode *inode)
{
	struct inode_locks *l = inode->locks;

	if (!l) {
		l = inode->locks = kzalloc(sizeof(*l));
		if (l)
			list_init(&l->held);
	}
	return l;
}

static long acquire(struct inode *inode, const struct lock *want, bool wait)
{
	struct inode_locks *l = locks_of(inode);
	int err = 0;

	if (!l)
		return -ENOLCK;
	if (conflict(l, want))
		err = wait ? wait_for(l, want) : -EAGAIN;
	return err ? err : take(l, want);
}

/* The range a struct flock means. */
static int range_of(const struct file *f, const struct flock *user,
		    struct lock *ret)
{
	int64_t start = user->l_start, end;

	switch (user->l_whence) {
	case 0: /* SEEK_SET */
		break;
	case 1: /* SEEK_CUR */
		if (__builtin_add_overflow(start, (int64_t)f->pos, &start))
			return -EOVERFLOW;
		break;
	case 2: /* SEEK_END */
		if (__builtin_add_overflow(start, (int64_t)f->inode->size,
					   &start))
			return -EOVERFLOW;
		break;
	default:
		return -EINVAL;
	}
	if (start < 0)
		return -EINVAL;
	end = RANGE_END;
	if (user->l_len > 0 &&
	    __builtin_add_overflow(start, user->l_len - 1, &end))
		return -EOVERFLOW;
	if (user->l_len < 0) {
		end = start - 1;
		start += user->l_len;
		if (start < 0)
			return -EINVAL;
	}
	ret->start = start;
	ret->end = end;
	return 0;
}

static int parse(struct file *f, bool ofd, const struct flock *user,
		 struct lock *ret)
{
	if (user->l_type != F_RDLCK && user->l_type != F_WRLCK &&
	    user->l_type != F_UNLCK)
		return -EINVAL;
	if (ofd && user->l_pid)
		return -EINVAL;
	*ret = (struct lock){
		.kind = LOCK_RANGE,
		.owner = ofd ? (const void *)f : current_process()->files,
		.pid = ofd ? -1 : current_process()->pid,
		.exclusive = user->l_type == F_WRLCK,
	};
	return range_of(f, user, ret);
}

static void describe(const struct lock *held, struct flock *user)
{
	if (!held) {
		user->l_type = F_UNLCK;
		return;
	}
	*user = (struct flock){
		.l_type = held->exclusive ? F_WRLCK : F_RDLCK,
		.l_start = held->start,
		.l_len = held->end == RANGE_END ? 0
						: held->end - held->start + 1,
		.l_pid = held->pid,
	};
}

static long set(struct file *f, const struct flock *user, struct lock *want,
		bool wait)
{
	switch (user->l_type) {
	case F_UNLCK:
		return f->inode->locks ? release(f->inode->locks, want) : 0;
	case F_RDLCK:
		if (!(f->can & FILE_READ))
			return -EBADF;
		break;
	default:
		if (!(f->can & FILE_WRITE))
			return -EBADF;
	}
	return acquire(f->inode, want, wait);
}

long lock_fcntl(struct file *f, uint32_t cmd, uint64_t at)
{
	bool ofd =
		cmd == F_OFD_GETLK || cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
	struct flock user;
	struct lock want;
	int err;

	if (copy_from_user(&user, at, sizeof(user)))
		return -EFAULT;
	err = parse(f, ofd, &user, &want);
	if (err)
		return err;
	if (cmd != F_GETLK && cmd != F_OFD_GETLK)
		return set(f, &user, &want,
			   cmd == F_SETLKW || cmd == F_OFD_SETLKW);
	if (user.l_type == F_UNLCK)
		return -EINVAL;
	describe(f->inode->locks ? conflict(f->inode->locks, &want) : NULL,
		 &user);
	return copy_to_user(at, &user, sizeof(user));
}

long lock_flock(struct file *f, uint32_t op)
{
	struct lock want = {.kind = LOCK_WHOLE,
			    .owner = f,
			    .end = RANGE_END,
			    .exclusive = (op & ~OP_NONBLOCK) == OP_EXCLUSIVE};

	switch (op & ~OP_NONBLOCK) {
	case OP_SHARED:
	case OP_EXCLUSIVE:
		/* Changing one is letting go and taking another. */
		if (f->inode->locks)
			(void)cut(f->inode->locks, &want, NULL);
		return acquire(f->inode, &want, !(op & OP_NONBLOCK));
	case OP_UNLOCK:
		return f->inode->locks ? release(f->inode->locks, &want) : 0;
	default:
		return -EINVAL;
	}
}

static void drop_all(struct inode_locks *l, const void *owner)
{
	bool any = false;

	LIST_EACH(at, &l->held) {
		if (lock_of(at)->owner != owner)
			continue;
		lock_free(lock_of(at));
		any = true;
	}
	if (any)
		waitq_wake(&l->changed);
}

void lock_file_gone(struct file *f)
{
	if (f->inode->locks)
		drop_all(f->inode->locks, f);
}

void lock_closed(const struct files *table, struct inode *inode)
{
	if (inode->locks)
		drop_all(inode->locks, table);
}

void lock_inode_gone(struct inode *inode)
{
	kfree(inode->locks);
	inode->locks = NULL;
}
