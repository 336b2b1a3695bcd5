/* SPDX-License-Identifier: Apache-2.0 */
/* usage.h - struct rusage. */
#pragma once
#include <stdint.h>

struct usage;

/** usage_put() - write @u as a struct rusage to user address @to. 0, -EFAULT.
 */
int usage_put(uint64_t to, const struct usage *u);
