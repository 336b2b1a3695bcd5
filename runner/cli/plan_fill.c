/* SPDX-License-Identifier: Apache-2.0 */
/* plan_fill.c - the plan of a VM from what the command line asks for.
 *
 *	0          kernel    ...free...    initrd | top of low memory
 *
 * The initrd goes as high as it can: what lies below stays one piece. */
#include "runner/cli/plan_fill.h"

#include "base/abi/bootinfo.h"
#include "base/error.h"
#include "base/plan.h"
#include "runner/cli/cgroup_limits.h"
#include "runner/cli/device_block.h"
#include "runner/cli/device_pmem.h"
#include "runner/cli/disk.h"
#include "runner/cli/kernel_elf.h"
#include "runner/cli/kernel_kaslr.h"
#include "runner/cli/linux_guest.h"
#include "runner/cli/parse.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"
#include "runner/cli/streams.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define PAGE_BYTES  4096ull
#define HUGE_BYTES  (2ull << 20)
#define SPARE_BYTES (2ull << 20) /* least room for the program itself */
/* Threads besides vCPUs: main and loop, and those that KVM adds. */
#define PIDS_LEAST  3u
#define PIDS_EXTRA  8u
#define FILES_LEAST 40u

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) & ~(unit - 1);
}

static int too_small(const struct settings *s, uint64_t need,
		     struct problem *why)
{
	char have_text[32], need_text[32], use_text[32];

	need = round_up(need, 1ull << 20);
	if (need > PLAN_GAP_START)
		return problem_set(why, EXIT_AMPOULE,
				   "the files for the VM take %s; at most 3G "
				   "fit",
				   size_text(need, need_text));
	return problem_set(
		why, EXIT_AMPOULE,
		"%s of memory is too small: kernel and files alone "
		"take %s; use --mem %s or more",
		size_text(s->limits.value[PROFILE_MEM], have_text),
		size_text(need, need_text),
		size_text(round_up(need + need / 4, 16ull << 20), use_text));
}

static int place_initrd(struct plan *plan, const struct settings *s,
			const struct kernel_image *kernel, uint64_t bytes,
			struct problem *why)
{
	uint64_t mem = s->limits.value[PROFILE_MEM];
	uint64_t top = mem < PLAN_GAP_START ? mem : PLAN_GAP_START;
	uint64_t floor = round_up(kernel->end_gpa, PAGE_BYTES);
	uint64_t whole = round_up(bytes, PAGE_BYTES), gpa;

	if (whole > PLAN_GAP_START || floor + whole + SPARE_BYTES > top)
		return too_small(s, floor + whole + SPARE_BYTES, why);
	if (!bytes)
		return 0;
	gpa = top - whole;
	/* Aligned, the rest can be mapped by large pages. */
	if ((gpa & ~(HUGE_BYTES - 1)) >= floor + SPARE_BYTES)
		gpa &= ~(HUGE_BYTES - 1);
	plan->initrd_gpa = gpa;
	plan->initrd_bytes = bytes;
	plan->segment[plan->segment_count++] = (struct plan_segment){
		.gpa = gpa,
		.file_bytes = bytes,
		.mem_bytes = bytes,
		.fd = PLAN_FD_INITRD,
	};
	return 0;
}

/** place_by_chance() - the kernel, below the initrd. */
static int place_by_chance(struct plan *plan, const struct kernel_image *kernel,
			   struct problem *why)
{
	uint64_t mem = plan->mem_bytes;
	uint64_t top = mem < PLAN_GAP_START ? mem : PLAN_GAP_START;
	int err;

	if (plan->initrd_gpa)
		top = plan->initrd_gpa;
	err = kernel_kaslr_place(plan, kernel, top - SPARE_BYTES);
	plan->flags |= PLAN_FLAG_KASLR;
	return err ? problem_set(why, EXIT_AMPOULE,
				 "--kaslr: the host gives no random number: %s",
				 error_text(err))
		   : 0;
}

void plan_fill_name(const char *path, char *ret)
{
	const char *slash = strrchr(path, '/');
	size_t i;

	if (slash)
		path = slash + 1;
	for (i = 0; i < PLAN_NAME_BYTES - 1 && path[i]; i++)
		ret[i] = isalnum((unsigned char)path[i]) ||
					 strchr("._-", path[i])
				 ? path[i]
				 : '_';
	ret[i] = '\0';
	if (!i)
		memcpy(ret, "vm", sizeof("vm"));
}

static void fill_devices(struct plan *plan, const uint64_t *value)
{
	uint64_t wanted = value[PROFILE_DEVICES];
	static const uint32_t all[] = {PLAN_DEVICE_HARNESS, PLAN_DEVICE_CONSOLE,
				       PLAN_DEVICE_RNG, PLAN_DEVICE_BALLOON};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct plan_device *dev = &plan->device[plan->device_count];

		if (!(wanted & (1ull << all[i])))
			continue;
		dev->kind = all[i];
		if (all[i] == PLAN_DEVICE_RNG)
			dev->u.rng.bytes.per_second = value[PROFILE_RNG_RATE];
		plan->device_count++;
	}
}

static uint32_t limit_flags(const uint64_t value[PROFILE_KEYS])
{
	uint32_t flags = 0;

	if (!value[PROFILE_STORE_BYPASS])
		flags |= PLAN_FLAG_NO_STORE_BYPASS;
	if (!value[PROFILE_INDIRECT_BRANCH])
		flags |= PLAN_FLAG_NO_INDIRECT_BRANCH;
	if (!value[PROFILE_L1D_FLUSH])
		flags |= PLAN_FLAG_L1D_FLUSH;
	if (value[PROFILE_CORE_SCHEDULING])
		flags |= PLAN_FLAG_OWN_CORE;
	return flags;
}

