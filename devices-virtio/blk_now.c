/* SPDX-License-Identifier: Apache-2.0 */
/* blk_now.c - see blk_now.h. */
#include "devices-virtio/blk_now.h"

#include <errno.h>
#include <sys/uio.h>
#include <x86intrin.h>

/* 5 to 10 ms on the processors of today. A copy takes microseconds, but on a
 * crowded host its thread may have to wait for a CPU meanwhile. */
#define SLOW_CYCLES (1u << 24)
/* So at most a third of the time is spent waiting; and one long stop (a signal,
 * a debugger) is forgotten after some seconds. */
#define REST    2u
#define LONGEST (1ull << 32)

bool blk_patience_has(const struct blk_patience *p, uint64_t now)
{
	return now - p->since >= p->rest;
}

void blk_patience_took(struct blk_patience *p, uint64_t begun, uint64_t ended)
{
	uint64_t took = ended > begun ? ended - begun : 0;

	if (took < SLOW_CYCLES)
		return;
	p->since = ended;
	p->rest = REST * (took < LONGEST ? took : LONGEST);
}

static bool read_now(int fd, struct blk_io *io)
{
	ssize_t n = preadv2(fd, io->iov, (int)io->iov_count, (off_t)io->offset,
			    RWF_NOWAIT);

	/* Not in memory; or a file that cannot tell. */
	if (n < 0 && (errno == EAGAIN || errno == EOPNOTSUPP))
		return false;
	io->result = n < 0 ? -errno : n;
	return true;
}

static bool write_now(struct blk_patience *p, int fd, struct blk_io *io)
{
	uint64_t begun = __rdtsc();
	ssize_t n;

	if (!blk_patience_has(p, begun))
		return false;
	n = pwritev2(fd, io->iov, (int)io->iov_count, (off_t)io->offset, 0);
	io->result = n < 0 ? -errno : n;
	blk_patience_took(p, begun, __rdtsc());
	return true;
}

bool blk_now(struct blk_patience *p, int fd, struct blk_io *io)
{
	if (io->op == BLK_READ)
		return read_now(fd, io);
	return io->op == BLK_WRITE && write_now(p, fd, io);
}
