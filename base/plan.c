/* SPDX-License-Identifier: Apache-2.0 */
/* plan.c - check, read and seal a plan. Trusts: nobody. The checks are one
 * list of small functions; each returns NULL or the sentence that names the
 * field. */
#include "base/plan.h"

#include "base/ckd.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/plan_cpuid.h"
#include "base/plan_device.h"
#include "base/plan_pmem.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE_BYTES 4096ull
#define PLAN_FLAGS                                                             \
	(PLAN_FLAG_TRACE | PLAN_FLAG_FOREGROUND | PLAN_FLAG_LEARN |            \
	 PLAN_FLAG_NAMESPACES | PLAN_FLAG_OWN_ID | PLAN_FLAG_CONFIRM |         \
	 PLAN_FLAG_NO_STORE_BYPASS | PLAN_FLAG_NO_INDIRECT_BRANCH |            \
	 PLAN_FLAG_L1D_FLUSH | PLAN_FLAG_OWN_CORE | PLAN_FLAG_PCI |            \
	 PLAN_FLAG_ACPI | PLAN_FLAG_SERIAL | PLAN_FLAG_PVH | PLAN_FLAG_KASLR | \
	 PLAN_FLAG_SYSTEM)
#define PLAN_FD_MIN (PLAN_FD_NUMBER + 1)
#define PLAN_FD_MAX 1023

static const char *check_header(const struct plan *plan)
{
	if (plan->magic != PLAN_MAGIC)
		return "magic is not that of a plan";
	if (plan->version != PLAN_VERSION)
		return "version is another program's: reinstall Ampoule";
	if (plan->total_bytes != sizeof(*plan))
		return "total_bytes does not match";
	if (plan->flags & ~PLAN_FLAGS)
		return "flags has unknown bits";
	if ((plan->flags & PLAN_FLAG_SERIAL) && !(plan->flags & PLAN_FLAG_ACPI))
		return "flags asks for a serial port without ACPI";
	if ((plan->flags & PLAN_FLAG_PVH) && plan->entry_gpa >= PLAN_GAP_END)
		return "entry_gpa lies too high for PVH";
	if ((plan->flags & PLAN_FLAG_SYSTEM) && !(plan->flags & PLAN_FLAG_ACPI))
		return "flags asks for a power button without ACPI";
	if (plan->log_level > LOG_LEVEL_TRACE)
		return "log_level is out of range";
	return NULL;
}

static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

static const char *check_name(const struct plan *plan)
{
	size_t len = strnlen(plan->name, sizeof(plan->name));

	if (len == 0 || len == sizeof(plan->name))
		return "name is empty or not terminated";
	for (size_t i = 0; i < len; i++) {
		if (!name_char(plan->name[i]))
			return "name has a character outside [a-zA-Z0-9._-]";
	}
	return NULL;
}

/** check_id() - never root, never "unchanged" (-1). */
static const char *check_id(const struct plan *plan)
{
	bool own = plan->flags & PLAN_FLAG_OWN_ID;

	if (!own && (plan->uid || plan->gid))
		return "uid and gid are there without their flag";
	if (own && (!plan->uid || !plan->gid || plan->uid == UINT32_MAX ||
		    plan->gid == UINT32_MAX))
		return "uid or gid is out of range";
	return NULL;
}

static const char *check_size(const struct plan *plan)
{
	if (plan->mem_bytes % PAGE_BYTES)
		return "mem_bytes is not a multiple of 4096";
	if (plan->mem_bytes < PLAN_MEM_MIN_BYTES ||
	    plan->mem_bytes > PLAN_MEM_MAX_BYTES)
		return "mem_bytes is out of range (1 MiB to 512 GiB)";
	if (plan->cpus < 1 || plan->cpus > PLAN_CPUS_MAX)
		return "cpus is out of range (1 to 64)";
	if (plan->pids_max < PLAN_PIDS_MIN || plan->pids_max > PLAN_PIDS_MAX)
		return "pids_max is out of range (4 to 1024)";
	if (plan->files_max < PLAN_FILES_MIN ||
	    plan->files_max > PLAN_FILES_ALL)
		return "files_max is out of range (48 to 2048)";
	return NULL;
}

/** in_ram() - is the range guest RAM above the boot data, on one side of the
 * gap? Empty ranges are not. */
static bool in_ram(const struct plan *plan, uint64_t gpa, uint64_t bytes)
{
	uint64_t low = plan->mem_bytes, high = 0;

	if (low > PLAN_GAP_START) {
		high = PLAN_GAP_END + (low - PLAN_GAP_START);
		low = PLAN_GAP_START;
	}
	if (!bytes || gpa < PLAN_BOOT_BYTES)
		return false;
	if (gpa >= PLAN_GAP_END)
		return ckd_range(gpa, bytes, high);
	return ckd_range(gpa, bytes, low);
}

