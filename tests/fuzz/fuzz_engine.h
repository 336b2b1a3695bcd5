/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_engine.h - a block device's files in memory, and an engine that does
 * what the input says. Aborts on an I/O that no disk may make. */
#pragma once
#include "devices-virtio/blk.h"
#include "tests/fuzz/fuzz_driver.h"

#define FUZZ_DISK_BYTES 0x100000u /* that of the unit tests, too */

struct loop;

/** fuzz_disk_new() - a disk of FUZZ_DISK_BYTES. @how: bits of what it is: 1
 * read-only, 2 an overlay in memory, 4 one in a file. */
struct vdev *fuzz_disk_new(struct loop *loop, unsigned how);

/** fuzz_disk_host() - what the host's side does next: hold or let go, end the
 * oldest I/O well, short or with an error. */
void fuzz_disk_host(void *unused, struct fuzz_input *in);
