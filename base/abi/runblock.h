/* SPDX-License-Identifier: Apache-2.0 */
/* runblock.h - which program the guest runs, with what arguments. Interface
 * only.
 *
 * The control plane writes it as the first entry of the initrd, a file named
 * RUNBLOCK_NAME, so that every VMM and every guest kernel gets it the same
 * way. A fixed header, then `string_bytes` of NUL-terminated strings in this
 * order: program path, working directory, argc arguments (argv[0] on), envc
 * environment entries. */
#pragma once
#include <stdint.h>

#define RUNBLOCK_NAME    "ampoule.run"
#define RUNBLOCK_MAGIC   0x4e555250u /* "PRUN" */
#define RUNBLOCK_VERSION 1u

enum runblock_stream { /* what the host's side of a stream is */
	RUNBLOCK_STREAM_CLOSED = 0,
	RUNBLOCK_STREAM_NULL = 1, /* /dev/null: no port needed */
	RUNBLOCK_STREAM_PIPE = 2, /* pipe, socket, file, anything not a tty */
	RUNBLOCK_STREAM_TTY = 3,
};

struct runblock {
	uint32_t magic;
	uint32_t version;
	uint32_t total_bytes; /* header and strings */
	uint32_t string_bytes;
	uint32_t argc; /* >= 1 */
	uint32_t envc;
	uint32_t uid;
	uint32_t gid;
	uint8_t stream[4]; /* stdin, stdout, stderr: enum runblock_stream; [3] 0
			    */
	uint16_t tty_rows;
	uint16_t tty_cols;
	uint32_t flags; /* RUNBLOCK_FLAG_* */
};

#define RUNBLOCK_FLAG_VERBOSE 1u /* report missing system calls at the end */

/* The root is an image, not the initrd: an EROFS filesystem on the first pmem
 * device, or else on the first block device. The initrd then holds the run
 * block and files that go over the image's, nothing of which is needed to start
 * the program: its path, argv[0] of the image, is looked up there, along PATH
 * of the environment when it has no slash in it. A working directory that is
 * missing is an error. */
#define RUNBLOCK_FLAG_ROOT_IMAGE 2u
/* What is written to the root goes to memory, over the image; without it the
 * root cannot be written (EROFS). Only with RUNBLOCK_FLAG_ROOT_IMAGE. */
#define RUNBLOCK_FLAG_OVERLAY 4u