/** fill_limits() - @limits has all keys set. */
static int fill_limits(struct plan *plan, const struct profile *limits,
		       struct problem *why)
{
	const uint64_t *value = limits->value;
	uint64_t pids = value[PROFILE_PIDS];

	plan->flags |= limit_flags(value);
	plan->mem_bytes = value[PROFILE_MEM];
	plan->cpus = (uint32_t)value[PROFILE_CPUS];
	plan->pids_max = (uint32_t)(pids ? pids : plan->cpus + PIDS_EXTRA);
	plan->files_max = (uint32_t)value[PROFILE_OPEN_FILES];
	plan->time_limit_ns = value[PROFILE_TIME];
	plan->grace_ns = value[PROFILE_GRACE];
	fill_devices(plan, value);
	if (plan->pids_max < plan->cpus + PIDS_LEAST)
		return problem_set(why, EXIT_AMPOULE,
				   "pids: %u is too few for %u virtual CPUs; "
				   "%u is the least",
				   plan->pids_max, plan->cpus,
				   plan->cpus + PIDS_LEAST);
	if (plan->files_max < plan->cpus + FILES_LEAST)
		return problem_set(why, EXIT_AMPOULE,
				   "open-files: %u is too few for %u virtual "
				   "CPUs; %u is the least",
				   plan->files_max, plan->cpus,
				   plan->cpus + FILES_LEAST);
	return 0;
}

int plan_fill(const struct settings *s, const struct kernel_image *kernel,
	      uint64_t initrd_bytes, const struct streams *streams,
	      struct plan *ret, struct problem *why)
{
	int err;

	if (s->pci && !s->kernel)
		return problem_set(why, EXIT_AMPOULE,
				   "--transport pci: mote has no PCI; leave it "
				   "out, or name another kernel with --kernel");
	*ret = (struct plan){
		.magic = PLAN_MAGIC,
		.version = PLAN_VERSION,
		.total_bytes = sizeof(*ret),
		.flags = PLAN_FLAG_FOREGROUND,
		.log_level = settings_log_level(s),
		.segment_count = kernel->segment_count,
		.entry_gpa = kernel->entry_gpa,
		.tty_rows = streams->rows,
		.tty_cols = streams->cols,
	};
	if (s->trace || s->json || s->verbose)
		ret->flags |= PLAN_FLAG_TRACE;
	if (s->learn)
		ret->flags |= PLAN_FLAG_LEARN;
	if (s->pci)
		ret->flags |= PLAN_FLAG_PCI;
	if (kernel->pvh)
		ret->flags |= PLAN_FLAG_PVH;
	memcpy(ret->segment, kernel->segment, sizeof(kernel->segment));
	memcpy(ret->stream_kind, streams->kind, sizeof(streams->kind));
	for (int i = 0; i < PLAN_FD_COUNT; i++)
		ret->fd[i] = -1;
	err = linux_guest_fill(s, ret, why);
	if (!err)
		err = fill_limits(ret, &s->limits, why);
	if (!err && !s->kernel && ret->cpus > BOOTINFO_CPUS_MAX)
		err = problem_set(why, EXIT_AMPOULE,
				  "cpus: mote has at most %u; ask for fewer "
				  "than %u, or name a Linux kernel with "
				  "--kernel",
				  BOOTINFO_CPUS_MAX, ret->cpus);
	if (err)
		return err;
	if (!s->limits.value[PROFILE_PIDS])
		ret->pids_max = device_block_threads(s, ret);
	err = place_initrd(ret, s, kernel, initrd_bytes, why);
	return err || !s->kaslr ? err : place_by_chance(ret, kernel, why);
}

/** add_disk() - of one of the VM's files, if it lies on one. */
static void add_disk(struct cgroup_limits *l, int fd)
{
	dev_t disk;

	if (fd < 0 || l->disks == CGROUP_DISKS_MAX || !disk_of(fd, &disk))
		return;
	for (unsigned i = 0; i < l->disks; i++) {
		if (l->disk[i] == disk)
			return;
	}
	l->disk[l->disks++] = disk;
}

void plan_fill_cgroup(const struct settings *s, const struct plan *plan,
		      const struct streams *streams,
		      const struct device_set *devices,
		      struct cgroup_limits *ret)
{
	const uint64_t *value = s->limits.value;
	bool rates = false;

	*ret = (struct cgroup_limits){
		.mem_bytes =
			plan->mem_bytes + device_pmem_private_bytes(devices),
		.pids = plan->pids_max,
		.cpu_percent = value[PROFILE_CPU_MAX],
		.cpu_weight = (uint32_t)value[PROFILE_CPU_WEIGHT],
		.io_weight = (uint32_t)value[PROFILE_IO_WEIGHT],
	};
	if (!ret->cpu_percent) /* one more than vCPUs, for the loop thread */
		ret->cpu_percent = (plan->cpus + 1) * 100ull;
	else if (ret->cpu_percent == PROFILE_NO_LIMIT)
		ret->cpu_percent = 0;
	for (unsigned i = 0; i < RATES; i++) {
		ret->rate[i] = value[PROFILE_IO_READ + i];
		rates |= ret->rate[i] != 0;
	}
	for (int i = 0; rates && i < 3; i++)
		add_disk(ret, streams->fd[i]);
	for (uint32_t i = 0; rates && i < devices->fd_count; i++)
		add_disk(ret, devices->fd[i]);
}
