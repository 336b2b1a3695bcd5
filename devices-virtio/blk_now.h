/* SPDX-License-Identifier: Apache-2.0 */
/* blk_now.h - an I/O that is made at once, by the thread that asks for it:
 * where the host's page cache gives or takes the bytes, that is a copy, and
 * handing it to another thread would cost two changes of threads.
 *
 *	read    only what is in memory (RWF_NOWAIT)
 *	write   until one was slow: then not for a while, for the host's disk
 *	        is what it waited for (throttled, or a page to be read first)
 *
 * Trusts: the engine. Must not: wait twice in a row for a slow disk. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "devices-virtio/blk_engine.h"

/* How long a thread was kept waiting, and how long it therefore stays away from
 * it. Cycles of the TSC: its thread may have no other clock. */
struct blk_patience {
	uint64_t since, rest;
};

/** blk_patience_has() - may a write be made at once? */
bool blk_patience_has(const struct blk_patience *p, uint64_t now);
/** blk_patience_took() - a write went on from @begun to @ended. */
void blk_patience_took(struct blk_patience *p, uint64_t begun, uint64_t ended);

/** blk_now() - make a READ or WRITE on @fd, if that is to be had without
 * waiting. Return: true: @io->result says how it ended. */
bool blk_now(struct blk_patience *p, int fd, struct blk_io *io);
