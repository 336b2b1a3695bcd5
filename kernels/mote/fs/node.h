/* SPDX-License-Identifier: Apache-2.0 */
/* node.h - inodes and the names that lead to them. There is one file system,
 * in memory: the initrd's files or an image's (lower.h) in place, what the
 * program wrote in pages over them, and the generated trees /dev, /proc and
 * /sys.
 *
 *   dentry (name) --inode--> inode --entry--> one of its names
 *         \--dir--> inode of the directory --dir.first--> dentry ...
 *
 * Life: an inode lives while it has a name (nlink) or a user (refs). The
 * kernel is not preemptible, so a pointer found by a lookup stays good, without
 * a reference, until something blocks or removes a name. */
#pragma once
#include <linux/stat.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/mote/fs/name.h"
#include "kernels/mote/fs/pagemap.h"
#include "kernels/mote/proc/process.h"

struct dentry;
struct file;
struct file_ops;
struct inode;
struct inode_locks;

#define FS_NAME_MAX 255u
#define FS_PATH_MAX 4096u
#define FS_FILE_MAX (PAGEMAP_INDEX_MAX << 12) /* bytes */

struct inode_ops {
	const struct file_ops *file_ops; /* NULL: cannot be opened (-ENXIO) */
	/* A new open file over this inode; may change ->ops and ->private. */
	int (*open)(struct inode *inode, struct file *f);
	/* Bring a generated directory up to date before it is looked at: for
	 * one name, or for all (@wanted NULL). */
	void (*refresh)(struct inode *dir, const struct name *wanted);
	/* A generated symbolic link: its text. Length (cut at @cap), -errno. */
	long (*readlink)(struct inode *inode, char *dst, uint64_t cap);
	/* What a nameless inode is called in /proc/PID/fd; NULL: by path. */
	long (*readname)(struct inode *inode, char *dst, uint64_t cap);
	/* What such a link leads to; NULL: nothing there. */
	struct inode *(*follow)(struct inode *inode);
};

enum inode_flags {
	INODE_LAZY = 1, /* ids and times are still in ->header */
	INODE_GENERATED =
		2,        /* of /dev, /proc, /sys: names are not the user's */
	INODE_FILLED = 4, /* a generated directory was filled */
	/* A directory of an indexed initrd: names of it may be missing. */
	INODE_PARTIAL = 8,
	INODE_MEMFD = 32,    /* of memfd_create(2): can be sealed */
	INODE_PROCESS = 16,  /* below /proc/PID: tells about ->owner */
	INODE_LOWER = 64,    /* made from node ->ino - 1 of the root's image, */
	INODE_CHANGED = 128, /* and is not what the image has any more */
};

enum inode_device { /* st_dev; also tells the mounts apart */
	FS_DEVICE_ROOT = 1,
	FS_DEVICE_DEV = 2,
	FS_DEVICE_PROC = 3,
	FS_DEVICE_SYS = 4,
	FS_DEVICE_PIPE = 5,
	FS_DEVICE_PTS = 6,
	FS_DEVICE_SOCKET = 7,
	FS_DEVICE_TMP = 8, /* /tmp and /run beside an image */
	FS_DEVICE_RUN = 9,
	FS_DEVICE_ANON = 15,  /* kernel objects: eventfd, epoll, ... */
	FS_DEVICE_MOUNT = 16, /* from here on: mounts.c */
};

/* Where the image has a file's content (erofs.h). */
struct inode_lower {
	uint64_t blocks_at, blocks_bytes, tail_at;
	struct inode *next; /* others with several names and this hash */
};

struct inode_reg {
	const uint8_t *base;      /* the initrd's bytes, in place */
	uint64_t base_bytes;      /* <= size; what lies behind reads as zero */
	struct pagemap pages;     /* these hide base; zero past size */
	uint32_t seals;           /* F_SEAL_* as memfd_create(2) */
	struct inode_lower lower; /* INODE_LOWER: in place of ->base */
};

struct inode_dir {
	struct dentry *first, *last; /* ascending ->seq */
	struct dentry *cursor;       /* where a getdents left off */
	uint64_t seq;                /* of the newest name; 2 is the first */
	uint32_t subdirs;
	uint32_t record; /* INODE_PARTIAL: which one of the index */
};

