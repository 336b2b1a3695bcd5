/* SPDX-License-Identifier: Apache-2.0 */
/* blk_rig.h - a block device over real files, a driver for it, and an engine
 * that fails as it is told. */
#pragma once
#include <pthread.h>

#include "base/loop.h"
#include "devices-virtio/blk.h"
#include "tests/unit/fake_driver.h"

#define RIG_DISK_BYTES (1u << 20)
#define RIG_PENDING    0xff    /* status byte before an answer */
#define RIG_SLOTS      32u     /* requests that a rig can have out */
#define RIG_DATA_BYTES 0x8000u /* room for data of each */

enum rig_engine {
	RIG_URING,
	RIG_THREADS,
	RIG_FAULTY
};

/* What the engine that fails does next; all are counted down to 0. */
struct rig_faults {
	enum blk_op op; /* of which operation */
	unsigned skip;  /* so many go well before */
	unsigned count; /* so many fail */
	int error;      /* with this errno; 0: short, see below */
	int64_t most;   /* bytes moved by a short one */
	bool hold;      /* keep all until rig_release() or a wait */
	unsigned waits; /* how often the device waited */
	unsigned begun; /* I/Os submitted so far */
};

struct blk_rig {
	struct fake_driver drv;
	struct loop *loop;
	pthread_t thread;
	int fd[2];
	struct blk_engine *engine;  /* borrowed from the device */
	struct blk_failure failure; /* the last one told */
	unsigned told;
	unsigned next; /* slot of the next request */
};

/** rig_open() - files of RIG_DISK_BYTES, a device of @config's settings over
 * them (engine and loop are filled in), started with @features, all offered if
 * 0. The disk's sector n is full of the byte n. */
void blk_rig_open(struct blk_rig *rig, enum rig_engine engine,
		  const struct blk_config *config, uint64_t features);
/** blk_rig_attach() - only the device, over files that are open. */
void blk_rig_attach(struct blk_rig *rig, enum rig_engine engine,
		    const struct blk_config *config, uint64_t features);
void blk_rig_close(struct blk_rig *rig);
/** blk_rig_spin() - run the loop, which a test has stopped, again. */
void blk_rig_spin(struct blk_rig *rig);
/** blk_rig_detach() - undo blk_rig_attach(), keep the files. */
void blk_rig_detach(struct blk_rig *rig);

struct rig_faults *blk_rig_faults(struct blk_rig *rig);
void blk_rig_release(struct blk_rig *rig);

/** blk_rig_data() - the data of slot @slot in the driver's memory. */
uint8_t *blk_rig_data(struct blk_rig *rig, unsigned slot);

/** blk_rig_send() - offer a request without a kick. Return: its slot. */
unsigned blk_rig_send(struct blk_rig *rig, uint32_t type, uint64_t sector,
		      uint32_t bytes);
void blk_rig_kick(struct blk_rig *rig);
/** blk_rig_wait() - until @count answers are in the used ring, or 10 s. */
bool blk_rig_wait(struct blk_rig *rig, unsigned count);
uint8_t blk_rig_status(struct blk_rig *rig, unsigned slot);
/** blk_rig_do() - send, kick, wait, take. Return: the status. */
uint8_t blk_rig_do(struct blk_rig *rig, uint32_t type, uint64_t sector,
		   uint32_t bytes);
/** blk_rig_write(), blk_rig_read() - one request of sectors full of @byte, or
 * that have to be. Return: status 0 and, read, the bytes as expected. */
bool blk_rig_write(struct blk_rig *rig, uint64_t sector, uint32_t bytes,
		   uint8_t byte);
bool blk_rig_read(struct blk_rig *rig, uint64_t sector, uint32_t bytes,
		  uint8_t byte);
/** blk_rig_file() - is [@at, @at + @bytes) of a file full of @byte? */
bool blk_rig_file(const struct blk_rig *rig, unsigned file, uint64_t at,
		  size_t bytes, uint8_t byte);
