/* SPDX-License-Identifier: Apache-2.0 */
/* proctext.c - /proc files about the machine and the kernel, as proc(5). */
#include "kernels/mote/fs/proctext.h"

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/random.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/uname.h"

#define LINE_MAX    256u
#define NS_PER_S    1000000000ull
#define NS_PER_TICK 10000000ull /* USER_HZ = 100 */

void text_raw(struct text *t, const char *src, uint64_t bytes)
{
	if (t->bytes + bytes > t->cap) {
		uint64_t cap = MAX(2 * t->cap, t->bytes + bytes + LINE_MAX);
		char *larger = kmalloc(cap);

		if (!larger) {
			t->failed = true;
			return;
		}
		memcpy(larger, t->start, t->bytes);
		kfree(t->start);
		t->start = larger;
		t->cap = cap;
	}
	memcpy(t->start + t->bytes, src, bytes);
	t->bytes += bytes;
}

void text_add(struct text *t, const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	text_raw(t, line, kvsnprintf(line, sizeof(line), fmt, ap));
	va_end(ap);
}

static uint64_t kib(uint64_t pages)
{
	return pages * (PAGE_SIZE / 1024);
}

void proctext_meminfo(struct text *t)
{
	uint64_t free = kib(pages_free());

	text_add(t, "MemTotal:       %8lu kB\n", kib(pages_total()));
	text_add(t, "MemFree:        %8lu kB\n", free);
	text_add(t, "MemAvailable:   %8lu kB\n", free);
	text_add(t, "Buffers:        %8u kB\n", 0u);
	text_add(t, "Cached:         %8u kB\n", 0u);
	text_add(t, "SwapCached:     %8u kB\n", 0u);
	text_add(t, "SwapTotal:      %8u kB\n", 0u);
	text_add(t, "SwapFree:       %8u kB\n", 0u);
	text_add(t, "Shmem:          %8u kB\n", 0u);
	text_add(t, "HugePages_Total:%8u\n", 0u);
	text_add(t, "HugePages_Free: %8u\n", 0u);
	text_add(t, "Hugepagesize:   %8u kB\n", 2048u);
}

/* The brand string, as the processor tells it; cpuid is not privileged. */
/* NOLINTNEXTLINE(readability-non-const-parameter): written by the assembler */
static void cpu_leaf(uint32_t leaf, uint32_t out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]),
			   "=d"(out[3])
			 : "a"(leaf), "c"(0));
}

void proctext_cpuinfo(struct text *t)
{
	uint32_t id[4], version[4], brand[13] = {0};

	cpu_leaf(0, id);
	cpu_leaf(1, version);
	for (uint32_t i = 0; i < 3; i++)
		cpu_leaf(0x80000002 + i, &brand[4ul * i]);
	text_add(t, "processor\t: 0\nvendor_id\t: ");
	text_raw(t, (char *)&id[1], 4);
	text_raw(t, (char *)&id[3], 4);
	text_raw(t, (char *)&id[2], 4);
	text_add(t, "\ncpu family\t: %u\n",
		 (version[0] >> 8 & 15) + (version[0] >> 20 & 255));
	text_add(t, "model\t\t: %u\n",
		 (version[0] >> 4 & 15) | (version[0] >> 12 & 0xf0));
	if (brand[0]) /* not every host shows it to the kernel */
		text_add(t, "model name\t: %s\n", (char *)brand);
	text_add(t, "stepping\t: %u\n", version[0] & 15);
	text_add(t, "siblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\n");
	text_add(t, "fpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\n");
	text_add(t, "flags\t\t: fpu tsc msr cx8 cmov fxsr sse sse2 syscall nx "
		    "lm constant_tsc hypervisor\n");
	text_add(t, "clflush size\t: 64\ncache_alignment\t: 64\n\n");
}

void proctext_stat(struct text *t)
{
	uint64_t ticks = clock_monotonic_ns() / NS_PER_TICK;
	uint64_t boot = (clock_realtime_ns() - clock_monotonic_ns()) / NS_PER_S;

	text_add(t, "cpu  %lu 0 0 0 0 0 0 0 0 0\n", ticks);
	text_add(t, "cpu0 %lu 0 0 0 0 0 0 0 0 0\n", ticks);
	text_add(t, "intr 0\nctxt 0\nbtime %lu\nprocesses 1\n", boot);
	text_add(t, "procs_running 1\nprocs_blocked 0\n");
}

void proctext_uptime(struct text *t)
{
	uint64_t hundredths = clock_monotonic_ns() / NS_PER_TICK;

	text_add(t, "%lu.%02lu 0.00\n", hundredths / 100, hundredths % 100);
}

void proctext_version(struct text *t)
{
	text_add(t, "%s version %s (mote) %s\n", UNAME_SYSNAME, UNAME_RELEASE,
		 UNAME_VERSION);
}

void proctext_osrelease(struct text *t)
{
	text_add(t, "%s\n", UNAME_RELEASE);
}

void proctext_hostname(struct text *t)
{
	text_add(t, "%s\n", UNAME_NODENAME);
}

/* A random (version 4) UUID, RFC 4122. */
static void add_uuid(struct text *t, const uint8_t random[16])
{
	for (unsigned i = 0; i < 16; i++) {
		unsigned byte = random[i];

		if (i == 6)
			byte = 0x40 | (byte & 0x0f);
		if (i == 8)
			byte = 0x80 | (byte & 0x3f);
		text_add(t,
			 i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x"
							       : "%02x",
			 byte);
	}
	text_add(t, "\n");
}

void proctext_uuid(struct text *t)
{
	uint8_t random[16];

	random_bytes(random, sizeof(random));
	add_uuid(t, random);
}

void proctext_boot_id(struct text *t)
{
	static uint8_t random[16]; /* the same until the machine ends */
	static bool made;

	if (!made)
		random_bytes(random, sizeof(random));
	made = true;
	add_uuid(t, random);
}
