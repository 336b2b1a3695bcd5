/* SPDX-License-Identifier: Apache-2.0 */
/* blk_rig.c - see blk_rig.h. Aborts when the test itself is wrong. */
#include "tests/unit/blk_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/abi/overlay.h"

/* Slot n of the driver's memory: header, status, data. */
#define HEADER_AT (DRV_DATA - 0x10000u)
#define STATUS_AT (DRV_DATA - 0x8000u)

struct faulty {
	struct blk_engine engine;
	const struct blk_rig *rig;
	struct rig_faults faults;
	struct blk_io *held, *over;
};

static void must(bool ok)
{
	if (!ok)
		abort();
}

static int64_t perform(struct faulty *f, const struct blk_io *io)
{
	struct rig_faults *faults = &f->faults;
	int fd = f->rig->fd[io->file], mode = FALLOC_FL_KEEP_SIZE;
	struct iovec cut = {0};
	int64_t n;

	if (faults->count && io->op == faults->op) {
		if (faults->skip) {
			faults->skip--;
		} else {
			faults->count--;
			if (faults->error)
				return -faults->error;
			if (io->op != BLK_READ && io->op != BLK_WRITE)
				return 0;
			cut = io->iov[0];
			if ((int64_t)cut.iov_len > faults->most)
				cut.iov_len = (size_t)faults->most;
		}
	}
	switch (io->op) {
	case BLK_READ:
		n = cut.iov_base ? preadv(fd, &cut, 1, (off_t)io->offset)
				 : preadv(fd, io->iov, (int)io->iov_count,
					  (off_t)io->offset);
		break;
	case BLK_WRITE:
		n = cut.iov_base ? pwritev(fd, &cut, 1, (off_t)io->offset)
				 : pwritev(fd, io->iov, (int)io->iov_count,
					   (off_t)io->offset);
		break;
	case BLK_SYNC:
		n = fdatasync(fd);
		break;
	default:
		mode |= io->op == BLK_PUNCH ? FALLOC_FL_PUNCH_HOLE
					    : FALLOC_FL_ZERO_RANGE;
		n = fallocate(fd, mode, (off_t)io->offset, (off_t)io->bytes);
	}
	return n < 0 ? -errno : n;
}

static void move(struct faulty *f)
{
	while (f->held) {
		struct blk_io *io = f->held;

		f->held = io->next;
		io->result = perform(f, io);
		io->next = f->over;
		f->over = io;
	}
}

static void faulty_submit(struct blk_engine *e, struct blk_io *io)
{
	struct faulty *f = (struct faulty *)e;

	f->faults.begun++;
	io->next = f->held;
	f->held = io;
	if (!f->faults.hold)
		move(f);
}

static void faulty_commit(struct blk_engine *e)
{
	(void)e;
}

static struct blk_io *faulty_reap(struct blk_engine *e)
{
	struct faulty *f = (struct faulty *)e;
	struct blk_io *io = f->over;

	if (io)
		f->over = io->next;
	return io;
}

static void faulty_wait(struct blk_engine *e)
{
	struct faulty *f = (struct faulty *)e;

	f->faults.waits++;
	must(f->held != NULL); /* or it waits for ever */
	move(f);
}

static void faulty_listen(struct blk_engine *e, bool on)
{
	(void)e;
	(void)on;
}

static void faulty_free(struct blk_engine *e)
{
	close(e->event_fd);
	free(e);
}

static const struct blk_engine_ops faulty_ops = {
	.submit = faulty_submit,
	.commit = faulty_commit,
	.reap = faulty_reap,
	.wait = faulty_wait,
	.listen = faulty_listen,
	.free = faulty_free,
};

static struct blk_engine *new_faulty(const struct blk_rig *rig)
{
	struct faulty *f = calloc(1, sizeof(*f));

	must(f != NULL);
	f->engine.ops = &faulty_ops;
	f->engine.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->rig = rig;
	return &f->engine;
}

struct rig_faults *blk_rig_faults(struct blk_rig *rig)
{
	must(rig->engine->ops == &faulty_ops);
	return &((struct faulty *)rig->engine)->faults;
}

