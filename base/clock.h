/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - the one place host time comes from. */
#pragma once
#include <stdint.h>

#define NS_PER_SEC 1000000000ull
#define NS_PER_MS  1000000ull

/** clock_now_ns() - CLOCK_MONOTONIC, the time base of every stamp, timer and
 * deadline. Cannot fail; needs no system call where there is a vDSO. */
uint64_t clock_now_ns(void);
