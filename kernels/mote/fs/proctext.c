/* SPDX-License-Identifier: Apache-2.0 */
/* proctext.c - /proc files about the machine and the kernel, as proc(5). */
#include "kernels/mote/fs/proctext.h"

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/process.h"
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

static uint32_t process_count(void)
{
	uint32_t count = 0;

	LIST_EACH(at, process_all())
		count++;
	return count;
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
	text_add(t, "Active:         %8lu kB\n", kib(pages_total()) - free);
	text_add(t, "Inactive:       %8u kB\n", 0u);
	text_add(t, "Dirty:          %8u kB\n", 0u);
	text_add(t, "Writeback:      %8u kB\n", 0u);
	text_add(t, "AnonPages:      %8lu kB\n", kib(pages_total()) - free);
	text_add(t, "Mapped:         %8u kB\n", 0u);
	text_add(t, "Shmem:          %8u kB\n", 0u);
	text_add(t, "Slab:           %8u kB\n", 0u);
	text_add(t, "SReclaimable:   %8u kB\n", 0u);
	text_add(t, "SUnreclaim:     %8u kB\n", 0u);
	text_add(t, "CommitLimit:    %8lu kB\n", kib(pages_total()));
	text_add(t, "Committed_AS:   %8lu kB\n", kib(pages_total()) - free);
	text_add(t, "HugePages_Total:%8u\n", 0u);
	text_add(t, "HugePages_Free: %8u\n", 0u);
	text_add(t, "Hugepagesize:   %8u kB\n", 2048u);
}

static void add_cpu_line(struct text *t, const char *name, uint64_t user,
			 uint64_t idle)
{
	text_add(t, "%s %lu 0 0 %lu 0 0 0 0 0 0\n", name, user, idle);
}

void proctext_stat(struct text *t)
{
	uint32_t cpus = proctext_cpus();
	uint64_t ticks = clock_monotonic_ns() / NS_PER_TICK * cpus;
	uint64_t idle = MIN(ticks, sched_idle_ns() / NS_PER_TICK);
	uint64_t boot = (clock_realtime_ns() - clock_monotonic_ns()) / NS_PER_S;

	add_cpu_line(t, "cpu ", ticks - idle, idle);
	for (uint32_t i = 0; i < cpus; i++) {
		char name[16];

		ksnprintf(name, sizeof(name), "cpu%u", i);
		add_cpu_line(t, name, (ticks - idle) / cpus, idle / cpus);
	}
	text_add(t, "intr 0\nctxt %lu\nbtime %lu\nprocesses %u\n",
		 sched_switches(), boot, process_count());
	text_add(t, "procs_running %u\nprocs_blocked 0\nsoftirq 0\n",
		 sched_runnable());
}

void proctext_uptime(struct text *t)
{
	uint64_t hundredths = clock_monotonic_ns() / NS_PER_TICK;
	uint64_t idle = sched_idle_ns() / NS_PER_TICK;

	text_add(t, "%lu.%02lu %lu.%02lu\n", hundredths / 100, hundredths % 100,
		 idle / 100, idle % 100);
}

/* Averages are not kept: nobody decides by them in so small a machine. */
void proctext_loadavg(struct text *t)
{
	uint32_t last = 0;

	LIST_EACH(at, process_all())
		last = (uint32_t)container_of(at, struct process, in_all)->pid;
	text_add(t, "0.00 0.00 0.00 %u/%u %u\n", sched_runnable(),
		 process_count(), last);
}

void proctext_vmstat(struct text *t)
{
	text_add(t, "nr_free_pages %lu\nnr_zone_inactive_anon 0\n",
		 pages_free());
	text_add(t, "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n"
		    "pgfault 0\npgmajfault 0\noom_kill 0\n");
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
