/* SPDX-License-Identifier: Apache-2.0 */
/* attack_power.c - more privilege: ids, capabilities, namespaces, the kernel's
 * own programs and modules, the machine. */
#include "tests/hostile/attack.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NOT_YOU  " EPERM "
#define ABSENT   " EPERM ENOSYS " /* a kernel may be built without */

/** id() - become user or group 0; where a namespace calls us that already,
 * somebody else. */
static long id(const struct plan *plan, long nr)
{
	long other = call(SYS_getuid) == 0 ? 1 : 0;

	if (nr == SYS_setgroups)
		return call(nr, 1, &(gid_t){0});
	return call(nr, other, other, other);
}

static long take_caps(const struct plan *plan, long arg)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct all[2] = {{~0u, ~0u, ~0u},
						{~0u, ~0u, ~0u}};

	return call(SYS_capset, &header, all);
}

static long keep_caps(const struct plan *plan, long arg)
{
	return call(SYS_prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
}

static long ambient(const struct plan *plan, long cap)
{
	return call(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0);
}

static long unlock_root(const struct plan *plan, long arg)
{
	return call(SYS_prctl, PR_SET_SECUREBITS, arg, 0, 0, 0);
}

static long forget_no_new_privs(const struct plan *plan, long arg)
{
	return call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
}

/** speculate() - undo the jailer's control. Where the host leaves none to a
 * process, there is none to undo. */
static long speculate(const struct plan *plan, long what)
{
	long now = call(SYS_prctl, PR_GET_SPECULATION_CTRL, what, 0, 0, 0);

	if (now >= 0 && !((unsigned long)now & PR_SPEC_PRCTL))
		return -ENXIO;
	return call(SYS_prctl, PR_SET_SPECULATION_CTRL, what, PR_SPEC_ENABLE, 0,
		    0);
}

static long unshare_one(const struct plan *plan, long flag)
{
	return call(SYS_unshare, flag);
}

/** child_in() - a child in a new namespace, which ends at once. */
static long child_in(const struct plan *plan, long flag)
{
	long pid = call(SYS_clone, flag | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		call(SYS_exit_group, 0);
	if (pid > 0)
		call(SYS_wait4, pid, 0, 0, 0);
	return pid;
}

static long join(const struct plan *plan, long flag)
{
	long fd = call(SYS_pidfd_open, 1, 0);

	return fd < 0 ? fd : call(SYS_setns, fd, flag);
}

static long new_map(const struct plan *plan, long type)
{
	union bpf_attr attr = {
		.map_type = (uint32_t)type,
		.key_size = 4,
		.value_size = 8,
		.max_entries = 1,
	};

	return call(SYS_bpf, (long)BPF_MAP_CREATE, &attr, sizeof(attr));
}

static long load_bpf(const struct plan *plan, long type)
{
	static const struct bpf_insn nothing[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
		.prog_type = (uint32_t)type,
		.insns = (uintptr_t)nothing,
		.insn_cnt = 2,
		.license = (uintptr_t) "GPL",
	};

	return call(SYS_bpf, (long)BPF_PROG_LOAD, &attr, sizeof(attr));
}

/** plain() - calls that need no more than bad arguments: who may not make them
 * learns that first. */
static long plain(const struct plan *plan, long nr)
{
	static char byte[64];

	return call(nr, byte, 1, byte, 0, 0, 0);
}

static long set_clock(const struct plan *plan, long clock)
{
	const struct timespec then = {.tv_sec = 1};

	return call(SYS_clock_settime, clock, &then);
}

static long set_name(const struct plan *plan, long nr)
{
	return call(nr, "x", 1);
}

static long kernel_log(const struct plan *plan, long action)
{
	static char text[64];

	return call(SYS_syslog, action, text, sizeof(text));
}

static long reboot(const struct plan *plan, long arg)
{
	/* CAD off, the mildest order that there is. */
	return call(SYS_reboot, 0xfee1deadl, 672274793, 0, 0);
}

static long port_access(const struct plan *plan, long nr)
{
	return nr == SYS_iopl ? call(nr, 3) : call(nr, 0x80l, 1, 1);
}

static const struct attack power[] = {
	{"setresuid", id, SYS_setresuid, " EPERM EINVAL ", NULL},
	{"setresgid", id, SYS_setresgid, " EPERM EINVAL ", NULL},
	{"setgroups", id, SYS_setgroups, NOT_YOU, NULL},
	{"capset", take_caps, 0, NOT_YOU, NULL},
	{"keep capabilities", keep_caps, 0, NOT_YOU, NULL},
	{"ambient SYS_ADMIN", ambient, CAP_SYS_ADMIN, NOT_YOU, NULL},
	{"ambient SYS_RAWIO", ambient, CAP_SYS_RAWIO, NOT_YOU, NULL},
	{"securebits", unlock_root, 0, NOT_YOU, NULL},
	{"privileges by exec again", forget_no_new_privs, 0, " EINVAL ", NULL},
	{"speculate past stores", speculate, PR_SPEC_STORE_BYPASS,
	 " EPERM ENXIO ENODEV ", NULL},
	{"speculate past branches", speculate, PR_SPEC_INDIRECT_BRANCH,
	 " EPERM ENXIO ENODEV ", NULL},
	{"unshare mnt", unshare_one, CLONE_NEWNS, NOT_YOU, NULL},
	{"unshare net", unshare_one, CLONE_NEWNET, NOT_YOU, NULL},
	{"unshare pid", unshare_one, CLONE_NEWPID, NOT_YOU, NULL},
	{"unshare ipc", unshare_one, CLONE_NEWIPC, NOT_YOU, NULL},
	{"unshare uts", unshare_one, CLONE_NEWUTS, NOT_YOU, NULL},
	{"unshare cgroup", unshare_one, CLONE_NEWCGROUP, NOT_YOU, NULL},
	{"clone into new mnt", child_in, CLONE_NEWNS, NOT_YOU, NULL},
	{"clone into new net", child_in, CLONE_NEWNET, NOT_YOU, NULL},
	{"clone into new user", child_in, CLONE_NEWUSER, " EPERM ENOSPC ",
	 NULL},
	{"clone into new user, net", child_in, CLONE_NEWUSER | CLONE_NEWNET,
	 " EPERM ENOSPC ", NULL},
	{"join own mnt again", join, CLONE_NEWNS, NOT_YOU, NULL},
	{"bpf array", new_map, BPF_MAP_TYPE_ARRAY, ABSENT, NULL},
	{"bpf socket filter", load_bpf, BPF_PROG_TYPE_SOCKET_FILTER, ABSENT,
	 NULL},
	{"bpf kprobe", load_bpf, BPF_PROG_TYPE_KPROBE, ABSENT, NULL},
	{"init_module", plain, SYS_init_module, ABSENT, NULL},
	{"finit_module", plain, SYS_finit_module, ABSENT, NULL},
	{"delete_module", plain, SYS_delete_module, ABSENT, NULL},
	{"kexec_load", plain, SYS_kexec_load, ABSENT, NULL},
	{"swapon", plain, SYS_swapon, ABSENT, NULL},
	{"swapoff", plain, SYS_swapoff, ABSENT, NULL},
	{"acct", plain, SYS_acct, ABSENT, NULL},
	{"vhangup", plain, SYS_vhangup, NOT_YOU, NULL},
	{"userfaultfd", plain, SYS_userfaultfd, " EPERM ENOSYS EINVAL ", NULL},
	{"reboot", reboot, 0, " EPERM EINVAL ", NULL},
	{"iopl", port_access, SYS_iopl, ABSENT, NULL},
	{"ioperm", port_access, SYS_ioperm, ABSENT, NULL},
	{"set the clock", set_clock, CLOCK_REALTIME, NOT_YOU, NULL},
	{"sethostname", set_name, SYS_sethostname, NOT_YOU, NULL},
	{"setdomainname", set_name, SYS_setdomainname, NOT_YOU, NULL},
	{"clear the kernel's log", kernel_log, 5, NOT_YOU, NULL},
	{"io_uring", plain, SYS_io_uring_setup, NULL, " trapped EFAULT "},
	{"key ring", plain, SYS_add_key, NULL, NULL},
};

const struct attack_table attack_power = {"power", power, COUNT(power)};
