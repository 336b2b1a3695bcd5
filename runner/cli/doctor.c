/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - checks of the host, all but KVM and the jail. They read files
 * below /proc and /sys and ask the kernel; they change nothing. */
#include "runner/cli/doctor.h"

#include "base/cleanup.h"
#include "base/error.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define VULNERABILITIES     "/sys/devices/system/cpu/vulnerabilities/"
#define LANDLOCK_ABI_WANTED 1

void finding_set(struct doctor_finding *f, enum doctor_grade grade,
		 const char *advice, const char *fmt, ...)
{
	va_list ap;

	f->grade = grade;
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	(void)snprintf(f->advice, sizeof(f->advice), "%s",
		       advice ? advice : "");
}

/** read_line() - the first line of a small file. Return: 0 or -errno. */
static int read_line(const char *path, char *line, size_t cap)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, line, cap - 1);
	if (n < 0)
		return -errno;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return 0;
}

/** add_word() - append " WORD", as far as there is room. */
static void add_word(char *list, size_t cap, const char *word)
{
	size_t len = strlen(list);

	(void)snprintf(list + len, cap - len, " %s", word);
}

static void probe_kernel(struct doctor_finding *f)
{
	struct utsname u;
	unsigned long major, minor = 0;
	char *rest;

	(void)uname(&u);
	major = strtoul(u.release, &rest, 10);
	if (*rest == '.')
		minor = strtoul(rest + 1, NULL, 10);
	if (major > 5 || (major == 5 && minor >= 10))
		finding_set(f, DOCTOR_OK, NULL, "Linux %s %s", u.release,
			    u.machine);
	else
		finding_set(f, DOCTOR_WARN,
			    "upgrade: it is tested with 5.10 and later",
			    "Linux %s %s is old", u.release, u.machine);
}

static void probe_landlock(struct doctor_finding *f)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	if (abi >= LANDLOCK_ABI_WANTED)
		finding_set(f, DOCTOR_OK, NULL, "ABI %ld", abi);
	else
		finding_set(f, DOCTOR_WARN,
			    "boot with lsm=landlock,... or use a kernel with "
			    "CONFIG_SECURITY_LANDLOCK",
			    "not available: %s", error_text(errno));
}

static void probe_seccomp(struct doctor_finding *f)
{
	char actions[128];

	if (prctl(PR_GET_SECCOMP) < 0 && errno == EINVAL)
		finding_set(f, DOCTOR_FAIL,
			    "use a kernel with CONFIG_SECCOMP_FILTER",
			    "not available");
	else if (read_line("/proc/sys/kernel/seccomp/actions_avail", actions,
			   sizeof(actions)) == 0)
		finding_set(f, DOCTOR_OK, NULL, "filters, actions %s", actions);
	else
		finding_set(f, DOCTOR_OK, NULL, "available");
}

static void probe_io_uring(struct doctor_finding *f)
{
	char line[32] = "0";

	read_line("/proc/sys/kernel/io_uring_disabled", line, sizeof(line));
	/* Invalid on purpose: the errno tells whether the call exists. */
	if (syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno == ENOSYS)
		finding_set(f, DOCTOR_WARN,
			    "block devices will use plain reads and writes; "
			    "for speed use a kernel with CONFIG_IO_URING",
			    "not in this kernel");
	else if (!strcmp(line, "0"))
		finding_set(f, DOCTOR_OK, NULL, "available");
	else
		finding_set(f, DOCTOR_WARN,
			    "sysctl kernel.io_uring_disabled=0, if you trust "
			    "the users of this host with it",
			    "limited by kernel.io_uring_disabled=%.8s", line);
}

/** is_open() - what the kernel says of a flaw; some lines have a part for VMs
 * alone, as "KVM: Vulnerable" or "Mitigation: ...; VMX: vulnerable". */
static bool is_open(const char *line)
{
	return strncmp(line, "Vulnerable", 10) == 0 ||
	       strstr(line, "KVM: Vulnerable") ||
	       strstr(line, "VMX: vulnerable");
}

static void probe_mitigations(struct doctor_finding *f)
{
	static const char *const names[] = {
		"itlb_multihit",
		"l1tf",
		"mds",
		"meltdown",
		"retbleed",
		"spec_rstack_overflow",
		"spec_store_bypass",
		"spectre_v1",
		"spectre_v2",
		"srbds",
		"tsx_async_abort",
		"mmio_stale_data",
		"gather_data_sampling",
		"reg_file_data_sampling",
		"tsa",
		"vmscape",
	};
	char open_ones[160] = "", line[160], path[96];
	unsigned known = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), VULNERABILITIES "%s",
			       names[i]);
		if (read_line(path, line, sizeof(line)))
			continue;
		known++;
		if (is_open(line))
			add_word(open_ones, sizeof(open_ones), names[i]);
	}
	if (!known)
		finding_set(f, DOCTOR_WARN, "mount /sys",
			    "CPU mitigations: the kernel tells nothing");
	else if (*open_ones)
		finding_set(f, DOCTOR_WARN,
			    "install the newest kernel and microcode, and boot "
			    "without mitigations=off",
			    "CPU mitigations missing:%s", open_ones);
	else
		finding_set(f, DOCTOR_OK, NULL,
			    "CPU mitigations: all %u known flaws are covered",
			    known);
}

static void probe_smt(struct doctor_finding *f)
{
	char line[32];

	if (read_line("/sys/devices/system/cpu/smt/active", line, sizeof(line)))
		finding_set(f, DOCTOR_OK, NULL, "state unknown");
	else if (!strcmp(line, "0"))
		finding_set(f, DOCTOR_OK, NULL, "off");
	else
		finding_set(f, DOCTOR_WARN,
			    "if VMs do not trust each other: echo off > "
			    "/sys/devices/system/cpu/smt/control",
			    "on: two VMs may share a core");
}

static const struct doctor_check checks[] = {
	{"kvm", "KVM", doctor_probe_kvm},
	{"host_kind", "kind of host", doctor_probe_host_kind},
	{"cpu", "CPU", doctor_probe_cpu},
	{"kernel", "kernel", probe_kernel},
	{"cgroup", "cgroup", doctor_probe_cgroup},
	{"namespaces", "namespaces", doctor_probe_namespaces},
	{"jail", "jail", doctor_probe_jail},
	{"landlock", "Landlock", probe_landlock},
	{"seccomp", "seccomp", probe_seccomp},
	{"io_uring", "io_uring", probe_io_uring},
	{"mitigations", "mitigations", probe_mitigations},
	{"smt", "SMT", probe_smt},
	{"speculation", "speculation", doctor_probe_speculation},
	{"core_scheduling", "core scheduling", doctor_probe_core},
};

const struct doctor_check *doctor_checks(size_t *ret_count)
{
	*ret_count = sizeof(checks) / sizeof(checks[0]);
	return checks;
}
