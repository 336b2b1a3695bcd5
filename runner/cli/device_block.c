/* SPDX-License-Identifier: Apache-2.0 */
/* device_block.c - opens the disks of a VM, as the user who called. Their bytes
 * are the guest's business; the header of an overlay is looked at by the VMM,
 * in its jail.
 *
 * flock(2) says who uses a file: shared for what is only read, exclusive for
 * what is written. It belongs to the open file, so it lasts as long as the VM
 * and ends with it, however that ends. */
#include "runner/cli/device_block.h"

#include "base/abi/overlay.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/disk_option.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>

/* The kernel takes a ring down some time after the VM that had it has ended,
 * and the lock on a file, or the claim on a device, goes with it. */
#define NAP_NS         (5 * NS_PER_MS)
#define NAPS           200u
#define THREADS_A_DISK 5u /* blk_uring.c; device_block.c of the VMM */

static int locked(const char *path, bool shared, struct problem *why)
{
	return problem_set(why, EXIT_AMPOULE,
			   "--disk: %s is used by another VM%s; end that "
			   "first, or give each an overlay (overlay=mem) over "
			   "a disk that nobody writes",
			   path, shared ? ", which writes it" : "");
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

/** use() - lock it, as soon as the VM before has really let go. */
static int use(int fd, const char *path, bool shared, struct problem *why)
{
	int how = (shared ? LOCK_SH : LOCK_EX) | LOCK_NB;

	for (unsigned naps = 0;; naps++) {
		if (flock(fd, how) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return problem_set(why, EXIT_AMPOULE,
					   "--disk: cannot lock %s: %s", path,
					   error_text(errno));
		if (naps == NAPS)
			return locked(path, shared, why);
		nap();
	}
}

/** size_of() - of a regular file or a block device. */
static int size_of(int fd, const char *path, uint64_t *ret, struct problem *why)
{
	uint64_t bytes = 0;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "--disk: cannot look at %s: %s", path,
				   error_text(errno));
	if (S_ISREG(st.st_mode))
		bytes = (uint64_t)st.st_size;
	else if (!S_ISBLK(st.st_mode) || ioctl(fd, BLKGETSIZE64, &bytes) < 0)
		return problem_set(
			why, EXIT_AMPOULE,
			"--disk: %s is %s, which is no disk; a file or a block "
			"device is",
			path,
			S_ISDIR(st.st_mode) ? "a directory" : "a special file");
	if (!bytes || bytes % PLAN_BLOCK_SECTOR || bytes > PLAN_BLOCK_BYTES_MAX)
		return problem_set(
			why, EXIT_AMPOULE,
			"--disk: %s has %llu bytes; a disk has whole sectors "
			"of 512, one to 64T; 'truncate -s %%512 FILE' adds "
			"what is missing",
			path, (unsigned long long)bytes);
	*ret = bytes;
	return 0;
}

/** open_disk() - a device that is written is opened for us alone: the kernel
 * refuses it while it is mounted. */
static int open_disk(const char *path, bool write, int *ret_fd,
		     uint64_t *ret_bytes, struct problem *why)
{
	int flags = O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	cleanup_fd int fd = -1;
	struct stat st;
	int err;

	if (write && stat(path, &st) == 0 && S_ISBLK(st.st_mode))
		flags |= O_EXCL;
	flags |= write ? O_RDWR : O_RDONLY;
	fd = open(path, flags);
	for (unsigned naps = 0; fd < 0 && errno == EBUSY && naps < NAPS;
	     naps++) {
		nap();
		fd = open(path, flags);
	}
	if (fd < 0)
		return problem_set(
			why, EXIT_AMPOULE, "--disk: cannot open %s%s: %s%s",
			path, write ? " for writing" : "", error_text(errno),
			write && errno != ENOENT && errno != EISDIR
				? "; ',ro' only reads it"
				: "");
	err = size_of(fd, path, ret_bytes, why);
	if (!err)
		err = use(fd, path, !write, why);
	if (!err)
		*ret_fd = steal_fd(&fd);
	return err;
}

/** sync_name() - the directory knows the new file, also after a crash. */
static int sync_name(const char *path)
{
	cleanup_free char *copy = strdup(path);
	cleanup_fd int fd = -1;

	if (!copy)
		return -ENOMEM;
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): cleanup frees */
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): cleanup frees */
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/** format() - an empty file becomes an overlay that hides nothing. Its map has
 * all the space it will need, so that a full disk never keeps a flush from
 * saying what it has stored. */
