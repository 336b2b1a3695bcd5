/* SPDX-License-Identifier: Apache-2.0 */
/* test_plan.c - a good plan passes; a plan with one field wrong does not, and
 * the sentence names the field. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/plan.h"
#include "base/vsock_wire.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MIB      (1ull << 20)
#define GIB      (1ull << 30)

static void good_plan(struct plan *p)
{
	memset(p, 0, sizeof(*p));
	p->magic = PLAN_MAGIC;
	p->version = PLAN_VERSION;
	p->total_bytes = sizeof(*p);
	p->flags = PLAN_FLAG_TRACE;
	strcpy(p->name, "vm-1.a_B");
	p->mem_bytes = 128 * MIB;
	p->cpus = 1;
	p->pids_max = 9;
	p->files_max = 256;
	p->segment_count = 2;
	p->entry_gpa = 2 * MIB + 16;
	p->segment[0] = (struct plan_segment){2 * MIB, 0x1000,         0x1000,
					      0x2000,  PLAN_FD_KERNEL, 0};
	p->segment[1] = (struct plan_segment){64 * MIB,       0, 0x800, 0x800,
					      PLAN_FD_INITRD, 0};
	p->initrd_gpa = 64 * MIB;
	p->initrd_bytes = 0x800;
	p->device_count = 3;
	p->device[0].kind = PLAN_DEVICE_HARNESS;
	p->device[1].kind = PLAN_DEVICE_CONSOLE;
	p->device[2].kind = PLAN_DEVICE_RNG;
	p->stream_kind[0] = PLAN_STREAM_BLOCKING;
	for (int i = 0; i < PLAN_FD_COUNT; i++)
		p->fd[i] = 4 + i;
	strcpy(p->cmdline, "quiet");
	p->cmdline_bytes = 5;
}

Test(plan, accepts_a_good_plan)
{
	const char *why = NULL;
	struct plan p;

	good_plan(&p);
	cr_expect_eq(plan_check(&p, &why), 0, "%s", why);
	p.mem_bytes = 8 * GIB; /* beyond the gap */
	p.segment[1].gpa = p.initrd_gpa = PLAN_GAP_END + 4 * GIB;
	cr_expect_eq(plan_check(&p, &why), 0, "%s", why);
	p.segment[1].gpa = p.initrd_gpa = PLAN_GAP_START - 0x800;
	cr_expect_eq(plan_check(&p, &why), 0, "%s", why);
}

/** add_disk() - over two fds. Return: it. */
static struct plan_device *add_disk(struct plan *p)
{
	struct plan_device *dev = &p->device[p->device_count++];

	*dev = (struct plan_device){
		.kind = PLAN_DEVICE_BLOCK,
		.fd_first = PLAN_FD_DEVICE,
		.fd_count = 2,
		.u.block = {.bytes = 1 * MIB,
			    .overlay = PLAN_OVERLAY_FILE,
			    .serial = "01234567890123456789"},
	};
	return dev;
}

Test(plan, accepts_disks)
{
	const char *why = NULL;
	struct plan_device *dev;
	struct plan p;

	good_plan(&p);
	add_disk(&p);
	dev = add_disk(&p);
	dev->fd_first += 2;
	dev->fd_count = 1;
	dev->flags = PLAN_BLOCK_READ_ONLY;
	dev->u.block.overlay = PLAN_OVERLAY_NONE;
	cr_expect_eq(plan_check(&p, &why), 0, "%s", why);
}

/* Whether a bad field of a disk is found: a step each. */
static bool spoil_disk(struct plan_device *dev, unsigned step)
{
	struct plan_block *b = &dev->u.block;

	switch (step) {
	case 0:
		b->bytes = 0;
		return true;
	case 1:
		b->bytes = 511;
		return true;
	case 2:
		b->bytes = UINT64_MAX - 511;
		return true;
	case 3:
		dev->flags = PLAN_BLOCK_READ_ONLY;
		return true;
	case 4:
		dev->flags = 2;
		return true;
	case 5:
		b->overlay = PLAN_OVERLAY_MEMORY;
		return true;
	case 6:
		b->overlay = 3;
		return true;
	case 7:
		dev->fd_count = 1;
		return true;
	case 8:
		dev->fd_count = 0;
		return true;
	case 9:
		dev->fd_count = 3;
		return true;
	case 10:
		dev->fd_first = PLAN_FD_STDIN;
		return true;
	case 11:
		dev->fd_first = PLAN_FD_COUNT - 1;
		return true;
	case 12:
		b->engine = 3;
		return true;
	case 13:
		b->serial[3] = '\n';
		return true;
	case 14:
		b->serial[3] = 0;
		return true;
	case 15:
		b->reserved = 1;
		return true;
	default:
		return false;
	}
}

