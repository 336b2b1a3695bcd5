/* SPDX-License-Identifier: Apache-2.0 */
/* device_block.c - the disks of a VM: their engine, and what the host's log
 * says of them. */
#include "runner/vmm/device_block.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "devices-virtio/blk.h"
#include "runner/vmm/guard.h"
#include "runner/vmm/thread.h"

#define THREADS 4u /* that wait for a disk; with the host's disks in mind */

static int start_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;

	return thread_start(&thread, fn, arg);
}

/** enter() - a thread that cannot put its policy on must not go on. */
static void enter(void)
{
	prctl(PR_SET_NAME, "io");
	if (guard_thread(POLICY_IO, "io"))
		_exit(125);
}

/** tell() - the disk's serial is what the user knows it by. */
static void tell(void *ctx, const struct blk_failure *f)
{
	const struct plan_device *dev = ctx;

	log_warn("disk %.20s: cannot %s at sector %llu: %s%s",
		 dev->u.block.serial, f->what, (unsigned long long)f->sector,
		 error_text(f->error),
		 f->count > 1 ? "; it has failed before" : "");
}

static int new_engine(const struct plan_block *block, const int *fd,
		      unsigned count, struct blk_engine **ret)
{
	const struct blk_thread_host host = {start_thread, enter};
	int err = -ENOSYS;

	if (block->engine != PLAN_ENGINE_THREADS)
		err = blk_uring_new(fd, count, ret);
	if (!err || block->engine == PLAN_ENGINE_URING)
		return err;
	return blk_threads_new(fd, count, THREADS, &host, ret);
}

/** new_memory() - where an overlay in memory keeps its data; sparse. */
static int new_memory(uint64_t bytes, int *ret)
{
	cleanup_fd int fd = memfd_create("overlay", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)bytes) < 0)
		return -errno;
	*ret = steal_fd(&fd);
	return 0;
}

int device_block_new(const struct device_env *env,
		     const struct plan_device *dev, struct vdev **ret)
{
	const struct plan_block *block = &dev->u.block;
	int fd[BLK_FILES_MAX] = {env->plan->fd[dev->fd_first], -1};
	struct blk_config config = {
		.bytes = block->bytes,
		.read_only = dev->flags & PLAN_BLOCK_READ_ONLY,
		.overlay = block->overlay,
		.rate_bytes = block->rate_bytes,
		.rate_ops = block->rate_ops,
		.loop = env->loop,
		.failed = tell,
		/* The plan is as old as the process. */
		.ctx = (void *)(uintptr_t)dev, /* NOLINT: not const there */
	};
	int err = 0;

	memcpy(config.serial, block->serial, sizeof(config.serial));
	if (block->overlay == PLAN_OVERLAY_FILE)
		fd[1] = env->plan->fd[dev->fd_first + 1];
	else if (block->overlay == PLAN_OVERLAY_MEMORY)
		err = new_memory(block->bytes, &fd[1]);
	config.overlay_fd = fd[1];
	*env->why = block->engine == PLAN_ENGINE_URING
			    ? "this host has no io_uring for a disk: leave "
			      "engine= out"
			    : NULL;
	if (!err)
		err = new_engine(block, fd, block->overlay ? 2 : 1,
				 &config.engine);
	if (err)
		return err;
	*env->why = block->overlay == PLAN_OVERLAY_FILE
			    ? "the overlay of a disk is no overlay, or one "
			      "over a disk of another size"
			    : NULL;
	return blk_new(&config, ret);
}
