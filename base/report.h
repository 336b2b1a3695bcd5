/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what jailer and VMM tell the control plane: fixed-size messages
 * over a SOCK_SEQPACKET socket, one way. The receiver trusts none of it: a
 * captured VMM may send anything, so text is printed only after
 * report_sanitize(). */
#pragma once
#include <stdarg.h>
#include <stdint.h>

#include "base/net_drop.h"

#define REPORT_VERSION      1u
#define REPORT_TEXT_BYTES   400u
#define REPORT_STAMPS_MAX   24u
#define REPORT_THREAD_BYTES 16u

enum report_type {
	REPORT_ERROR = 1,     /* text: Ampoule failed; exit code in value */
	REPORT_LOG = 2,       /* text, level in value */
	REPORT_EXIT = 3,      /* value: wait(2) status of the program */
	REPORT_CRASH = 4,     /* crash */
	REPORT_MISSING = 5,   /* missing, count in value */
	REPORT_OOM = 6,       /* oom */
	REPORT_TIMELINE = 7,  /* stamps, count in value */
	REPORT_USAGE = 8,     /* usage: counters at the end */
	REPORT_FORBIDDEN = 9, /* forbidden; value 1: made nevertheless */
	REPORT_STARTED = 10,  /* the VM is built, the guest runs next */
	REPORT_SERIAL = 11,   /* text of the serial port, bytes in value */
	REPORT_NETWORK = 12,  /* network: packets, dropped ones by reason */
};

enum report_stamp {              /* the start-up timeline, CLOCK_MONOTONIC */
	STAMP_PROCESS_START = 1, /* ampoule's main() */
	STAMP_PACKED,            /* initrd ready */
	STAMP_JAILER_START,
	STAMP_JAILER_DONE, /* just before execveat */
	STAMP_VMM_START,
	STAMP_VM_CREATED,
	STAMP_KERNEL_PLACED,
	STAMP_FIRST_RUN, /* first KVM_RUN */
	STAMP_KERNEL_ENTRY,
	STAMP_PROGRAM_START, /* READY doorbell */
	STAMP_PROGRAM_EXIT,  /* EXIT doorbell */
	STAMP_VMM_END,       /* last thing the VMM does */
	STAMP_RESULT,        /* the control plane knows the status */
	STAMP_PROCESS_END,
};

struct report_msg {
	uint32_t version;
	uint32_t type;
	uint32_t value;
	uint32_t reserved;
	union {
		char text[REPORT_TEXT_BYTES];
		struct {
			uint32_t signal;
			int32_t si_code;
			uint64_t address, rip;
			char comm[16];
		} crash;
		struct {
			uint32_t number, count;
		} missing[50];
		struct {
			uint64_t pages_total, pages_free;
			char comm[16];
		} oom;
		struct {
			uint64_t id, ns;
		} stamp[REPORT_STAMPS_MAX];
		struct {
			uint64_t exits_mmio, exits_io, exits_hlt, exits_other;
			uint64_t bytes_in, bytes_out;
		} usage;
		struct net_usage network;
		struct { /* a system call that no policy allows */
			char thread[REPORT_THREAD_BYTES];
			uint32_t call, arch; /* AUDIT_ARCH_* */
			uint64_t ip, base;   /* base: of the VMM's program */
			uint64_t arg[6];
		} forbidden;
	} u;
};

/** report_send() - send one message; never blocks for longer than the socket
 * buffer is full. By writev(2), which every thread of a VMM may call.
 * Async-signal-safe. Return: 0 or -errno (EPIPE: the control plane is gone). */
int report_send(int fd, const struct report_msg *msg);

/** report_fill_error() - a REPORT_ERROR with a formatted line, to be sent.
 * @code: the exit code asked for (125, 124). */
__attribute__((format(printf, 3, 0))) void
report_fill_error(struct report_msg *ret, uint32_t code, const char *fmt,
		  va_list ap);

/** report_error() - send REPORT_ERROR with a formatted line; falls back to
 * stderr when @fd < 0. */
__attribute__((format(printf, 3, 4))) void report_error(int fd, uint32_t code,
							const char *fmt, ...);

/** report_sanitize() - make text safe for a terminal: terminates it, and
 * replaces every byte outside 0x20..0x7e by '?'. */
void report_sanitize(char *text, uint32_t cap);