void blk_rig_release(struct blk_rig *rig)
{
	struct faulty *f = (struct faulty *)rig->engine;

	vdev_lock(rig->drv.vd);
	f->faults.hold = false;
	move(f);
	vdev_unlock(rig->drv.vd);
	f->engine.ended(f->engine.ctx);
}

static int start_thread(void *(*fn)(void *), void *arg)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, fn, arg);

	if (!err)
		pthread_detach(thread);
	return -err;
}

static struct blk_engine *new_engine(const struct blk_rig *rig,
				     enum rig_engine which, unsigned files)
{
	const struct blk_thread_host host = {.start = start_thread};
	struct blk_engine *e = NULL;

	if (which == RIG_FAULTY)
		return new_faulty(rig);
	if (which == RIG_URING)
		must(!blk_uring_new(rig->fd, files, &e));
	else
		must(!blk_threads_new(rig->fd, files, 3, &host, &e));
	return e;
}

static void on_failure(void *ctx, const struct blk_failure *failure)
{
	struct blk_rig *rig = ctx;

	rig->failure = *failure;
	rig->told++;
}

static void *run_loop(void *arg)
{
	must(!loop_run(arg));
	return NULL;
}

void blk_rig_spin(struct blk_rig *rig)
{
	must(!pthread_create(&rig->thread, NULL, run_loop, rig->loop));
}

void blk_rig_attach(struct blk_rig *rig, enum rig_engine engine,
		    const struct blk_config *config, uint64_t features)
{
	struct blk_config c = *config;
	struct vdev *vd;

	memset(&rig->drv, 0, sizeof(rig->drv));
	rig->next = rig->told = 0;
	must(!loop_new(&rig->loop));
	c.bytes = RIG_DISK_BYTES;
	c.loop = rig->loop;
	c.engine = rig->engine = new_engine(rig, engine, c.overlay ? 2 : 1);
	c.overlay_fd = rig->fd[1];
	c.failed = on_failure;
	c.ctx = rig;
	must(!blk_new(&c, &vd));
	drv_attach(&rig->drv, vd);
	drv_start(&rig->drv, features ? features : vd->features,
		  BLK_QUEUE_SIZE);
	blk_rig_spin(rig);
}

void blk_rig_open(struct blk_rig *rig, enum rig_engine engine,
		  const struct blk_config *config, uint64_t features)
{
	struct overlay_header header = overlay_layout(RIG_DISK_BYTES);
	uint8_t sector[BLK_SECTOR];

	memset(rig, 0, sizeof(*rig));
	for (unsigned i = 0; i < 2; i++) {
		char path[] = "/tmp/ampoule-blk-XXXXXX";

		rig->fd[i] = mkostemp(path, O_CLOEXEC);
		must(rig->fd[i] >= 0 && !unlink(path));
	}
	for (unsigned n = 0; n < RIG_DISK_BYTES / BLK_SECTOR; n++) {
		memset(sector, (int)n, sizeof(sector));
		must(pwrite(rig->fd[0], sector, sizeof(sector),
			    (off_t)n * BLK_SECTOR) == sizeof(sector));
	}
	must(!ftruncate(rig->fd[1],
			(off_t)(header.data_offset + RIG_DISK_BYTES)));
	if (config->overlay == PLAN_OVERLAY_FILE)
		must(pwrite(rig->fd[1], &header, sizeof(header), 0) ==
		     sizeof(header));
	blk_rig_attach(rig, engine, config, features);
}

void blk_rig_detach(struct blk_rig *rig)
{
	loop_stop(rig->loop);
	pthread_join(rig->thread, NULL);
	drv_done(&rig->drv);
	loop_free(rig->loop);
}

void blk_rig_close(struct blk_rig *rig)
{
	blk_rig_detach(rig);
	close(rig->fd[0]);
	close(rig->fd[1]);
}

uint8_t *blk_rig_data(struct blk_rig *rig, unsigned slot)
{
	return drv_at(&rig->drv, DRV_DATA + (uint64_t)slot * RIG_DATA_BYTES);
}