static const char *check_segment(const struct plan *plan,
				 const struct plan_segment *seg)
{
	if (seg->fd != PLAN_FD_KERNEL && seg->fd != PLAN_FD_INITRD)
		return "segment.fd is neither kernel nor initrd";
	if (plan->fd[seg->fd] < 0)
		return "segment.fd names an fd that is missing";
	if (seg->reserved)
		return "segment.reserved is not 0";
	if (!ckd_range(seg->file_offset, seg->file_bytes, INT64_MAX))
		return "segment.file_offset is out of range";
	if (seg->file_bytes > seg->mem_bytes)
		return "segment.file_bytes is larger than mem_bytes";
	if (!in_ram(plan, seg->gpa, seg->mem_bytes))
		return "segment lies outside guest memory";
	return NULL;
}

static bool overlap(const struct plan_segment *a, const struct plan_segment *b)
{
	return a->gpa < b->gpa + b->mem_bytes && b->gpa < a->gpa + a->mem_bytes;
}

static bool holds(const struct plan_segment *seg, uint64_t gpa)
{
	return gpa >= seg->gpa && gpa - seg->gpa < seg->mem_bytes;
}

static const char *check_segments(const struct plan *plan)
{
	bool entry_found = false;

	if (!plan->segment_count || plan->segment_count > PLAN_SEGMENTS_MAX)
		return "segment_count is out of range";
	for (uint32_t i = 0; i < plan->segment_count; i++) {
		const struct plan_segment *seg = &plan->segment[i];
		const char *why = check_segment(plan, seg);

		if (why)
			return why;
		for (uint32_t j = 0; j < i; j++) {
			if (overlap(seg, &plan->segment[j]))
				return "segments overlap";
		}
		entry_found |= holds(seg, plan->entry_gpa);
	}
	if (!entry_found)
		return "entry_gpa lies in no segment";
	return NULL;
}

static const char *check_initrd(const struct plan *plan)
{
	if (!plan->initrd_gpa)
		return plan->initrd_bytes ? "initrd_gpa is 0" : NULL;
	if (!in_ram(plan, plan->initrd_gpa, plan->initrd_bytes))
		return "initrd lies outside guest memory";
	return NULL;
}

static const char *check_fds(const struct plan *plan)
{
	for (int i = 0; i < PLAN_FD_COUNT; i++) {
		int fd = plan->fd[i];

		if (fd == -1)
			continue;
		if (fd < PLAN_FD_MIN || fd > PLAN_FD_MAX)
			return "fd is out of range (4 to 1023)";
		for (int j = 0; j < i; j++) {
			if (plan->fd[j] == fd)
				return "fd is there twice";
		}
	}
	return NULL;
}

static const char *check_streams(const struct plan *plan)
{
	for (int i = 0; i < 3; i++) {
		if (plan->stream_kind[i] > PLAN_STREAM_BLOCKING)
			return "stream_kind is unknown";
		if (plan->stream_kind[i] != PLAN_STREAM_NONE &&
		    plan->fd[PLAN_FD_STDIN + i] < 0)
			return "stream_kind asks for an fd that is missing";
	}
	return NULL;
}

static const char *check_cmdline(const struct plan *plan)
{
	if (plan->cmdline_bytes >= PLAN_CMDLINE_BYTES)
		return "cmdline_bytes is out of range";
	if (strnlen(plan->cmdline, PLAN_CMDLINE_BYTES) != plan->cmdline_bytes)
		return "cmdline is not cmdline_bytes long";
	return NULL;
}

static const char *check_cpuid(const struct plan *plan)
{
	if (plan->cpuid_count > PLAN_CPUID_MAX)
		return "cpuid_count is out of range";
	return plan_check_cpuid(plan->cpuid, plan->cpuid_count);
}

int plan_check(const struct plan *plan, const char **ret_why)
{
	static const char *(*const checks[])(const struct plan *) = {
		check_header, /* first: it vouches for the layout */
		check_name,         check_id,         check_size,
		check_fds,          check_segments,   check_initrd,
		plan_check_devices, plan_check_pmems, check_streams,
		check_cmdline,      check_cpuid,
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		const char *why = checks[i](plan);

		if (why) {
			*ret_why = why;
			return -EINVAL;
		}
	}
	return 0;
}

int plan_read(int fd, struct plan *ret_plan, const char **ret_why)
{
	const int need = F_SEAL_WRITE | F_SEAL_SHRINK;
	int seals = fcntl(fd, F_GET_SEALS);
	int err;

	if (seals < 0 || (seals & need) != need) {
		*ret_why = "it is not a memfd sealed against writing";
		return -EPERM;
	}
	err = fd_pread_all(fd, ret_plan, sizeof(*ret_plan), 0);
	if (err) {
		*ret_why = "it is too short or cannot be read";
		return err == -ENODATA ? -EINVAL : err;
	}
	return plan_check(ret_plan, ret_why);
}

int plan_seal(const struct plan *plan, int *ret_fd)
{
	const int seals =
		F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	cleanup_fd int fd = fd_memfd_sealable("plan");
	int err;

	if (fd < 0)
		return fd;
	err = fd_write_all(fd, plan, sizeof(*plan));
	if (err)
		return err;
	if (fcntl(fd, F_ADD_SEALS, seals) < 0)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}
