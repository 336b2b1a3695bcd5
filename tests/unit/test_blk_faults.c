/* SPDX-License-Identifier: Apache-2.0 */
/* test_blk_faults.c - a disk whose host's file fails, is slow, or is limited:
 * no byte is lost, nothing is called stable that is not, and no page of the
 * guest is touched after a reset. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/clock.h"
#include "tests/unit/blk_rig.h"
#include "tests/unit/state_rig.h"

#define OK    VIRTIO_BLK_S_OK
#define IOERR VIRTIO_BLK_S_IOERR

static struct blk_rig rig;
static const struct blk_config plain;

static void close_rig(void)
{
	blk_rig_close(&rig);
}

TestSuite(blk_faults, .fini = close_rig);

static void fail_next(enum blk_op op, int error, unsigned count)
{
	struct rig_faults *f = blk_rig_faults(&rig);

	f->op = op;
	f->error = error;
	f->count = count;
}

Test(blk_faults, an_error_is_the_guests_and_one_line)
{
	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	fail_next(BLK_READ, EIO, 1);
	cr_expect(!blk_rig_read(&rig, 9, 512, 9));
	cr_expect_eq(rig.told, 1);
	cr_expect_eq(rig.failure.error, EIO);
	cr_expect_eq(rig.failure.sector, 9);
	cr_expect_str_eq(rig.failure.what, "read");
	cr_expect(blk_rig_read(&rig, 9, 512, 9), "the next one is well");
	cr_expect(!drv_broken(&rig.drv));
}

Test(blk_faults, a_full_disk)
{
	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	fail_next(BLK_WRITE, ENOSPC, 1);
	cr_expect(!blk_rig_write(&rig, 9, 512, 0xaa));
	cr_expect_eq(rig.failure.error, ENOSPC);
	cr_expect(blk_rig_file(&rig, 0, 9 * 512, 512, 9));
	cr_expect(blk_rig_write(&rig, 9, 512, 0xaa));
}

Test(blk_faults, the_log_is_bounded)
{
	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	fail_next(BLK_READ, EIO, 1000);
	for (unsigned i = 0; i < 1000; i++)
		cr_assert(!blk_rig_read(&rig, 0, 512, 0));
	cr_expect_eq(rig.told, 10); /* 1, 2, 4, ... 512 */
	cr_expect_eq(rig.failure.count, 512);
}

static const int passing[] = {EINTR, EAGAIN};

Test(blk_faults, an_interrupted_call_is_made_again)
{
	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	for (unsigned i = 0; i < 2; i++) {
		fail_next(BLK_READ, passing[i], 5);
		cr_expect(blk_rig_read(&rig, 3, 1024 - 512, 3));
		fail_next(BLK_WRITE, passing[i], 5);
		cr_expect(blk_rig_write(&rig, 3, 512, 3));
		fail_next(BLK_SYNC, passing[i], 5);
		cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), OK);
	}
	cr_expect_eq(rig.told, 0);
	fail_next(BLK_READ, EAGAIN, 100000);
	cr_expect(!blk_rig_read(&rig, 3, 512, 3), "but not for ever");
	blk_rig_faults(&rig)->count = 0;
}

/** short_by() - every I/O moves at most @most bytes; the request is whole. */
static void short_by(int64_t most)
{
	struct rig_faults *f = blk_rig_faults(&rig);

	f->error = 0;
	f->most = most;
	f->op = BLK_WRITE;
	f->count = 1000;
	cr_expect(blk_rig_write(&rig, 40, 4096, (uint8_t)most), "%d",
		  (int)most);
	cr_expect(blk_rig_file(&rig, 0, 40 * 512, 4096, (uint8_t)most));
	cr_expect(blk_rig_file(&rig, 0, 48 * 512, 512, 48));
	f->op = BLK_READ;
	f->count = 1000;
	cr_expect(blk_rig_read(&rig, 40, 4096, (uint8_t)most));
	f->count = 0;
}

Test(blk_faults, short_reads_and_writes_go_on)
{
	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	short_by(7);
	short_by(512);
	short_by(513);
	short_by(4095);
	cr_expect_eq(rig.told, 0);
}