uint8_t blk_rig_status(struct blk_rig *rig, unsigned slot)
{
	const uint8_t *at = drv_at(&rig->drv, STATUS_AT + slot);

	return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

unsigned blk_rig_send(struct blk_rig *rig, uint32_t type, uint64_t sector,
		      uint32_t bytes)
{
	const struct virtio_blk_outhdr header = {.type = type,
						 .sector = sector};
	unsigned slot = rig->next++ % RIG_SLOTS, d = 3 * slot;
	uint64_t at = HEADER_AT + slot * sizeof(header);
	uint16_t in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID
			      ? VRING_DESC_F_WRITE
			      : 0;

	must(bytes <= RIG_DATA_BYTES);
	memcpy(drv_at(&rig->drv, at), &header, sizeof(header));
	memset(drv_at(&rig->drv, STATUS_AT + slot), RIG_PENDING, 1);
	drv_put(&rig->drv, 0, d,
		(struct vring_desc){at, sizeof(header), VRING_DESC_F_NEXT,
				    (uint16_t)(d + (bytes ? 1 : 2))});
	drv_put(&rig->drv, 0, d + 1,
		(struct vring_desc){DRV_DATA + (uint64_t)slot * RIG_DATA_BYTES,
				    bytes, in | VRING_DESC_F_NEXT,
				    (uint16_t)(d + 2)});
	drv_put(&rig->drv, 0, d + 2,
		(struct vring_desc){STATUS_AT + slot, 1, VRING_DESC_F_WRITE,
				    0});
	drv_offer(&rig->drv, 0, (uint16_t)d);
	return slot;
}

void blk_rig_kick(struct blk_rig *rig)
{
	drv_kick(&rig->drv, 0);
}

bool blk_rig_wait(struct blk_rig *rig, unsigned count)
{
	const struct timespec pause = {0, 200000};

	for (unsigned i = 0; i < 50000; i++) {
		if (drv_used_count(&rig->drv, 0) >= count)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

uint8_t blk_rig_do(struct blk_rig *rig, uint32_t type, uint64_t sector,
		   uint32_t bytes)
{
	unsigned slot = blk_rig_send(rig, type, sector, bytes);
	struct drv_used used;

	blk_rig_kick(rig);
	if (!blk_rig_wait(rig, 1) || !drv_take(&rig->drv, 0, &used))
		return RIG_PENDING;
	return used.id == 3 * slot ? blk_rig_status(rig, slot) : RIG_PENDING;
}

static bool full_of(const uint8_t *p, size_t bytes, uint8_t byte)
{
	for (size_t i = 0; i < bytes; i++) {
		if (p[i] != byte)
			return false;
	}
	return true;
}

bool blk_rig_write(struct blk_rig *rig, uint64_t sector, uint32_t bytes,
		   uint8_t byte)
{
	memset(blk_rig_data(rig, rig->next % RIG_SLOTS), byte, bytes);
	return blk_rig_do(rig, VIRTIO_BLK_T_OUT, sector, bytes) ==
	       VIRTIO_BLK_S_OK;
}

bool blk_rig_read(struct blk_rig *rig, uint64_t sector, uint32_t bytes,
		  uint8_t byte)
{
	unsigned slot = rig->next % RIG_SLOTS;

	memset(blk_rig_data(rig, slot), ~byte, bytes);
	return blk_rig_do(rig, VIRTIO_BLK_T_IN, sector, bytes) ==
		       VIRTIO_BLK_S_OK &&
	       full_of(blk_rig_data(rig, slot), bytes, byte);
}

bool blk_rig_file(const struct blk_rig *rig, unsigned file, uint64_t at,
		  size_t bytes, uint8_t byte)
{
	uint8_t *p = malloc(bytes);
	bool good;

	must(p && pread(rig->fd[file], p, bytes, (off_t)at) == (ssize_t)bytes);
	good = full_of(p, bytes, byte);
	free(p);
	return good;
}
