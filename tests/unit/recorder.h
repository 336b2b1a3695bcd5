/* SPDX-License-Identifier: Apache-2.0 */
/* recorder.h - what the fake driver of a unit test does, written down as a
 * session (tests/fuzz/session.h) for the fuzzers to begin with. It does so when
 * AMPOULE_RECORD names a directory: a file ID-HASH there for each device that a
 * test drove, ID being the virtio device id. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_driver;
struct recorder;

/** recorder_new() - NULL when nothing is to be recorded. @kind: instead of the
 * device's id, or NULL. */
struct recorder *recorder_new(const struct fake_driver *d, const char *kind);

/** recorder_access() - a register access is about to be made; what the driver
 * wrote to its memory since the last one comes first. @other: of the second
 * space. NULL @r is legal, here and below. */
void recorder_access(struct recorder *r, bool other, bool write,
		     uint32_t offset, const void *data, size_t len);

/** recorder_seen() - the access is over: what the device wrote is not the
 * driver's doing. */
void recorder_seen(struct recorder *r);

/** recorder_state() - @bytes of saved @state and the driver's memory as an
 * input of fuzz_state.c, in a file state-HASH. */
void recorder_state(const struct fake_driver *d, const uint8_t *state,
		    size_t bytes);

/** recorder_free() - write the file. */
void recorder_free(struct recorder *r);
