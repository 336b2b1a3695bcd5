/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_engine.c - see fuzz_engine.h. */
#include "tests/fuzz/fuzz_engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/abi/overlay.h"

#define FILE_BYTES (2 * OVERLAY_DATA_STEP + FUZZ_DISK_BYTES)

static struct blk_io *first, *over; /* oldest first; ended */
static struct blk_io **last = &first;
static bool hold;
static unsigned kind; /* of the disk, as fuzz_disk_new() was told */
static uint8_t file[BLK_FILES_MAX][FILE_BYTES];

static void must(bool ok)
{
	if (!ok)
		abort();
}

/** length() - of an I/O, which has to lie in its file. */
static uint64_t length(const struct blk_io *io)
{
	uint64_t bytes = 0, from = 0, end = FUZZ_DISK_BYTES;

	must(io->file < ((kind & 6) ? 2u : 1u));
	must(io->op <= BLK_ZERO);
	must(io->op == BLK_READ || io->file == 1 || !(kind & 7));
	if (io->op == BLK_SYNC)
		return 0;
	if (io->op == BLK_PUNCH || io->op == BLK_ZERO)
		bytes = io->bytes;
	else
		must(io->iov_count && io->iov_count <= VQ_SIZE_MAX);
	for (uint32_t i = 0; !io->bytes && i < io->iov_count; i++)
		bytes += io->iov[i].iov_len;
	if ((kind & 4) && io->file == 1) {
		struct overlay_header h = overlay_layout(FUZZ_DISK_BYTES);

		from = io->offset < h.data_offset ? h.map_offset
						  : h.data_offset;
		end = io->offset < h.data_offset
			      ? h.map_offset + h.map_bytes
			      : h.data_offset + FUZZ_DISK_BYTES;
	}
	must(bytes && io->offset >= from && bytes <= end &&
	     io->offset <= end - bytes);
	return bytes;
}

/** move() - up to @most bytes between the file and the spans. */
static int64_t move(const struct blk_io *io, uint64_t most)
{
	uint64_t done = 0;

	for (uint32_t i = 0; i < io->iov_count && done < most; i++) {
		uint8_t *at = file[io->file] + io->offset + done;
		size_t n = io->iov[i].iov_len;

		if (n > most - done)
			n = most - done;
		if (io->op == BLK_READ)
			memcpy(io->iov[i].iov_base, at, n);
		else
			memcpy(at, io->iov[i].iov_base, n);
		done += n;
	}
	return (int64_t)done;
}

/** end() - the oldest I/O. @most: bytes; @error: instead. */
static void end(uint64_t most, int error)
{
	struct blk_io *io = first;
	uint64_t bytes = length(io);

	first = io->next;
	if (!first)
		last = &first;
	if (error)
		io->result = -error;
	else if (io->op == BLK_READ || io->op == BLK_WRITE)
		io->result = move(io, most < bytes ? most : bytes);
	else
		io->result = 0;
	if (!error && (io->op == BLK_PUNCH || io->op == BLK_ZERO))
		memset(file[io->file] + io->offset, 0, bytes);
	io->next = over;
	over = io;
}

static void submit(struct blk_engine *e, struct blk_io *io)
{
	(void)e;
	(void)length(io);
	io->next = NULL;
	*last = io;
	last = &io->next;
	if (!hold)
		end(UINT64_MAX, 0);
}

static void commit(struct blk_engine *e)
{
	(void)e;
}

static struct blk_io *reap(struct blk_engine *e)
{
	struct blk_io *io = over;

	(void)e;
	if (io)
		over = io->next;
	return io;
}

static void wait_for_one(struct blk_engine *e)
{
	(void)e;
	must(first != NULL); /* or the device waits for ever */
	hold = false;
	while (first)
		end(UINT64_MAX, 0);
}

static void listen_to(struct blk_engine *e, bool on)
{
	(void)e;
	(void)on;
}

static struct blk_engine *newest; /* of those that there are at once */

static void end_engine(struct blk_engine *e)
{
	must(!first && !over);
	if (newest == e)
		newest = NULL;
	close(e->event_fd);
	free(e);
}

static const struct blk_engine_ops ops = {
	.submit = submit,
	.commit = commit,
	.reap = reap,
	.wait = wait_for_one,
	.listen = listen_to,
	.free = end_engine,
};

void fuzz_disk_host(void *unused, struct fuzz_input *in)
{
	static const int errors[] = {EIO, ENOSPC, EINTR, EAGAIN, EOPNOTSUPP};
	uint8_t what = fuzz_u8(in);

	(void)unused;
	if (what & 0x80) {
		hold = what & 1;
		return;
	}
	if (!first || !newest)
		return;
	if (what < sizeof(errors) / sizeof(errors[0]))
		end(0, errors[what]);
	else
		end(what < 64 ? fuzz_u16(in) : UINT64_MAX, 0);
	newest->ended(newest->ctx);
}

/** new_overlay() - a file with nothing in it but its header. */
static int new_overlay(void)
{
	struct overlay_header header = overlay_layout(FUZZ_DISK_BYTES);
	int fd = memfd_create("overlay", MFD_CLOEXEC);

	must(fd >= 0 && !ftruncate(fd, FILE_BYTES) &&
	     pwrite(fd, &header, sizeof(header), 0) == sizeof(header));
	return fd;
}

struct vdev *fuzz_disk_new(struct loop *loop, unsigned how)
{
	static int overlay_fd = -1;
	struct blk_config config = {
		.bytes = FUZZ_DISK_BYTES,
		.read_only = how & 1,
		.engine = calloc(1, sizeof(*config.engine)),
		.serial = "fuzz",
		.loop = loop,
	};
	struct vdev *vd;

	if (overlay_fd < 0)
		overlay_fd = new_overlay();
	config.overlay_fd = overlay_fd;
	if (how & 4)
		config.overlay = PLAN_OVERLAY_FILE;
	else if (how & 2)
		config.overlay = PLAN_OVERLAY_MEMORY;
	kind = how & (config.read_only ? 1u : 7u);
	if (config.read_only)
		config.overlay = PLAN_OVERLAY_NONE;
	hold = false;
	newest = config.engine;
	must(newest != NULL);
	newest->ops = &ops;
	newest->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	must(!blk_new(&config, &vd));
	return vd;
}