Test(plan, rejects_bad_disks)
{
	const char *why = NULL;
	struct plan p;

	for (unsigned step = 0;; step++) {
		good_plan(&p);
		if (!spoil_disk(add_disk(&p), step))
			break;
		cr_expect_eq(plan_check(&p, &why), -EINVAL, "step %u", step);
	}
}

static void add_pmem(struct plan *p)
{
	struct plan_device *dev = &p->device[p->device_count];
	uint32_t n = p->device_count - 3;

	*dev = (struct plan_device){
		.kind = PLAN_DEVICE_PMEM,
		.fd_first = PLAN_FD_DEVICE + n,
		.fd_count = 1,
		.u.pmem = {4 * GIB + n * 4 * MIB, 2 * MIB + 1, 4 * MIB},
	};
	p->device_count++;
}

Test(plan, accepts_files_as_memory)
{
	const char *why = NULL;
	struct plan p;

	good_plan(&p);
	for (unsigned i = 0; i < PLAN_PMEM_MAX; i++)
		add_pmem(&p);
	cr_expect_eq(plan_check(&p, &why), 0, "%s", why);
	p.device[3].flags = PLAN_PMEM_PRIVATE;
	p.device[3].u.pmem.gpa = PLAN_PMEM_END - 4 * MIB;
	cr_expect_eq(plan_check(&p, &why), 0, "%s", why);
}

struct wrong {
	const char *field; /* the sentence must name it */
	const char *what;
	void (*spoil)(struct plan *p);
};

#define SPOIL(name, ...)                                                       \
	static void name(struct plan *p)                                       \
	{                                                                      \
		__VA_ARGS__;                                                   \
	}

SPOIL(magic, p->magic++)
SPOIL(version, p->version++)
SPOIL(total, p->total_bytes--)
SPOIL(flags, p->flags |= 1u << 31)
SPOIL(serial_alone, p->flags |= PLAN_FLAG_SERIAL)
SPOIL(button_alone, p->flags |= PLAN_FLAG_SYSTEM)
static void add_port(struct plan *p, const char *name)
{
	struct plan_device *dev = &p->device[1];

	dev->fd_first = PLAN_FD_DEVICE;
	dev->fd_count = 1;
	dev->u.console.count = 1;
	dev->u.console.port[0].kind = PLAN_STREAM_FILE;
	memcpy(dev->u.console.port[0].name, name, strlen(name));
}

SPOIL(port_slash, add_port(p, "a/b"))
SPOIL(port_nameless, add_port(p, ""))
SPOIL(port_long, add_port(p, "abcdefghijklmnopqrstuvwx"))
SPOIL(port_behind, add_port(p, "a");
      p->device[1].u.console.port[0].name[2] = 'b')
SPOIL(port_kind, add_port(p, "a"); p->device[1].u.console.port[0].kind = 9)
SPOIL(port_none, add_port(p, "a"); p->device[1].u.console.port[0].kind = 0)
SPOIL(port_way, add_port(p, "a"); p->device[1].u.console.port[0].in = 2)
SPOIL(port_count, add_port(p, "a"); p->device[1].u.console.count = 2)
SPOIL(port_more, add_port(p, "a"); p->device[1].u.console.port[1].in = 1)
SPOIL(rng_rate, p->device[2].u.rng.bytes.per_second = (1ull << 50) + 1)
SPOIL(rng_burst, p->device[2].u.rng.bytes.burst = UINT64_MAX)
SPOIL(balloon_odd, p->device[2].kind = PLAN_DEVICE_BALLOON;
      p->device[2].u.balloon.target_bytes = 4097)
SPOIL(balloon_huge, p->device[2].kind = PLAN_DEVICE_BALLOON;
      p->device[2].u.balloon.target_bytes = 1ull << 63)
SPOIL(balloon_more, p->device[2].kind = PLAN_DEVICE_BALLOON;
      p->device[2].u.raw[1] = 1)
SPOIL(pmem_map, add_pmem(p); p->device[3].u.pmem.map_bytes -= 2 * MIB)
SPOIL(pmem_empty, add_pmem(p); p->device[3].u.pmem.file_bytes = 0;
      p->device[3].u.pmem.map_bytes = 0)
