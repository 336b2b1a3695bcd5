/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_limits.c - limits as text for the files of a cgroup. */
#include "runner/cli/cgroup_limits.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#define PERIOD_US  100000u
#define OVERHEAD   (64ull << 20) /* the VMM, and the kernel's work for it */
#define TEXT_BYTES 128

typedef const struct cgroup_limits limits_t;

/* One line of a file. @n: how many were written before. Return: its length, 0:
 * there is no (further) line. */
typedef int line_fn(limits_t *l, unsigned n, char text[TEXT_BYTES]);

static int one(unsigned n, char *text, uint64_t value, const char *after)
{
	return n ? 0
		 : snprintf(text, TEXT_BYTES, "%llu%s",
			    (unsigned long long)value, after);
}

/** line_memory() - page tables, of the host and of KVM, grow with the guest's
 * memory. */
static int line_memory(limits_t *l, unsigned n, char *text)
{
	return one(n, text, l->mem_bytes + l->mem_bytes / 16 + OVERHEAD, "");
}

static int line_pids(limits_t *l, unsigned n, char *text)
{
	return one(n, text, l->pids, "");
}

static int line_quota(limits_t *l, unsigned n, char *text)
{
	if (!l->cpu_percent)
		return 0;
	return one(n, text, l->cpu_percent * (PERIOD_US / 100), "");
}

static int line_max(limits_t *l, unsigned n, char *text)
{
	if (!l->cpu_percent)
		return 0;
	return one(n, text, l->cpu_percent * (PERIOD_US / 100), " 100000");
}

/** line_shares() - version 1 counts from 1024 where version 2 has 100. */
static int line_shares(limits_t *l, unsigned n, char *text)
{
	uint64_t shares = l->cpu_weight * 1024ull / CGROUP_WEIGHT_USUAL;

	if (l->cpu_weight == CGROUP_WEIGHT_USUAL)
		return 0;
	return one(n, text, shares < 2 ? 2 : shares, "");
}

static int line_weight(limits_t *l, unsigned n, char *text)
{
	if (l->cpu_weight == CGROUP_WEIGHT_USUAL)
		return 0;
	return one(n, text, l->cpu_weight, "");
}

static int line_io_weight(limits_t *l, unsigned n, char *text)
{
	if (l->io_weight == CGROUP_WEIGHT_USUAL || n)
		return 0;
	return snprintf(text, TEXT_BYTES, "default %u", l->io_weight);
}

/** line_bfq_weight() - the scheduler bfq counts to 1000, in both versions. */
static int line_bfq_weight(limits_t *l, unsigned n, char *text)
{
	if (l->io_weight == CGROUP_WEIGHT_USUAL)
		return 0;
	return one(n, text, l->io_weight > 1000 ? 1000 : l->io_weight, "");
}

static bool has_rates(limits_t *l)
{
	return l->rate[RATE_READ] || l->rate[RATE_WRITE] ||
	       l->rate[RATE_READ_OPS] || l->rate[RATE_WRITE_OPS];
}

static int line_io_max(limits_t *l, unsigned n, char *text)
{
	static const char *const names[RATES] = {"rbps", "wbps", "riops",
						 "wiops"};
	int len;

	if (n >= l->disks || !has_rates(l))
		return 0;
	len = snprintf(text, TEXT_BYTES, "%u:%u", major(l->disk[n]),
		       minor(l->disk[n]));
	for (unsigned i = 0; i < RATES; i++) {
		if (l->rate[i])
			len += snprintf(text + len, (size_t)(TEXT_BYTES - len),
					" %s=%llu", names[i],
					(unsigned long long)l->rate[i]);
	}
	return len;
}

static int line_rate(limits_t *l, unsigned n, enum cgroup_rate rate, char *text)
{
	if (n >= l->disks || !l->rate[rate])
		return 0;
	return snprintf(text, TEXT_BYTES, "%u:%u %llu", major(l->disk[n]),
			minor(l->disk[n]), (unsigned long long)l->rate[rate]);
}

static int line_read(limits_t *l, unsigned n, char *text)
{
	return line_rate(l, n, RATE_READ, text);
}

static int line_write(limits_t *l, unsigned n, char *text)
{
	return line_rate(l, n, RATE_WRITE, text);
}

static int line_read_ops(limits_t *l, unsigned n, char *text)
{
	return line_rate(l, n, RATE_READ_OPS, text);
}

static int line_write_ops(limits_t *l, unsigned n, char *text)
{
	return line_rate(l, n, RATE_WRITE_OPS, text);
}

static const struct {
	enum cgroup_kind kind;
	const char *file;
	line_fn *line;
} settings[] = {
	{CGROUP_MEMORY, "memory.limit_in_bytes", line_memory},
	{CGROUP_PIDS, "pids.max", line_pids},
	{CGROUP_CPU, "cpu.cfs_quota_us", line_quota},
	{CGROUP_CPU, "cpu.shares", line_shares},
	{CGROUP_IO, "blkio.bfq.weight", line_bfq_weight},
	{CGROUP_IO, "blkio.throttle.read_bps_device", line_read},
	{CGROUP_IO, "blkio.throttle.write_bps_device", line_write},
	{CGROUP_IO, "blkio.throttle.read_iops_device", line_read_ops},
	{CGROUP_IO, "blkio.throttle.write_iops_device", line_write_ops},
	{CGROUP_UNIFIED, "memory.max", line_memory},
	{CGROUP_UNIFIED, "pids.max", line_pids},
	{CGROUP_UNIFIED, "cpu.max", line_max},
	{CGROUP_UNIFIED, "cpu.weight", line_weight},
	{CGROUP_UNIFIED, "io.weight", line_io_weight},
	{CGROUP_UNIFIED, "io.bfq.weight", line_bfq_weight},
	{CGROUP_UNIFIED, "io.max", line_io_max},
};

bool cgroup_limits_io(const struct cgroup_limits *limits)
{
	return limits->io_weight != CGROUP_WEIGHT_USUAL ||
	       (limits->disks && has_rates(limits));
}

/** set() - all lines of one file, a write(2) each. */
static int set(limits_t *l, int dir, const char *file, line_fn *line)
{
	cleanup_fd int fd = -1;
	char text[TEXT_BYTES];
	int err = 0;

	for (unsigned n = 0; !err && line(l, n, text) > 0; n++) {
		if (fd < 0)
			fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		err = fd_write_all(fd, text, strlen(text));
	}
	return err;
}

int cgroup_limits_apply(const struct cgroup_limits *limits,
			enum cgroup_kind kind, int dir)
{
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		int err;

		if (settings[i].kind != kind)
			continue;
		err = set(limits, dir, settings[i].file, settings[i].line);
		/* -EINVAL: more than the parent has, which limits it anyway;
		 * -ENODEV: a disk without a queue that could be limited */
		if (err && err != -EINVAL && err != -ENOENT && err != -ENODEV)
			return err;
	}
	return 0;
}
