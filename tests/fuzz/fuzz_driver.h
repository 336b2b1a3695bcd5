/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_driver.h - what the fuzzers share: an input that is read as a stream,
 * and a small guest whose every byte the input can write.
 *
 * Linked with libFuzzer (clang, -Dfuzzers=true) a fuzz_*.c is a fuzzer; linked
 * with replay.c it runs its corpus once, as a unit test. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices-virtio/mmio.h"

#define FUZZ_MEM_BYTES   0x10000u /* at gpa 0 */
#define FUZZ_QUEUE_BYTES 0x1000u  /* fuzz_start(): queue n at n * this */
#define FUZZ_QUEUE_SIZE  16u
#define FUZZ_AVAIL       0x200u
#define FUZZ_USED        0x400u
#define FUZZ_OPS_MAX     512u

struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

struct fuzz_guest {
	uint8_t *mem;
	struct gmem gm;
	struct vmmio m;
	struct vdev *vd;
	unsigned interrupts;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** fuzz_take() - the next @len bytes into @dst; zeroes after the end. */
void fuzz_take(struct fuzz_input *in, void *dst, size_t len);
uint8_t fuzz_u8(struct fuzz_input *in);
uint16_t fuzz_u16(struct fuzz_input *in);
uint32_t fuzz_u32(struct fuzz_input *in);
uint64_t fuzz_u64(struct fuzz_input *in);

/** fuzz_memory() - fresh zeroed memory, mapped once a process. */
void fuzz_memory(struct fuzz_guest *g);
/** fuzz_attach() - @vd behind a transport over that memory. */
void fuzz_attach(struct fuzz_guest *g, struct vdev *vd);
/** fuzz_start() - the well-formed start of a driver, up to DRIVER_OK. */
void fuzz_start(struct fuzz_guest *g, uint64_t features);
/** fuzz_write() - a 4-byte register write. */
void fuzz_write(struct fuzz_guest *g, uint32_t reg, uint32_t value);
/** fuzz_poke() - let the input write up to 64 bytes of guest memory. */
void fuzz_poke(struct fuzz_guest *g, struct fuzz_input *in);
/** fuzz_access() - let the input load from or store to any register. */
void fuzz_access(struct fuzz_guest *g, struct fuzz_input *in);
/** fuzz_request() - put a chain of one descriptor, chosen by the input, on a
 * queue of its choice and kick. */
void fuzz_request(struct fuzz_guest *g, struct fuzz_input *in);