Test(blk_faults, a_file_that_became_shorter)
{
	blk_rig_open(&rig, RIG_URING, &plain, 0);
	cr_assert(!ftruncate(rig.fd[0], 100 * 512));
	cr_expect(blk_rig_read(&rig, 99, 512, 99));
	cr_expect(!blk_rig_read(&rig, 100, 512, 100));
	cr_expect(!blk_rig_read(&rig, 99, 1024, 99));
	cr_expect_eq(rig.failure.error, EIO);
}

Test(blk_faults, a_failed_flush_is_not_forgotten)
{
	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	cr_expect(blk_rig_write(&rig, 1, 512, 0x11));
	fail_next(BLK_SYNC, EIO, 1);
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), IOERR);
	/* The kernel would say yes now, of pages that it has dropped. */
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), IOERR);
	cr_expect(!blk_rig_write(&rig, 2, 512, 0x22));
	cr_expect(blk_rig_file(&rig, 0, 2 * 512, 512, 2));
	cr_expect(blk_rig_read(&rig, 3, 512, 3));
	cr_expect_eq(rig.told, 1);
}

Test(blk_faults, a_flush_waits_for_the_file)
{
	struct rig_faults *f;

	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	f = blk_rig_faults(&rig);
	f->hold = true;
	blk_rig_send(&rig, VIRTIO_BLK_T_FLUSH, 0, 0);
	blk_rig_send(&rig, VIRTIO_BLK_T_FLUSH, 0, 0);
	blk_rig_kick(&rig);
	cr_expect_eq(drv_used_count(&rig.drv, 0), 0);
	cr_expect_eq(f->begun, 1, "the second one is not covered by it");
	blk_rig_release(&rig);
	cr_expect(blk_rig_wait(&rig, 2));
	cr_expect_eq(f->begun, 2);
}

/** write_through() - how a driver asks for it. */
static void write_through(void)
{
	uint8_t off = 0;

	vmmio_write(&rig.drv.m,
		    VIRTIO_MMIO_CONFIG +
			    offsetof(struct virtio_blk_config, wce),
		    &off, 1);
}

Test(blk_faults, write_through_is_stable_when_answered)
{
	struct rig_faults *f;

	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	f = blk_rig_faults(&rig);
	cr_expect(blk_rig_write(&rig, 1, 512, 1));
	cr_expect_eq(f->begun, 1);
	write_through();
	cr_expect(blk_rig_write(&rig, 1, 512, 1));
	cr_expect_eq(f->begun, 3, "a write and a sync");
	fail_next(BLK_SYNC, EIO, 1);
	cr_expect(!blk_rig_write(&rig, 1, 512, 1));
}

Test(blk_faults, without_flush_all_is_write_through)
{
	blk_rig_open(&rig, RIG_FAULTY, &plain, 1ull << VIRTIO_BLK_F_SEG_MAX);
	cr_expect(blk_rig_write(&rig, 1, 512, 1));
	cr_expect_eq(blk_rig_faults(&rig)->begun, 2);
}

Test(blk_faults, what_cannot_be_punched_is_written)
{
	struct virtio_blk_discard_write_zeroes range = {
		.sector = 8, .num_sectors = 1024, .flags = 1};
	struct rig_faults *f;

	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	f = blk_rig_faults(&rig);
	fail_next(BLK_PUNCH, EOPNOTSUPP, 2);
	memcpy(blk_rig_data(&rig, 0), &range, sizeof(range));
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_WRITE_ZEROES, 0, 16), OK);
	cr_expect(blk_rig_file(&rig, 0, 8 * 512, 1024 * 512, 0));
	cr_expect(blk_rig_file(&rig, 0, 1032 * 512, 512, 1032 & 0xff));
	range.flags = 0;
	memcpy(blk_rig_data(&rig, 1), &range, sizeof(range));
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_DISCARD, 0, 16), OK,
		     "a hint");
	cr_expect_eq(f->count, 0);
	cr_expect_eq(rig.told, 0);
}