struct inode {
	uint32_t mode; /* S_IFMT | permission bits */
	uint32_t flags;
	uint32_t refs, nlink;
	uint32_t hidden; /* INODE_LOWER: names of the image not in the tree */
	uint32_t uid, gid;
	uint32_t ino;
	uint32_t device; /* enum inode_device */
	uint32_t rdev;   /* as makedev(3) for numbers below 256 */
	uint32_t id;     /* generated: which one */
	uint32_t owner;  /* INODE_PROCESS: the thread it tells about */
	uint64_t size;
	int64_t atime_ns, mtime_ns, ctime_ns;
	const struct inode_ops *ops;
	struct inode_locks *locks; /* lock.c; NULL: never locked */
	struct dentry *entry;      /* a name, NULL: look for another or none */
	const uint8_t *header;     /* initrd header while INODE_LAZY */
	union {
		struct inode_reg reg;
		struct inode_dir dir;
		const char *target; /* symbolic link, size bytes, no NUL */
		void *private;
	};
};

enum dentry_lower { /* has the image this name? */
	DENTRY_NEW = 0,
	DENTRY_SAME = 1, /* yes, and it leads to what it has there */
	DENTRY_HIDES = 2 /* yes, but it is removed or something else here */
};

struct dentry {
	struct dentry *hash_next;
	struct dentry *prev, *next;
	struct inode *dir, *inode; /* no inode: the image's name is removed */
	uint64_t hash;             /* of the name and the directory */
	const char *text;          /* NAME_SLACK readable behind it */
	uint64_t seq;              /* position in the directory */
	uint32_t bytes;
	uint16_t text_owned;
	uint16_t lower; /* enum dentry_lower */
};

/** inode_new() - no name, no reference: unless it gets one, inode_put_new().
 * Owner ids and times are the current ones. NULL: no memory. */
struct inode *inode_new(uint32_t mode, const struct inode_ops *ops);
/** inode_new_boot() - the same for the initrd: no ids and times of its own. */
struct inode *inode_new_boot(uint32_t mode, const struct inode_ops *ops);
/** inode_reserve() - numbers up to @last are the image's. */
void inode_reserve(uint32_t last);
void inode_put_new(struct inode *inode);
/** inode_release() - free it if neither name nor user is left. */
void inode_release(struct inode *inode);
/** inode_load() - decode what the initrd header says and nobody asked yet. */
void inode_load_header(struct inode *inode);
static inline void inode_load(struct inode *inode)
{
	if (inode->flags & INODE_LAZY)
		inode_load_header(inode);
}

static inline bool inode_is(const struct inode *inode, uint32_t type)
{
	return (inode->mode & S_IFMT) == type;
}

/* Permissions asked for, as in a mode's lowest three bits. */
#define MAY_EXEC  1u
#define MAY_WRITE 2u
#define MAY_READ  4u
/** inode_permit() - may the current ids do this? 0 or -EACCES. */
int inode_permit_ids(struct inode *inode, uint32_t may);
static inline int inode_permit(struct inode *inode, uint32_t may)
{
	/* The superuser may all, but execute only what has an x bit, and
	 * write only what can be written. */
	if (!current_process()->uid && !(may & (MAY_EXEC | MAY_WRITE)))
		return 0;
	return inode_permit_ids(inode, may);
}
/** dir_permit_search() - the same for walking through a directory. */
static inline int dir_permit_search(struct inode *dir)
{
	return current_process()->uid ? inode_permit_ids(dir, MAY_EXEC) : 0;
}
/** inode_writable() - 0, or -EROFS in a root that is only to be read. */
int inode_writable(const struct inode *inode);
/** inode_owned() - may the current ids change its attributes? 0, -EPERM. */
int inode_owned(struct inode *inode);

/** fs_now() - the coarse clock of time stamps: a few milliseconds behind. */
int64_t fs_now(void);
/** inode_modified() - the content changed now. */
void inode_modified(struct inode *inode);
/** inode_changed() - the attributes changed now. */
void inode_changed(struct inode *inode);

/** inode_symlink() - a symbolic link to a copy of @bytes of @target. */
struct inode *inode_symlink(const char *target, uint64_t bytes);

extern const struct inode_ops regular_inode_ops;
extern const struct inode_ops dir_inode_ops;
extern const struct inode_ops link_inode_ops;
