/* SPDX-License-Identifier: Apache-2.0 */
/* fdtable.c - descriptor numbers. The table starts in one page with its
 * arrays behind it and moves to larger ones as numbers ask for it. */
#include "kernels/mote/fs/fdtable.h"

#include <linux/errno.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/lock.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/process.h"

#define FDS_FIRST        256u
#define FD_LIMIT_SOFT    1024u
#define BITS             64u
#define WORDS(count)     ((count) / BITS)
#define TABLE_BYTES(cap) ((cap) * sizeof(struct file *) + 2 * (cap) / 8)

struct files {
	uint32_t refs;
	struct file **file;
	uint64_t *open;    /* bit n: descriptor n is in use */
	uint64_t *cloexec; /* bit n: closed by exec */
	uint32_t cap;      /* a multiple of 64 */
	uint32_t soft, hard;
	uint32_t on_page; /* the arrays still lie behind this struct */
};

static void set_arrays(struct files *t, void *memory, uint32_t cap)
{
	t->file = memory;
	t->open = (uint64_t *)(t->file + cap);
	t->cloexec = t->open + WORDS(cap);
	t->cap = cap;
}

struct files *files_new(void)
{
	struct files *t = page_alloc_zero();

	_Static_assert(sizeof(*t) + TABLE_BYTES(FDS_FIRST) <= PAGE_SIZE,
		       "a page holds the first table");
	if (!t)
		return NULL;
	set_arrays(t, t + 1, FDS_FIRST);
	t->refs = 1;
	t->on_page = 1;
	t->soft = FD_LIMIT_SOFT;
	t->hard = FILE_LIMIT_MAX;
	return t;
}

static int grow(struct files *t, uint32_t want)
{
	struct files old = *t;
	uint32_t cap = t->cap;
	void *memory;

	while (cap <= want)
		cap *= 4;
	memory = kzalloc(TABLE_BYTES(cap));
	if (!memory)
		return -ENOMEM;
	set_arrays(t, memory, cap);
	memcpy(t->file, old.file, old.cap * sizeof(*t->file));
	memcpy(t->open, old.open, old.cap / 8);
	memcpy(t->cloexec, old.cloexec, old.cap / 8);
	if (!old.on_page)
		kfree(old.file);
	t->on_page = 0;
	return 0;
}

static void put(struct files *t, uint32_t fd, struct file *f, bool cloexec)
{
	uint64_t bit = 1ull << (fd % BITS);

	t->file[fd] = f;
	t->open[fd / BITS] |= bit;
	if (cloexec)
		t->cloexec[fd / BITS] |= bit;
	else
		t->cloexec[fd / BITS] &= ~bit;
}

/* The lowest number >= @from not in use; may be past the table's end. */
static uint32_t lowest_free(const struct files *t, uint32_t from)
{
	uint64_t below = (1ull << (from % BITS)) - 1;

	for (uint32_t w = from / BITS; w < WORDS(t->cap); w++) {
		uint64_t free = ~(t->open[w] | below);

		if (free)
			return w * BITS + (uint32_t)__builtin_ctzll(free);
		below = 0;
	}
	return MAX(from, t->cap);
}

struct files *files_copy(const struct files *from)
{
	struct files *t = files_new();

	if (!t)
		return NULL;
	if (from->cap > t->cap && grow(t, from->cap - 1) < 0) {
		files_unref(t);
		return NULL;
	}
	t->soft = from->soft;
	t->hard = from->hard;
	memcpy(t->open, from->open, from->cap / 8);
	memcpy(t->cloexec, from->cloexec, from->cap / 8);
	memcpy(t->file, from->file, from->cap * sizeof(*t->file));
	for (uint32_t w = 0; w < WORDS(t->cap); w++)
		for (uint64_t bits = t->open[w]; bits; bits &= bits - 1)
			file_ref(t->file[w * BITS +
					 (uint32_t)__builtin_ctzll(bits)]);
	return t;
}

void files_ref(struct files *t)
{
	t->refs++;
}

bool files_shared(const struct files *t)
{
	return t->refs > 1;
}

/* A descriptor is closed: with it the table's locks on the file. */
static void let_go(const struct files *t, struct file *f)
{
	if (f)
		lock_closed(t, f->inode);
	file_unref(f);
}

