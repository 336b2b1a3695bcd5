/* SPDX-License-Identifier: Apache-2.0 */
/* missing.c - counters for the report: a bounded table, so that a program
 * that tries every number costs nothing but a slot each. */
#include "kernels/mote/proc/missing.h"

#include "base/abi/harness.h"
#include "kernels/mote/drv/harness.h"

#define MISSING_MAX 48u

static struct {
	struct harness_missing slot[MISSING_MAX];
	uint32_t used;
} missing;

void missing_count(uint64_t number)
{
	uint32_t i = 0;

	while (i < missing.used && missing.slot[i].number != number)
		i++;
	if (i == MISSING_MAX)
		return;
	if (i == missing.used)
		missing.slot[missing.used++].number = (uint32_t)number;
	missing.slot[i].count++;
}

void missing_report(void)
{
	if (missing.used)
		harness_report_missing(missing.slot, missing.used);
}
