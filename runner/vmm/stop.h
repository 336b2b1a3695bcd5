/* SPDX-License-Identifier: Apache-2.0 */
/* stop.h - the one place that decides how a VM ended. Any thread may end it:
 * the first one wins, reports (usage, timeline, and last the result) and ends
 * the process; later ones rest until that has happened. Nothing is joined or
 * freed, because a thread that hangs is a reason to stop, and because the host
 * tears the VM down after the result is out. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/report.h"
#include "runner/vmm/timeline.h"

#define STOP_FILES_MAX 8u

struct stop_file { /* of the host, mapped into the guest */
	const uint8_t *hva;
	uint64_t file_bytes; /* pages of it; the rest are zeroes */
	uint64_t bytes, gpa; /* of all */
};

struct stop {
	int report_fd; /* borrowed; -1: errors go to stderr */
	bool trace;    /* send the timeline */
	struct timeline *timeline;
	/* Fills ->u.usage; any thread; NULL before there is a VM. */
	void (*usage)(void *ctx, struct report_msg *msg);
	/* Fills ->u.network. Return: is there one? NULL as above. */
	bool (*network)(void *ctx, struct report_msg *msg);
	void *usage_ctx; /* of both */
	struct stop_file file[STOP_FILES_MAX];
	unsigned files;
	atomic_flag taken;
};

/** stop_exit() - the program ended. @status: as wait(2) encodes it. */
_Noreturn void stop_exit(struct stop *stop, uint32_t status);

/** stop_fail() - Ampoule, the host or the guest kernel failed.
 * @code: exit code, 125 or 124. @fmt: one line: what, where, why, what to do.
 */
__attribute__((format(printf, 3, 4))) _Noreturn void
stop_fail(struct stop *stop, uint32_t code, const char *fmt, ...);

/** stop_catch_sigbus() - from now on a page the host cannot provide (memfd
 * without memory, a file that became shorter) ends the VM with a line.
 * @stop: must outlive the process's last instruction but one. */
int stop_catch_sigbus(struct stop *stop);

/** stop_expect_file() - a file lies here: a page of it may be missing when
 * somebody makes it shorter. Phase: set-up. */
void stop_expect_file(struct stop *stop, const struct stop_file *file);

/** stop_lost_page() - the host has no page at guest address @gpa. @how:
 * "SIGBUS" or what KVM_RUN said. @known: is @gpa known? */
_Noreturn void stop_lost_page(struct stop *stop, bool known, uint64_t gpa,
			      const char *how);