void files_unref(struct files *t)
{
	if (!t || --t->refs)
		return;
	for (uint32_t w = 0; w < WORDS(t->cap); w++)
		for (uint64_t bits = t->open[w]; bits; bits &= bits - 1)
			let_go(t, t->file[w * BITS +
					  (uint32_t)__builtin_ctzll(bits)]);
	if (!t->on_page)
		kfree(t->file);
	page_unref(kva_to_pa(t));
}

int fd_install(struct file *f, int from, bool cloexec)
{
	struct files *t = current_process()->files;
	uint32_t fd;
	int err = -EINVAL;

	if (from >= 0 && (uint32_t)from < t->soft) {
		fd = lowest_free(t, (uint32_t)from);
		err = fd >= t->soft ? -EMFILE : 0;
		if (!err && fd >= t->cap)
			err = grow(t, fd);
		if (!err) {
			put(t, fd, f, cloexec);
			return (int)fd;
		}
	}
	file_unref(f);
	return err;
}

int fd_install_at(struct file *f, int fd, bool cloexec)
{
	struct files *t = current_process()->files;
	int err = -EBADF;

	if (fd >= 0 && (uint32_t)fd < t->soft) {
		err = (uint32_t)fd >= t->cap ? grow(t, (uint32_t)fd) : 0;
		if (!err) {
			struct file *old = t->file[fd];

			put(t, (uint32_t)fd, f, cloexec);
			let_go(t, old);
			return fd;
		}
	}
	file_unref(f);
	return err;
}

int fd_close(int fd)
{
	struct files *t = current_process()->files;
	struct file *f;

	if ((uint32_t)fd >= t->cap || !t->file[fd])
		return -EBADF;
	f = t->file[fd];
	t->file[fd] = NULL;
	t->open[(uint32_t)fd / BITS] &= ~(1ull << ((uint32_t)fd % BITS));
	let_go(t, f);
	return 0;
}

struct file *files_get(const struct files *t, int fd)
{
	struct file *f;

	if (!t || (uint32_t)fd >= t->cap)
		return NULL;
	f = t->file[fd];
	if (f)
		f->refs++;
	return f;
}

struct file *file_get(int fd)
{
	return files_get(current_process()->files, fd);
}

uint32_t files_cap(const struct files *t)
{
	return t ? t->cap : 0;
}

bool files_cloexec(const struct files *t, int fd)
{
	return t->cloexec[(uint32_t)fd / BITS] >> ((uint32_t)fd % BITS) & 1;
}

bool fd_cloexec(int fd)
{
	return files_cloexec(current_process()->files, fd);
}

void fd_set_cloexec(int fd, bool on)
{
	struct files *t = current_process()->files;

	put(t, (uint32_t)fd, t->file[fd], on);
}

int files_next(const struct files *t, int fd)
{
	uint64_t below = (1ull << ((uint32_t)fd % BITS)) - 1;

	for (uint32_t w = (uint32_t)fd / BITS; t && w < WORDS(t->cap); w++) {
		uint64_t used = t->open[w] & ~below;

		if (used)
			return (int)(w * BITS) + __builtin_ctzll(used);
		below = 0;
	}
	return -1;
}

int fd_next(int fd)
{
	return files_next(current_process()->files, fd);
}

void fs_after_exec(void)
{
	struct files *t = current_process()->files;

	for (uint32_t w = 0; w < WORDS(t->cap); w++) {
		uint64_t bits = t->open[w] & t->cloexec[w];

		for (; bits; bits &= bits - 1)
			fd_close((int)(w * BITS) + __builtin_ctzll(bits));
	}
}

void files_limit(const struct files *t, uint64_t *ret_soft, uint64_t *ret_hard)
{
	*ret_soft = t ? t->soft : 0;
	*ret_hard = t ? t->hard : 0;
}

void file_limit(uint64_t *ret_soft, uint64_t *ret_hard)
{
	files_limit(current_process()->files, ret_soft, ret_hard);
}

int file_set_limit(uint64_t soft, uint64_t hard)
{
	struct files *t = current_process()->files;

	if (hard > FILE_LIMIT_MAX || soft > hard)
		return -EINVAL;
	t->soft = (uint32_t)soft;
	t->hard = (uint32_t)hard;
	return 0;
}