SPOIL(pmem_huge, add_pmem(p); p->device[3].u.pmem.file_bytes = UINT64_MAX;
      p->device[3].u.pmem.map_bytes = 0)
SPOIL(pmem_unaligned, add_pmem(p); p->device[3].u.pmem.gpa += 4096)
SPOIL(pmem_gap, add_pmem(p); p->device[3].u.pmem.gpa = PLAN_GAP_END - 2 * MIB)
SPOIL(pmem_ram, add_pmem(p); p->mem_bytes = PLAN_GAP_START + 4096)
SPOIL(pmem_far, add_pmem(p); p->device[3].u.pmem.gpa = PLAN_PMEM_END)
SPOIL(pmem_wrap, add_pmem(p); p->device[3].u.pmem.gpa = 0 - 2 * MIB)
SPOIL(pmem_overlap, add_pmem(p); add_pmem(p);
      p->device[4].u.pmem.gpa = p->device[3].u.pmem.gpa + 2 * MIB)
SPOIL(pmem_nine, for (unsigned i = 0; i < 9; i++) add_pmem(p))
SPOIL(pmem_no_fd, add_pmem(p); p->device[3].fd_count = 0)
SPOIL(pmem_flags, add_pmem(p); p->device[3].flags = 2)
SPOIL(pmem_more, add_pmem(p); p->device[3].u.raw[3] = 1)
static void add_vsock(struct plan *p)
{
	struct plan_device *dev = &p->device[p->device_count++];

	*dev = (struct plan_device){
		.kind = PLAN_DEVICE_VSOCK,
		.fd_first = PLAN_FD_DEVICE,
		.fd_count = 1,
		.u.vsock = {.cid = 3, .connections = VSOCK_CONNECTIONS_MAX},
	};
}

Test(plan, accepts_vsock_at_its_limits)
{
	const char *why = NULL;
	struct plan p;

	good_plan(&p);
	add_vsock(&p);
	cr_expect_eq(plan_check(&p, &why), 0, "%s", why);
	p.device[3].u.vsock.cid = UINT32_MAX - 1;
	p.device[3].u.vsock.connections = 1;
	cr_expect_eq(plan_check(&p, &why), 0, "%s", why);
}

SPOIL(vsock_host, add_vsock(p); p->device[3].u.vsock.cid = 2)
SPOIL(vsock_any, add_vsock(p); p->device[3].u.vsock.cid = UINT32_MAX)
SPOIL(vsock_wide, add_vsock(p); p->device[3].u.vsock.cid = 1ull << 32 | 3)
SPOIL(vsock_idle, add_vsock(p); p->device[3].u.vsock.connections = 0)
SPOIL(vsock_many, add_vsock(p); p->device[3].u.vsock.connections++)
SPOIL(vsock_reserved, add_vsock(p); p->device[3].u.vsock.reserved = 1)
SPOIL(vsock_more, add_vsock(p); p->device[3].u.raw[2] = 1)
SPOIL(vsock_end, add_vsock(p); p->device[3].u.raw[29] = 1)
SPOIL(vsock_no_fd, add_vsock(p); p->device[3].fd_count = 0)
SPOIL(vsock_fds, add_vsock(p); p->device[3].fd_count = 2)
SPOIL(vsock_flags, add_vsock(p); p->device[3].flags = 1)
SPOIL(vsock_twice, add_vsock(p); add_vsock(p); p->device[4].fd_first++)
SPOIL(level, p->log_level = 5)
SPOIL(uid_without_flag, p->uid = 900000)
SPOIL(uid_root, p->flags |= PLAN_FLAG_OWN_ID; p->gid = 1)
SPOIL(gid_root, p->flags |= PLAN_FLAG_OWN_ID; p->uid = 1)
SPOIL(uid_unchanged, p->flags |= PLAN_FLAG_OWN_ID; p->uid = ~0u; p->gid = 1)
SPOIL(gid_unchanged, p->flags |= PLAN_FLAG_OWN_ID; p->uid = 1; p->gid = ~0u)
SPOIL(name_empty, p->name[0] = 0)
SPOIL(name_long, memset(p->name, 'a', sizeof(p->name)))
SPOIL(name_path, strcpy(p->name, "a/b"))
SPOIL(name_control, strcpy(p->name, "a\nb"))
SPOIL(mem_odd, p->mem_bytes += 1)
SPOIL(mem_zero, p->mem_bytes = 0)
SPOIL(mem_small, p->mem_bytes = MIB - 4096)
SPOIL(mem_large, p->mem_bytes = PLAN_MEM_MAX_BYTES + 4096)
SPOIL(cpus_zero, p->cpus = 0)
SPOIL(cpus_many, p->cpus = PLAN_CPUS_MAX + 1)
SPOIL(cpuid_many, p->cpuid_count = PLAN_CPUID_MAX + 1)
SPOIL(cpuid_topology, p->cpuid_count = 1; p->cpuid[0].function = 0xb)
SPOIL(cpuid_register, p->cpuid_count = 1; p->cpuid[0].function = 0x7;
      p->cpuid[0].reg = 4)