static int format(int fd, const char *path, uint64_t disk_bytes)
{
	struct overlay_header header = overlay_layout(disk_bytes);
	int err;

	if (fallocate(fd, 0, 0, (off_t)(header.map_offset + header.map_bytes)) <
		    0 &&
	    errno != EOPNOTSUPP)
		return -errno;
	if (ftruncate(fd, (off_t)(header.data_offset + disk_bytes)) < 0)
		return -errno;
	err = fd_write_all(fd, &header, sizeof(header));
	if (err)
		return err;
	return fsync(fd) < 0 ? -errno : sync_name(path);
}

static int open_overlay(const char *path, uint64_t disk_bytes, int *ret_fd,
			struct problem *why)
{
	cleanup_fd int fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		     0600);
	struct stat st;
	int err;

	if (fd < 0 || fstat(fd, &st) < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "--disk: cannot open the overlay %s: %s",
				   path, error_text(errno));
	if (!S_ISREG(st.st_mode))
		return problem_set(why, EXIT_AMPOULE,
				   "--disk: the overlay %s is no regular file",
				   path);
	err = use(fd, path, false, why);
	if (err)
		return err;
	if (!st.st_size)
		err = format(fd, path, disk_bytes);
	if (err)
		return problem_set(why, EXIT_AMPOULE,
				   "--disk: cannot make the overlay %s: %s",
				   path, error_text(err));
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int add(struct device_set *set, const char *text, unsigned number,
	       struct problem *why)
{
	cleanup_disk_option struct disk_option o;
	const char *wrong = disk_option_parse(text, &o);
	struct plan_device dev = {.kind = PLAN_DEVICE_BLOCK};
	cleanup_fd int overlay = -1;
	int fd[2] = {-1, -1}, err;

	if (wrong)
		return problem_set(why, EXIT_AMPOULE, "--disk: '%s' %s", text,
				   wrong);
	dev.u.block = o.block;
	dev.flags = o.read_only ? PLAN_BLOCK_READ_ONLY : 0;
	if (!o.block.serial[0])
		(void)snprintf(dev.u.block.serial, sizeof(dev.u.block.serial),
			       "disk%u", number);
	err = open_disk(o.path, !o.read_only && !o.block.overlay, &fd[0],
			&dev.u.block.bytes, why);
	if (err)
		return err;
	if (o.overlay) {
		err = open_overlay(o.overlay, dev.u.block.bytes, &overlay, why);
		if (err) {
			cleanup_fd_run(&fd[0]);
			return err;
		}
		fd[1] = steal_fd(&overlay);
	}
	return device_set_add(set, &dev, fd, o.overlay ? 2 : 1, why);
}

/** add_image() - the root is the first disk. A comma of its name is written
 * twice, as in an option. */
static int add_image(struct device_set *set, const char *path,
		     struct problem *why)
{
	static const char ending[] = ",ro,serial=image";
	cleanup_free char *text = malloc(2 * strlen(path) + sizeof(ending));
	size_t at = 0;

	if (!text)
		return problem_set(why, EXIT_AMPOULE, "out of memory");
	for (; *path; path++) {
		text[at++] = *path;
		if (*path == ',')
			text[at++] = ',';
	}
	memcpy(text + at, ending, sizeof(ending));
	return add(set, text, 0, why); /* NOLINT: cleanup frees */
}

static bool has_image(const struct settings *s)
{
	return s->image && s->image_on_disk;
}

int device_block_open(struct device_set *set, const struct settings *s,
		      struct problem *why)
{
	int err = has_image(s) ? add_image(set, s->image, why) : 0;

	for (size_t i = 0; !err && i < s->disks.count; i++)
		err = add(set, s->disks.item[i], (unsigned)i, why);
	return err;
}

uint32_t device_block_threads(const struct settings *s, const struct plan *plan)
{
	/* The kernel's belong to the thread that submits: vCPUs, the loop. */
	uint64_t all = plan->pids_max;

	uint64_t disks = s->disks.count + has_image(s);

	if (disks)
		all += THREADS_A_DISK * (plan->cpus + 1 + disks);
	return all < PLAN_PIDS_MAX ? (uint32_t)all : PLAN_PIDS_MAX;
}