Test(blk_faults, a_reset_waits_for_what_is_in_flight)
{
	uint8_t *data;
	unsigned slot;

	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	blk_rig_faults(&rig)->hold = true;
	slot = blk_rig_send(&rig, VIRTIO_BLK_T_IN, 7, 512);
	data = blk_rig_data(&rig, slot);
	memset(data, 0xee, 512);
	blk_rig_kick(&rig);
	cr_expect_eq(data[0], 0xee);
	drv_set(&rig.drv, VIRTIO_MMIO_STATUS, 0);
	cr_expect_eq(drv_get(&rig.drv, VIRTIO_MMIO_STATUS), 0);
	cr_expect_eq(data[0], 7, "before the reset was reported");
	cr_expect_eq(blk_rig_faults(&rig)->waits, 1);
	memset(data, 0xee, 512);
	blk_rig_release(&rig);
	cr_expect_eq(data[0], 0xee);
	drv_start(&rig.drv, rig.drv.vd->features, BLK_QUEUE_SIZE);
	rig.next = 0;
	cr_expect(blk_rig_read(&rig, 3, 512, 3));
}

static const enum rig_engine real[] = {RIG_URING, RIG_THREADS};

Test(blk_faults, resets_at_any_moment)
{
	for (unsigned n = 0; n < 2; n++) {
		if (n)
			blk_rig_close(&rig);
		blk_rig_open(&rig, real[n], &plain, 0);
		for (unsigned round = 0; round < 200; round++) {
			for (unsigned i = 0; i < round % RIG_SLOTS; i++)
				blk_rig_send(&rig,
					     i % 3 ? VIRTIO_BLK_T_OUT
						   : VIRTIO_BLK_T_IN,
					     64 * i, RIG_DATA_BYTES);
			blk_rig_kick(&rig);
			drv_start(&rig.drv, rig.drv.vd->features,
				  BLK_QUEUE_SIZE);
			rig.next = 0;
		}
		cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), OK);
		cr_expect(!drv_broken(&rig.drv));
	}
}

Test(blk_faults, more_requests_than_the_ring_has)
{
	struct drv_used used;
	unsigned slot;

	blk_rig_open(&rig, RIG_FAULTY, &plain, 0);
	blk_rig_faults(&rig)->hold = true;
	slot = blk_rig_send(&rig, VIRTIO_BLK_T_IN, 0, 512);
	/* The same chain over and over, as no honest driver would. */
	for (unsigned i = 0; i < 3 * BLK_QUEUE_SIZE; i++) {
		drv_offer(&rig.drv, 0, (uint16_t)(3 * slot));
		if (i % 64 == 63)
			blk_rig_kick(&rig);
	}
	cr_expect(blk_rig_faults(&rig)->begun <= BLK_QUEUE_SIZE);
	blk_rig_release(&rig);
	cr_expect(blk_rig_wait(&rig, 1));
	while (drv_take(&rig.drv, 0, &used))
		cr_expect_eq(used.id, 3 * slot);
}

Test(blk_faults, a_rate_of_requests)
{
	const struct blk_config slow = {.rate_ops = {100, 10}};
	uint64_t begin;

	blk_rig_open(&rig, RIG_URING, &slow, 0);
	begin = clock_now_ns();
	for (unsigned i = 0; i < 30; i++)
		blk_rig_send(&rig, VIRTIO_BLK_T_IN, i, 512);
	blk_rig_kick(&rig);
	cr_expect(blk_rig_wait(&rig, 30));
	/* 10 at once, 20 more at 100 a second: never faster. */
	cr_expect(clock_now_ns() - begin >= 199 * NS_PER_MS);
}

Test(blk_faults, a_rate_of_bytes_larger_than_a_request)
{
	const struct blk_config slow = {.rate_bytes = {65536, 4096}};
	uint64_t begin;

	blk_rig_open(&rig, RIG_THREADS, &slow, 0);
	begin = clock_now_ns();
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_IN, 0, 16384), OK);
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_IN, 0, 4096), OK);
	/* The first is let through on credit: 16 KiB and 4 KiB, less a burst
	 * of 4 KiB, at 64 KiB a second. */
	cr_expect(clock_now_ns() - begin >= 249 * NS_PER_MS);
}