SPOIL(cpuid_twice, p->cpuid_count = 2; p->cpuid[0].function = 0x7;
      p->cpuid[0].reg = 1; p->cpuid[1] = p->cpuid[0])
SPOIL(segments_none, p->segment_count = 0)
SPOIL(segments_many, p->segment_count = PLAN_SEGMENTS_MAX + 1)
SPOIL(segments_huge, p->segment_count = UINT32_MAX)
SPOIL(segment_fd, p->segment[0].fd = PLAN_FD_KVM)
SPOIL(segment_fd_range, p->segment[0].fd = UINT32_MAX)
SPOIL(segment_no_fd, p->fd[PLAN_FD_KERNEL] = -1)
SPOIL(segment_reserved, p->segment[1].reserved = 1)
SPOIL(segment_offset, p->segment[0].file_offset = INT64_MAX)
SPOIL(segment_offset_wraps, p->segment[0].file_offset = UINT64_MAX)
SPOIL(segment_file, p->segment[0].file_bytes = 0x2001)
SPOIL(segment_empty, p->segment[0].mem_bytes = p->segment[0].file_bytes = 0)
SPOIL(segment_end, p->segment[0].mem_bytes = 127 * MIB)
SPOIL(segment_wraps, p->segment[0].mem_bytes = UINT64_MAX)
SPOIL(segment_gap, p->segment[0].gpa = PLAN_MMIO_BASE)
SPOIL(segment_high, p->segment[0].gpa = PLAN_GAP_END)
SPOIL(segment_last, p->segment[0].gpa = UINT64_MAX)
SPOIL(segment_boot, p->segment[0].gpa = 0x7000)
SPOIL(segment_overlap, p->segment[1].gpa = 2 * MIB + 0x1fff)
SPOIL(segment_same, p->segment[1].gpa = 2 * MIB)
SPOIL(entry, p->entry_gpa = 2 * MIB + 0x2000)
SPOIL(entry_zero, p->entry_gpa = 0)
SPOIL(entry_pvh, p->flags |= PLAN_FLAG_PVH; p->entry_gpa = 1ull << 32)
SPOIL(initrd_zero, p->initrd_gpa = 0)
SPOIL(initrd_empty, p->initrd_bytes = 0)
SPOIL(initrd_end, p->initrd_bytes = 65 * MIB)
SPOIL(initrd_wraps, p->initrd_bytes = UINT64_MAX)
SPOIL(devices_many, p->device_count = PLAN_DEVICES_MAX + 1)
SPOIL(device_none, p->device[0].kind = PLAN_DEVICE_NONE)
SPOIL(device_unknown, p->device[2].kind = PLAN_DEVICE_KINDS)
SPOIL(device_huge, p->device[2].kind = UINT32_MAX)
SPOIL(device_twice, p->device[2].kind = PLAN_DEVICE_HARNESS)
SPOIL(device_flags, p->device[0].flags = 1)
SPOIL(device_fds, p->device[0].fd_count = 1)
SPOIL(device_fd_first, p->device[0].fd_first = PLAN_FD_DEVICE)
SPOIL(device_extra, p->device[0].u.raw[29] = 1)
SPOIL(fd_low, p->fd[PLAN_FD_KVM] = PLAN_FD_NUMBER)
SPOIL(fd_negative, p->fd[PLAN_FD_KVM] = -2)
SPOIL(fd_high, p->fd[PLAN_FD_KVM] = 1024)
SPOIL(fd_twice, p->fd[PLAN_FD_STDERR] = p->fd[PLAN_FD_STDOUT])
SPOIL(stream_kind, p->stream_kind[1] = 5)
SPOIL(stream_no_fd, p->fd[PLAN_FD_STDIN] = -1)
SPOIL(cmdline_long, p->cmdline_bytes = PLAN_CMDLINE_BYTES)
SPOIL(cmdline_shorter, p->cmdline_bytes = 6)
SPOIL(cmdline_longer, p->cmdline_bytes = 4)
SPOIL(cmdline_open, memset(p->cmdline, 'a', PLAN_CMDLINE_BYTES);
      p->cmdline_bytes = PLAN_CMDLINE_BYTES - 1)

