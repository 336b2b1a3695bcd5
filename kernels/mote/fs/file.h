/* SPDX-License-Identifier: Apache-2.0 */
/* file.h - open files and inodes, as the rest of the kernel sees them. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/lib/list.h"

struct regs;
struct uio;
struct inode;
struct file;
struct waitq;

/* What a kind of file can do; NULL: the default errno of that call. */
struct file_ops {
	/* At @pos (seekable files) or in stream order. Return bytes or -errno.
	 */
	long (*read)(struct file *f, struct uio *u, uint64_t pos);
	long (*write)(struct file *f, struct uio *u, uint64_t pos);
	long (*ioctl)(struct file *f, uint64_t cmd, uint64_t arg);
	/* POLLIN | POLLOUT | POLLHUP | POLLERR as poll(2) */
	unsigned (*poll)(struct file *f);
	/* Optional: woken whenever what ->poll says may have changed. None:
	 * it changes by interrupts only, or never. */
	struct waitq *(*waitq)(struct file *f);
	long (*getdents)(struct file *f, struct uio *u);
	int (*sync)(struct file *f);     /* fsync(2); none: it is stable */
	void (*release)(struct file *f); /* last reference went */
	/* Physical page that holds bytes [index*4096, +4096) for a mapping,
	 * with a reference for the caller. @shared_write: a MAP_SHARED writable
	 * mapping; otherwise the page is only read (a private mapping copies it
	 * first). Bytes past the end of the file are zero. 0, -EIO past the
	 * last page (SIGBUS), -ENOMEM, -ENODEV not mappable, -EAGAIN only as
	 * image_impatient asks for (image.h). */
	int (*map_page)(struct file *f, uint64_t index, bool shared_write,
			uint64_t *ret_pa);
	/* Optional, a shortcut for private mappings: how many pages from @index
	 * on, at most @max, lie in place one after another in memory that is
	 * never freed (page-aligned initrd bytes, whole pages only, never
	 * written since). @ret_pa: the first; no references. 0: none. */
	uint64_t (*map_run)(struct file *f, uint64_t index, uint64_t max,
			    uint64_t *ret_pa);
	/* Optional, for mappings that are only read or private: the page if it
	 * is in memory already, as map_page. False: it is not. */
	bool (*map_near)(struct file *f, uint64_t index, uint64_t *ret_pa);
};

enum file_can { /* decided once, at open */
	FILE_READ = 1,
	FILE_WRITE = 2,
	FILE_SEEK = 4,   /* has a position */
	FILE_STREAM = 8, /* a device that minds being sought */
};

struct file {
	const struct file_ops *ops;
	struct inode *inode; /* referenced, never NULL */
	uint32_t refs;
	uint32_t flags; /* O_* status flags and access mode */
	uint32_t can;   /* enum file_can */
	uint32_t id;    /* for ->ops: which port, which end */
	uint64_t pos;
	void *private;
	struct list watchers; /* items of epolls (epoll.c); zero: none yet */
};

/** inode_ref()/inode_unref() - hold an inode (cwd, exe) past its names. */
void inode_ref(struct inode *inode);
void inode_unref(struct inode *inode); /* NULL is fine */

/** file_new() - an open file over @inode (referenced) with the inode's
 * operations, no permissions asked. @flags: as open(2). 0 or -errno. */
int file_new(struct inode *inode, uint32_t flags, struct file **ret);

/** file_new_shared() - @bytes of zeros without a name, for a mapping that
 * others are to share. 0, -ENOMEM, -EFBIG. */
int file_new_shared(uint64_t bytes, struct file **ret);

/** file_open_kernel() - open an absolute path for reading (exec, interpreter).
 * Return: 0 and a file with one reference, or -errno as open(2). Symbolic
 * links are followed. */
int file_open_kernel(const char *path, struct file **ret);
/** file_read_kernel() - pread into a kernel buffer: bytes or -errno. */
long file_read_kernel(struct file *f, void *dst, uint64_t bytes, uint64_t pos);
void file_ref(struct file *f);
void file_unref(struct file *f); /* NULL is fine */
static inline void file_unref_pointer(struct file **f)
{
	file_unref(*f);
}
#define cleanup_file __attribute__((cleanup(file_unref_pointer)))
/** file_get() - the open file behind a descriptor number of the current task,
 * referenced; NULL: -EBADF. */
struct file *file_get(int fd);

/** file_limit()/file_set_limit() - RLIMIT_NOFILE of the current task, soft and
 * hard; the caller checks that soft <= hard. -EINVAL above FILE_LIMIT_MAX. */
#define FILE_LIMIT_MAX 1048576u
void file_limit(uint64_t *ret_soft, uint64_t *ret_hard);
int file_set_limit(uint64_t soft, uint64_t hard);

/** file_is_executable() - a regular file with an x bit for the current ids. */
bool file_is_executable(const struct file *f);
/** file_is_sealed() - do seals forbid to write what it holds? */
bool file_is_sealed(const struct file *f);
/** file_path() - absolute path of an open file into @dst (for /proc/self/maps,
 * exe). Return: length, or -errno. */
long file_path(const struct file *f, char *dst, uint64_t cap);
/** file_size() - bytes; 0 for what has none. */
uint64_t file_size(const struct file *f);

/** fs_init() - a tree of the initrd's files (cpio newc, used in place, unpacked
 * when a lookup needs it) with /dev, /proc and /tmp in it. @initrd may be NULL.
 */
void fs_init(const void *initrd, uint64_t bytes);
/** fs_mount_image() - from now on the root is an EROFS image (kept), over it
 * what the initrd has. @read_only: nothing can be written there.
 * Return: 0, -errno with one line in *@ret_why. */
struct image;
int fs_mount_image(struct image *image, bool read_only, const char **ret_why);
/** fs_runblock() - the bytes of the file RUNBLOCK_NAME; NULL: none. */
const void *fs_runblock(uint64_t *ret_bytes);
/** fs_start_task() - give the first task its fd table (0, 1, 2 from the
 * console), cwd and exe. Return 0 or -errno. */
int fs_start_task(const char *cwd);
/** fs_after_exec() - close what is O_CLOEXEC. */
void fs_after_exec(void);
