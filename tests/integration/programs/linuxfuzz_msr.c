/* SPDX-License-Identifier: Apache-2.0 */
/* linuxfuzz_msr.c - random MSRs, by Linux's module msr. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "linuxfuzz.h"

#define CPUS 4

static int device[CPUS];
static unsigned count;

bool msr_open(void)
{
	char path[32];

	while (count < CPUS) {
		(void)snprintf(path, sizeof(path), "/dev/cpu/%u/msr", count);
		device[count] = open(path, O_RDWR | O_CLOEXEC);
		if (device[count] < 0)
			break;
		count++;
	}
	return count > 0;
}

/** choose() - one of the ranges in which there are any: the architecture's,
 * x2APIC, KVM's own (old and new), Hyper-V's, AMD's two. */
static uint32_t choose(struct whim *w)
{
	static const struct {
		uint32_t first, bytes;
	} range[] = {
		{0, 0x800},         {0x800, 0x100},      {0xc00, 0x400},
		{0x11, 2},          {0x4b564d00, 0x10},  {0x40000000, 0x120},
		{0xc0000080, 0x90}, {0xc0010000, 0x400},
	};
	unsigned n = whim_below(w, COUNT(range));

	if (whim_one_in(w, 20))
		return (uint32_t)whim_any(w);
	return range[n].first + whim_below(w, range[n].bytes);
}

/** is_deadly() - the kernel stops sooner or later when this is wrong: its entry
 * points, timers, clock, interrupts. */
static bool is_deadly(uint32_t msr)
{
	return msr <= 0x1b || (msr >= 0x174 && msr <= 0x176) || msr == 0x277 ||
	       msr == 0x6e0 || (msr >= 0x800 && msr <= 0x8ff) ||
	       (msr >= 0x4b564d00 && msr <= 0x4b564d0f) ||
	       (msr >= 0xc0000080 && msr <= 0xc0000103);
}

bool msr_act(struct whim *w, bool gentle)
{
	int fd;
	uint32_t msr = choose(w);
	uint64_t value = 0;

	if (!count)
		return false;
	fd = device[whim_below(w, count)];
	if (pread(fd, &value, sizeof(value), msr) < 0)
		value = 0;
	if (whim_one_in(w, 2) || (gentle && is_deadly(msr)))
		return true;
	value = whim_one_in(w, 2) ? value ^ 1ull << whim_below(w, 64)
				  : whim_edge(w);
	(void)pwrite(fd, &value, sizeof(value), msr);
	return true;
}