static const struct wrong wrongs[] = {
	{"magic", "one more", magic},
	{"version", "a later one", version},
	{"total_bytes", "one less", total},
	{"flags", "an unknown one", flags},
	{"flags", "a serial port without ACPI", serial_alone},
	{"flags", "a power button without ACPI", button_alone},
	{"log_level", "above trace", level},
	{"uid", "without its flag", uid_without_flag},
	{"uid", "root", uid_root},
	{"gid", "root's", gid_root},
	{"uid", "-1", uid_unchanged},
	{"gid", "-1", gid_unchanged},
	{"name", "empty", name_empty},
	{"name", "not terminated", name_long},
	{"name", "a slash", name_path},
	{"name", "a control character", name_control},
	{"mem_bytes", "not whole pages", mem_odd},
	{"mem_bytes", "none", mem_zero},
	{"mem_bytes", "too small", mem_small},
	{"mem_bytes", "too large", mem_large},
	{"cpus", "none", cpus_zero},
	{"cpus", "too many", cpus_many},
	{"cpuid_count", "too many", cpuid_many},
	{"cpuid", "topology", cpuid_topology},
	{"cpuid", "no such register", cpuid_register},
	{"cpuid", "twice", cpuid_twice},
	{"segment_count", "none", segments_none},
	{"segment_count", "too many", segments_many},
	{"segment_count", "far too many", segments_huge},
	{"segment.fd", "another role", segment_fd},
	{"segment.fd", "no role", segment_fd_range},
	{"segment.fd", "missing", segment_no_fd},
	{"segment.reserved", "not zero", segment_reserved},
	{"segment.file_offset", "beyond any file", segment_offset},
	{"segment.file_offset", "wraps", segment_offset_wraps},
	{"segment.file_bytes", "more than in memory", segment_file},
	{"segment", "empty", segment_empty},
	{"segment", "past the end of memory", segment_end},
	{"segment", "wraps", segment_wraps},
	{"segment", "in the gap", segment_gap},
	{"segment", "above memory", segment_high},
	{"segment", "at the last address", segment_last},
	{"segment", "over the boot data", segment_boot},
	{"segments", "overlap by a byte", segment_overlap},
	{"segments", "at the same place", segment_same},
	{"entry_gpa", "just past its segment", entry},
	{"entry_gpa", "zero", entry_zero},
	{"entry_gpa", "32 bits", entry_pvh},
	{"initrd_gpa", "bytes but no place", initrd_zero},
	{"initrd", "a place but no bytes", initrd_empty},
	{"initrd", "past the end of memory", initrd_end},
	{"initrd", "wraps", initrd_wraps},
	{"device_count", "too many", devices_many},
	{"device", "none", device_none},
	{"device", "unknown", device_unknown},
	{"device", "far out of range", device_huge},
	{"device", "twice", device_twice},
	{"device.flags", "unknown", device_flags},
	{"device.fd_count", "too many", device_fds},
	{"device.fd_first", "without fds", device_fd_first},
	{"device.u", "more than the kind has", device_extra},
	{"fd", "the plan's own", fd_low},
	{"fd", "negative", fd_negative},
	{"fd", "too high", fd_high},
	{"fd", "twice", fd_twice},
	{"pmem.map_bytes", "not rounded up", pmem_map},
	{"pmem.map_bytes", "empty file", pmem_empty},
	{"pmem.map_bytes", "file as large as can be", pmem_huge},
	{"pmem.gpa", "not aligned", pmem_unaligned},
	{"pmem.gpa", "in the gap", pmem_gap},
	{"pmem.gpa", "in RAM", pmem_ram},
	{"pmem.gpa", "beyond addresses", pmem_far},
	{"pmem.gpa", "wraps", pmem_wrap},
	{"pmem.gpa", "same as another's", pmem_overlap},
	{"device_count", "nine of kind pmem", pmem_nine},
	{"device.fd_count", "pmem without a file", pmem_no_fd},
	{"device.flags", "pmem", pmem_flags},
	{"port has a bad name", "with a slash", port_slash},
	{"port has a bad name", "without one", port_nameless},
	{"port has a bad name", "too long", port_long},
	{"port has a bad name", "something behind it", port_behind},
	{"port is of an unknown", "of no kind", port_kind},
	{"port is of an unknown", "closed", port_none},
	{"port is of an unknown", "neither in nor out", port_way},
	{"console.count", "more than fds", port_count},
	{"device.u", "a port more", port_more},
	{"device.u.rng", "a rate out of range", rng_rate},
	{"device.u.rng", "a burst out of range", rng_burst},
	{"device.u.balloon", "half a page", balloon_odd},
	{"device.u.balloon", "more than there can be", balloon_huge},
	{"device.u", "balloon with more", balloon_more},
	{"device.u", "pmem with more", pmem_more},
	{"vsock.cid", "the host's", vsock_host},
	{"vsock.cid", "anybody's", vsock_any},
	{"vsock.cid", "more than 32 bits", vsock_wide},
	{"vsock.connections", "none", vsock_idle},
	{"vsock.connections", "too many", vsock_many},
	{"vsock.reserved", "not zero", vsock_reserved},
	{"device.u", "vsock with more", vsock_more},
	{"device.u", "vsock with something at the end", vsock_end},
	{"device.fd_count", "vsock without a helper", vsock_no_fd},
	{"device.fd_count", "vsock with two", vsock_fds},
	{"device.flags", "vsock", vsock_flags},
	{"there twice", "vsock", vsock_twice},
	{"stream_kind", "unknown", stream_kind},
	{"stream_kind", "without an fd", stream_no_fd},
	{"cmdline_bytes", "too long", cmdline_long},
	{"cmdline", "shorter than it says", cmdline_shorter},
	{"cmdline", "longer than it says", cmdline_longer},
	{"cmdline", "not terminated", cmdline_open},
};