Test(blk_faults, a_limited_request_survives_a_pause)
{
	const struct blk_config slow = {.rate_ops = {20, 1}};

	blk_rig_open(&rig, RIG_URING, &slow, 0);
	for (unsigned i = 0; i < 3; i++)
		blk_rig_send(&rig, VIRTIO_BLK_T_IN, i, 512);
	blk_rig_kick(&rig);
	cr_expect(blk_rig_wait(&rig, 1));
	vdev_lock(rig.drv.vd);
	cr_expect_eq(vdev_pause(rig.drv.vd), 0);
	vdev_resume(rig.drv.vd);
	vdev_unlock(rig.drv.vd);
	cr_expect(blk_rig_wait(&rig, 3));
	cr_expect_eq(drv_used_count(&rig.drv, 0), 3);
}

/** another() - a device over the same files; a borrowed loop. */
static struct vdev *another(void *arg)
{
	struct blk_config c = {.bytes = RIG_DISK_BYTES, .loop = rig.loop};
	struct vdev *vd;

	(void)arg;
	cr_assert_eq(blk_uring_new(rig.fd, 1, &c.engine), 0);
	cr_assert_eq(blk_new(&c, &vd), 0);
	return vd;
}

Test(blk_faults, goes_on_in_another_process)
{
	blk_rig_open(&rig, RIG_URING, &plain, 0);
	write_through();
	for (unsigned i = 0; i < 20; i++)
		blk_rig_send(&rig, VIRTIO_BLK_T_OUT, i, 512);
	blk_rig_kick(&rig);
	/* The loop's thread must not be inside the device that goes away. */
	loop_stop(rig.loop);
	pthread_join(rig.thread, NULL);
	state_move(&rig.drv, another(NULL));
	cr_expect_eq(drv_used_count(&rig.drv, 0), 20);
	cr_expect_eq(drv_get(&rig.drv,
			     VIRTIO_MMIO_CONFIG +
				     offsetof(struct virtio_blk_config, wce)) &
			     0xff,
		     0);
	state_abuse(&rig.drv, another, NULL);
	blk_rig_spin(&rig);
	rig.drv.ring[0].seen_used = (uint16_t)(rig.drv.ring[0].seen_used + 20);
	cr_expect(blk_rig_read(&rig, 100, 512, 100));
}

/** A file system of 256 KiB, where root may mount one. */
Test(blk_faults, a_file_system_that_is_full)
{
	char dir[] = "/tmp/ampoule-full-XXXXXX", path[64];
	struct virtio_blk_discard_write_zeroes all = {
		.num_sectors = RIG_DISK_BYTES / 512};
	unsigned failed = 0;
	int fd;

	blk_rig_open(&rig, RIG_URING, &plain, 0);
	cr_assert(mkdtemp(dir));
	if (mount("none", dir, "tmpfs", 0, "size=256k")) {
		cr_assert_eq(errno, EPERM);
		rmdir(dir);
		cr_skip_test("only root mounts a file system of its own");
	}
	(void)snprintf(path, sizeof(path), "%s/disk", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert(fd >= 0 && !ftruncate(fd, RIG_DISK_BYTES));
	blk_rig_detach(&rig);
	cr_assert_eq(dup3(fd, rig.fd[0], O_CLOEXEC), rig.fd[0]);
	close(fd);
	umount2(dir, MNT_DETACH);
	rmdir(dir);
	blk_rig_attach(&rig, RIG_URING, &plain, 0);
	for (unsigned i = 0; i < RIG_DISK_BYTES / RIG_DATA_BYTES; i++)
		failed += !blk_rig_write(&rig, i * (RIG_DATA_BYTES / 512),
					 RIG_DATA_BYTES, 0x77);
	cr_expect(failed > 20 && failed < 32, "%u", failed);
	cr_expect_eq(rig.failure.error, ENOSPC);
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_FLUSH, 0, 0), OK);
	cr_expect(blk_rig_read(&rig, 0, 4096, 0x77));
	memcpy(blk_rig_data(&rig, rig.next % RIG_SLOTS), &all, sizeof(all));
	cr_expect_eq(blk_rig_do(&rig, VIRTIO_BLK_T_DISCARD, 0, 16), OK);
	cr_expect(blk_rig_write(&rig, 1024, 4096, 0x55), "there is room again");
}
