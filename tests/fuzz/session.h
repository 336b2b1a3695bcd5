/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - what a driver did to a device, as bytes: recorded from the fake
 * driver of the unit tests (tests/unit/recorder.h), played by the fuzzers,
 * which change it. One format for all devices; a device's fuzzer begins with
 *
 *	if (session_is(&in))
 *		return session_play(&session, vd, &in, host, arg);
 *
 * The guest's memory is that of the fake driver: areas 0 to 15 are those of the
 * queues, 16 to 63 the 64 KiB pieces of the buffers, 64 the high region.
 *
 *   "SES1", then any number of these, numbers little-endian:
 *   0 write    u8 log2 of the width, u16 offset, the value
 *   1 read     u8 log2 of the width, u16 offset
 *   2 poke     u8 area, u16 offset, u8 bytes - 1 (% 64), the bytes
 *   3 fill     u8 area, u16 offset, u16 bytes, u8 value
 *   4 host     what the device's fuzzer reads: the host's side
 *   5 request  u8 queue, u8 descriptors - 1 (% 8), each: u8 area, u16 offset,
 *              u16 bytes, u8 flags (1 far, 2 writable); then a kick
 *   6, 7       write and read, in the other space that a transport has
 *
 * Trusts: nothing; after the end all is zero. At most SESSION_OPS ops. */
#pragma once
#include "tests/fuzz/fuzz_driver.h"

#define SESSION_MAGIC "SES1"
#define SESSION_AREAS 65u
#define SESSION_OPS   512u

enum session_op {
	SESSION_WRITE = 0,
	SESSION_READ = 1,
	SESSION_POKE = 2,
	SESSION_FILL = 3,
	SESSION_HOST = 4,
	SESSION_REQUEST = 5,
	SESSION_WRITE_OTHER = 6,
	SESSION_READ_OTHER = 7,
};

/* How a transport is reached, and its other space (PCI: configuration). */
struct session_port {
	void (*read)(void *ctx, uint32_t offset, void *data, size_t len);
	void (*write)(void *ctx, uint32_t offset, const void *data, size_t len);
	void *ctx;
};

struct session {
	uint8_t *mem, *high; /* mapped once, with guards around them */
	struct gmem gm;
	struct vmmio m;
	struct vdev *vd;
	struct session_port port, other; /* other: NULL functions are legal */
	unsigned interrupts;
};

/** session_is() - does the input begin like a session? Takes the magic. */
bool session_is(struct fuzz_input *in);

/** session_memory() - fresh zeroed memory of the fake driver's layout. */
void session_memory(struct session *s);

/** session_attach() - memory, and @vd behind virtio-mmio over it. */
void session_attach(struct session *s, struct vdev *vd);

/** session_run() - the ops of an input, on a device that is attached. @host:
 * op 4, or NULL. Aborts when the device's own claims contradict each other. */
void session_run(struct session *s, struct fuzz_input *in,
		 void (*host)(void *arg, struct fuzz_input *in), void *arg);

/** session_play() - attach, run, reset the device. Return: 0. */
int session_play(struct session *s, struct vdev *vd, struct fuzz_input *in,
		 void (*host)(void *arg, struct fuzz_input *in), void *arg);