ParameterizedTestParameters(plan, names_the_wrong_field)
{
	static unsigned index[COUNT(wrongs)];

	for (unsigned i = 0; i < COUNT(wrongs); i++)
		index[i] = i;
	return cr_make_param_array(unsigned, index, COUNT(wrongs));
}

ParameterizedTest(unsigned *index, plan, names_the_wrong_field)
{
	const struct wrong *w = &wrongs[*index];
	const char *why = "";
	struct plan p;

	good_plan(&p);
	w->spoil(&p);
	cr_expect_eq(plan_check(&p, &why), -EINVAL, "%s: %s", w->field,
		     w->what);
	cr_expect_not_null(strstr(why, w->field), "%s: %s: said '%s'", w->field,
			   w->what, why);
}

/* Sealed memfds */

Test(plan, survives_a_sealed_memfd)
{
	const char *why = NULL;
	struct plan p, back;
	int fd = -1;

	good_plan(&p);
	cr_assert_eq(plan_seal(&p, &fd), 0);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(pwrite(fd, "x", 1, 0), -1, "sealed");
	cr_expect_eq(ftruncate(fd, 1), -1);
	cr_assert_eq(plan_read(fd, &back, &why), 0, "%s", why);
	cr_expect(!memcmp(&p, &back, sizeof(p)));
	close(fd);
}

Test(plan, refuses_a_file_that_can_still_change)
{
	const char *why = NULL;
	struct plan p, back;
	int fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	good_plan(&p);
	cr_assert_eq(write(fd, &p, sizeof(p)), (ssize_t)sizeof(p));
	cr_expect_eq(plan_read(fd, &back, &why), -EPERM);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	cr_expect_eq(plan_read(fd, &back, &why), -EPERM, "it could shrink");
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	cr_expect_eq(plan_read(fd, &back, &why), 0);
	close(fd);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_expect_eq(plan_read(fd, &back, &why), -EPERM);
	close(fd);
}

Test(plan, refuses_a_short_file)
{
	const char *why = NULL;
	struct plan p, back;
	int fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	good_plan(&p);
	cr_assert_eq(write(fd, &p, sizeof(p) - 1), (ssize_t)sizeof(p) - 1);
	cr_assert_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), 0);
	cr_expect_eq(plan_read(fd, &back, &why), -EINVAL);
	cr_expect_not_null(why);
	close(fd);
}
