/* SPDX-License-Identifier: Apache-2.0 */
/* harness.h - the harness device as guest and VMM see it. Interface only; no
 * code. Everything the guest writes here is hostile to the VMM.
 *
 * A virtio device (vendor-specific id) without queues. Its configuration
 * space (virtio-mmio offset 0x100 on) is a set of doorbells: a write acts
 * before the guest's next instruction. Registers are 8 bytes wide, naturally
 * aligned and accessed with one 8-byte access (HARNESS_PENDING: 4 or 8).
 *
 *   0x00 r  MAGIC     HARNESS_MAGIC in the low half, version in the high half
 *   0x08 w  EXIT      bits 0..31: status as wait(2) encodes it. Ends the VM.
 *   0x10 w  READY     TSC ticks since kernel entry; the program's first
 *                     instruction is next
 *   0x18 w  REPORT    gpa of a struct harness_report
 *   0x28 r  PENDING   HARNESS_REQ_* asked by the host; reading clears them.
 *                     A configuration interrupt announces a change.
 *   0x30 w  POWEROFF  ends the VM without a program's status (panic, nothing
 *                     to run); any value
 *   0x38 r  TERMINAL  bits 16..31: rows, 0..15: columns of the host's terminal
 *                     when HARNESS_REQ_WINCH was asked last; 0: never
 */
#pragma once
#include <stdint.h>

#define HARNESS_DEVICE_ID 0xffff0001u /* outside what virtio 1.2, 5 lists */
#define HARNESS_MAGIC     0x4f504d41u /* "AMPO" */
#define HARNESS_VERSION   1u

#define HARNESS_REG_MAGIC    0x00
#define HARNESS_REG_EXIT     0x08
#define HARNESS_REG_READY    0x10
#define HARNESS_REG_REPORT   0x18
#define HARNESS_REG_PENDING  0x28
#define HARNESS_REG_POWEROFF 0x30
#define HARNESS_REG_TERMINAL 0x38
#define HARNESS_CONFIG_BYTES 0x40

#define HARNESS_REQ_TERM 1u /* host got SIGTERM: deliver it */
#define HARNESS_REQ_INT  2u /* host got SIGINT */
/* The terminal's size changed: for who has no driver of the console that would
 * hear of it (RESIZE, virtio 1.2, 5.3.6.2). */
#define HARNESS_REQ_WINCH 4u
#define HARNESS_REQ_HUP   8u  /* host got SIGHUP */
#define HARNESS_REQ_QUIT  16u /* host got SIGQUIT */
/* The balloon has a target: a driver that was not started so far should be. */
#define HARNESS_REQ_BALLOON 32u

/* What REPORT points to: header, then `bytes` of payload of that type. */
enum harness_report_type {
	HARNESS_REPORT_MISSING = 1, /* struct harness_missing[] */
	HARNESS_REPORT_CRASH = 2,   /* struct harness_crash */
	HARNESS_REPORT_PANIC = 3,   /* text, not NUL-terminated */
	HARNESS_REPORT_OOM = 4,     /* struct harness_oom */
};
#define HARNESS_REPORT_MAX 512u /* payload bytes */

struct harness_report {
	uint32_t type;
	uint32_t bytes;
	uint8_t payload[HARNESS_REPORT_MAX];
};

struct harness_missing { /* one system call the kernel does not have */
	uint32_t number;
	uint32_t count;
};

struct harness_crash { /* the program ended by a signal of its own making */
	uint32_t signal;
	int32_t si_code;
	uint64_t address; /* si_addr */
	uint64_t rip;
	char comm[16];
};

struct harness_oom {
	uint64_t pages_total;
	uint64_t pages_free;
	char comm[16];
};
