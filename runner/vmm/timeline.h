/* SPDX-License-Identifier: Apache-2.0 */
/* timeline.h - when the steps of a start happened (enum report_stamp). */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

#include "base/report.h"

struct timeline {
	/* 0: did not happen; any thread marks */
	_Atomic uint64_t ns[REPORT_STAMPS_MAX];
	uint64_t base_ns, base_tsc; /* the same moment */
	_Atomic uint64_t tsc_khz;   /* 0: not calibrated yet */
};

/** timeline_calibrate() - from now on time is read from the TSC: threads whose
 * policy has no clock_gettime mark, too, and not every host has a vDSO clock.
 * @tsc_khz: 0 when it is not known; then time stands still. */
void timeline_calibrate(struct timeline *tl, uint32_t tsc_khz);
/** timeline_now_ns() - CLOCK_MONOTONIC, as well as calibrated. */
uint64_t timeline_now_ns(const struct timeline *tl);
/** timeline_mark() - stamp @id with the present time; the first mark stays. */
void timeline_mark(struct timeline *tl, enum report_stamp id);
/** timeline_mark_at() - the same with a time measured elsewhere. */
void timeline_mark_at(struct timeline *tl, enum report_stamp id, uint64_t ns);
/** timeline_fill() - a REPORT_TIMELINE message of all marks so far. */
void timeline_fill(const struct timeline *tl, struct report_msg *ret);
