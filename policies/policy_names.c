/* SPDX-License-Identifier: Apache-2.0 */
/* policy_names.c - the words of policy files. */
#include "policies/policy_names.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <time.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* A constant becomes its bits: ioctl numbers and flags, nothing negative. */
#define NAME(constant)                                                         \
	{                                                                      \
#constant, (uint64_t)(constant)                                \
	}

static const struct {
	const char *name;
	uint64_t value;
} constants[] = {
	/* KVM on /dev/kvm */
	NAME(KVM_GET_API_VERSION),
	NAME(KVM_CREATE_VM),
	NAME(KVM_CHECK_EXTENSION),
	NAME(KVM_GET_VCPU_MMAP_SIZE),
	NAME(KVM_GET_SUPPORTED_CPUID),
	NAME(KVM_GET_MSR_FEATURE_INDEX_LIST),
	NAME(KVM_GET_MSRS), /* also on a vCPU */
	/* KVM on a VM */
	NAME(KVM_CREATE_VCPU),
	NAME(KVM_ENABLE_CAP),
	NAME(KVM_SET_USER_MEMORY_REGION),
	NAME(KVM_SET_IDENTITY_MAP_ADDR),
	NAME(KVM_SET_TSS_ADDR),
	NAME(KVM_SIGNAL_MSI),
	NAME(KVM_X86_SET_MSR_FILTER),
	NAME(KVM_IRQFD),
	NAME(KVM_IOEVENTFD),
	/* KVM on a vCPU */
	NAME(KVM_RUN),
	NAME(KVM_GET_REGS),
	NAME(KVM_SET_REGS),
	NAME(KVM_GET_SREGS),
	NAME(KVM_SET_SREGS),
	NAME(KVM_GET_TSC_KHZ),
	NAME(KVM_SET_CPUID2),
	NAME(KVM_SET_MSRS),
	NAME(KVM_KVMCLOCK_CTRL),
	/* a tap */
	NAME(TUNSETOFFLOAD),
	/* memory */
	NAME(PROT_NONE),
	NAME(PROT_READ),
	NAME(PROT_WRITE),
	NAME(PROT_EXEC),
	NAME(MAP_SHARED),
	NAME(MAP_PRIVATE),
	NAME(MAP_FIXED),
	NAME(MAP_ANONYMOUS),
	NAME(MAP_NORESERVE),
	NAME(MAP_STACK),
	NAME(MADV_DONTNEED),
	NAME(MADV_DONTDUMP),
	NAME(MADV_REMOVE),
	NAME(MADV_HUGEPAGE),
	NAME(MADV_UNMERGEABLE),
	NAME(MFD_CLOEXEC),
	NAME(MFD_ALLOW_SEALING),
	NAME(FALLOC_FL_PUNCH_HOLE),
	NAME(FALLOC_FL_KEEP_SIZE),
	NAME(FALLOC_FL_ZERO_RANGE),
	NAME(MREMAP_MAYMOVE),
	NAME(RWF_NOWAIT),
	/* files */
	NAME(O_WRONLY),
	NAME(O_RDWR),
	NAME(O_CREAT),
	NAME(O_TRUNC),
	NAME(O_APPEND),
	NAME(F_GETFD),
	NAME(F_SETFD),
	NAME(F_GETFL),
	NAME(F_SETFL),
	NAME(F_DUPFD),
	NAME(F_DUPFD_CLOEXEC),
	NAME(F_GET_SEALS),
	NAME(F_ADD_SEALS),
	NAME(AT_EMPTY_PATH),
	NAME(EPOLL_CTL_ADD),
	NAME(EPOLL_CTL_MOD),
	NAME(EPOLL_CTL_DEL),
	NAME(EPOLL_CLOEXEC),
	NAME(EFD_CLOEXEC),
	NAME(EFD_NONBLOCK),
	NAME(SFD_CLOEXEC),
	NAME(SFD_NONBLOCK),
	NAME(TFD_CLOEXEC),
	NAME(TFD_NONBLOCK),
	NAME(MSG_DONTWAIT),
	NAME(MSG_NOSIGNAL),
	/* rings */
	NAME(IORING_ENTER_GETEVENTS),
	NAME(IORING_REGISTER_FILES),
	NAME(IORING_REGISTER_EVENTFD),
	NAME(IORING_REGISTER_RESTRICTIONS),
	NAME(IORING_REGISTER_ENABLE_RINGS),
	NAME(IORING_REGISTER_IOWQ_MAX_WORKERS),
	NAME(MSG_PEEK),
	NAME(MSG_CMSG_CLOEXEC),
	NAME(SHUT_RD),
	NAME(SHUT_WR),
	NAME(AF_UNIX),
	NAME(SOCK_STREAM),
	NAME(SOCK_NONBLOCK),
	NAME(SOCK_CLOEXEC),
	/* threads and time */
	NAME(CLONE_VM),
	NAME(CLONE_FS),
	NAME(CLONE_FILES),
	NAME(CLONE_SIGHAND),
	NAME(CLONE_THREAD),
	NAME(CLONE_SYSVSEM),
	NAME(CLONE_SETTLS),
	NAME(CLONE_PARENT_SETTID),
	NAME(CLONE_CHILD_CLEARTID),
	NAME(FUTEX_WAIT),
	NAME(FUTEX_WAKE),
	NAME(FUTEX_WAIT_BITSET),
	NAME(FUTEX_PRIVATE_FLAG),
	NAME(FUTEX_CLOCK_REALTIME),
	NAME(CLOCK_MONOTONIC),
	NAME(CLOCK_REALTIME),
	/* the rest */
	NAME(GRND_NONBLOCK),
	NAME(PR_SET_NAME),
	NAME(PR_SET_NO_NEW_PRIVS),
	NAME(SECCOMP_SET_MODE_FILTER),
	NAME(SIGBUS),
	NAME(SIGPIPE),
	NAME(SIGSYS),
	NAME(SIGXFSZ),
	NAME(SIG_SETMASK),
	NAME(SIG_BLOCK),
};

/* "-" marks an argument the kernel takes as 32 bits. */
static const struct {
	const char *call, *arg[6];
} calls[] = {
	{"accept4", {"-fd", "address", "address_len", "-flags"}},
	{"clone", {"flags", "stack", "parent_tid", "child_tid", "tls"}},
	{"close", {"-fd"}},
	{"connect", {"-fd", "address", "-address_len"}},
	{"clock_gettime", {"-clock", "time"}},
	{"epoll_create1", {"-flags"}},
	{"epoll_ctl", {"-epoll_fd", "-op", "-fd", "event"}},
	{"epoll_wait", {"-epoll_fd", "events", "-count", "-timeout"}},
	{"eventfd2", {"-value", "-flags"}},
	{"exit_group", {"-status"}},
	{"fallocate", {"-fd", "-mode", "offset", "len"}},
	{"fcntl", {"-fd", "-command", "arg"}},
	{"ftruncate", {"-fd", "len"}},
	{"futex",
	 {"address", "-op", "-value", "timeout", "address2", "-value3"}},
	{"getrandom", {"buf", "len", "-flags"}},
	{"io_uring_enter",
	 {"-fd", "-submit", "-wait", "-flags", "arg", "size"}},
	{"io_uring_register", {"-fd", "-what", "arg", "-count"}},
	{"io_uring_setup", {"-entries", "params"}},
	{"ioctl", {"-fd", "-request", "arg"}},
	{"madvise", {"address", "len", "-advice"}},
	{"memfd_create", {"name", "-flags"}},
	{"mmap", {"address", "len", "prot", "flags", "-fd", "offset"}},
	{"mprotect", {"address", "len", "prot"}},
	{"mremap", {"address", "len", "new_len", "flags", "new_address"}},
	{"munmap", {"address", "len"}},
	{"newfstatat", {"-fd", "path", "stat", "-flags"}},
	{"openat", {"-dir", "path", "-flags", "-mode"}},
	{"poll", {"fds", "-count", "-timeout"}},
	{"prctl", {"-option", "arg2", "arg3", "arg4", "arg5"}},
	{"preadv2", {"-fd", "iov", "count", "offset", "offset_high", "-flags"}},
	{"pwritev2",
	 {"-fd", "iov", "count", "offset", "offset_high", "-flags"}},
	{"read", {"-fd", "buf", "len"}},
	{"recvfrom", {"-fd", "buf", "len", "-flags", "address", "address_len"}},
	{"recvmsg", {"-fd", "msg", "-flags"}},
	{"rt_sigaction", {"-signal", "action", "old", "size"}},
	{"rt_sigprocmask", {"-how", "set", "old", "size"}},
	{"seccomp", {"-operation", "-flags", "args"}},
	{"sendfile", {"-out_fd", "-in_fd", "offset", "len"}},
	{"sendmsg", {"-fd", "msg", "-flags"}},
	{"sendto", {"-fd", "buf", "len", "-flags", "address", "-address_len"}},
	{"shutdown", {"-fd", "-how"}},
	{"signalfd4", {"-fd", "set", "size", "-flags"}},
	{"socket", {"-family", "-type", "-protocol"}},
	{"timerfd_create", {"-clock", "-flags"}},
	{"timerfd_settime", {"-fd", "-flags", "value", "old"}},
	{"write", {"-fd", "buf", "len"}},
};

static const struct {
	const char *name;
	int value;
} errnos[] = {
	{"EACCES", EACCES}, {"EAGAIN", EAGAIN}, {"EINVAL", EINVAL},
	{"ENOSYS", ENOSYS}, {"ENOTTY", ENOTTY}, {"EPERM", EPERM},
};

/* A name ending in '*' stands for all that begin so. */
static const struct {
	const char *call, *why;
} never[] = {
	{"open*", "the VMM opens nothing: the jailer does"},
	{"creat", "the VMM opens nothing: the jailer does"},
	{"name_to_handle_at", "the VMM opens nothing: the jailer does"},
	{"pidfd_*", "the VMM knows no other process"},
	{"socket*", "the VMM makes no connection"},
	{"connect", "the VMM makes no connection"},
	{"accept*", "the VMM makes no connection"},
	{"bind", "the VMM makes no connection"},
	{"listen", "the VMM makes no connection"},
	{"execve*", "the VMM starts no program"},
	{"fork", "the VMM starts no process"},
	{"vfork", "the VMM starts no process"},
	{"kill", "the VMM signals nobody"},
	{"tkill", "the VMM signals nobody"},
	{"tgkill", "the VMM signals nobody"},
	{"rt_*sigqueueinfo", "the VMM signals nobody"},
	{"ptrace", "the VMM looks into no process"},
	{"process_*", "the VMM looks into no process"},
	{"kcmp", "the VMM looks into no process"},
	{"bpf", "code for the kernel"},
	{"userfaultfd", "holds the kernel up in the middle of its work"},
	{"io_uring_*", "its requests go past this policy"},
	{"perf_event_open", "measures the host"},
	{"mount*", "the VMM has no file system"},
	{"umount*", "the VMM has no file system"},
	{"pivot_root", "the VMM has no file system"},
	{"chroot", "the VMM has no file system"},
	{"move_mount", "the VMM has no file system"},
	{"fs*open", "the VMM has no file system"},
	{"unshare", "namespaces are the jailer's"},
	{"setns", "namespaces are the jailer's"},
	{"set*id", "ids are the jailer's"},
	{"capset", "privileges are the jailer's"},
	{"setrlimit", "limits are the jailer's"},
	{"prlimit64", "limits are the jailer's"},
	{"*_module", "the VMM is no administrator"},
	{"kexec_*", "the VMM is no administrator"},
	{"reboot", "the VMM is no administrator"},
	{"add_key", "the VMM has no keys"},
	{"keyctl", "the VMM has no keys"},
	{"request_key", "the VMM has no keys"},
};

static const char *const powerful[] = {"ioctl",          "mmap",
				       "mprotect",       "fcntl",
				       "madvise",        "prctl",
				       "clone",          "mremap",
				       "pkey_mprotect",  "seccomp",
				       "arch_prctl",     "socket",
				       "io_uring_enter", "io_uring_register"};

int policy_constant(const char *name, uint64_t *ret)
{
	for (size_t i = 0; i < COUNT(constants); i++) {
		if (!strcmp(constants[i].name, name)) {
			*ret = constants[i].value;
			return 0;
		}
	}
	return -ENOENT;
}

int policy_errno(const char *name)
{
	for (size_t i = 0; i < COUNT(errnos); i++) {
		if (!strcmp(errnos[i].name, name))
			return errnos[i].value;
	}
	return -ENOENT;
}

static const char *const *args_of(const char *call)
{
	for (size_t i = 0; i < COUNT(calls); i++) {
		if (!strcmp(calls[i].call, call))
			return calls[i].arg;
	}
	return NULL;
}

int policy_arg(const char *call, const char *name, struct policy_arg *ret)
{
	const char *const *arg = args_of(call);

	if (!strncmp(name, "arg", 3) && name[3] >= '0' && name[3] <= '5' &&
	    !name[4]) {
		*ret = (struct policy_arg){.index = (uint8_t)(name[3] - '0')};
		return 0;
	}
	for (uint8_t i = 0; arg && i < 6 && arg[i]; i++) {
		bool word = arg[i][0] == '-';

		if (!strcmp(arg[i] + word, name)) {
			*ret = (struct policy_arg){i, word};
			return 0;
		}
	}
	return -ENOENT;
}

const char *policy_args_of(const char *call)
{
	static _Thread_local char text[80];
	const char *const *arg = args_of(call);
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; arg && i < 6 && arg[i] && used < sizeof(text); i++) {
		int n = snprintf(text + used, sizeof(text) - used, "%s%s",
				 i ? ", " : "", arg[i] + (arg[i][0] == '-'));

		used += n > 0 ? (size_t)n : 0;
	}
	return text;
}

/** matches() - at most one '*'. */
static bool matches(const char *pattern, const char *name)
{
	const char *star = strchr(pattern, '*');
	size_t head, tail, len = strlen(name);

	if (!star)
		return !strcmp(pattern, name);
	head = (size_t)(star - pattern);
	tail = strlen(star + 1);
	return len >= head + tail && !strncmp(pattern, name, head) &&
	       !strcmp(star + 1, name + len - tail);
}

const char *policy_never(const char *call)
{
	for (size_t i = 0; i < COUNT(never); i++) {
		if (matches(never[i].call, call))
			return never[i].why;
	}
	return NULL;
}

bool policy_opens(const char *role, const char *call)
{
	static const char *const connecting[] = {"socket", "connect",
						 "accept4"};

	if (!strcmp(role, "parse"))
		return !strcmp(call, "openat");
	for (size_t i = 0; !strcmp(role, "vsock") && i < COUNT(connecting);
	     i++) {
		if (!strcmp(call, connecting[i]))
			return true;
	}
	return false;
}

bool policy_rings(const char *role, const char *call)
{
	bool enters = !strcmp(call, "io_uring_enter");

	if (!strcmp(role, "start"))
		return enters || !strcmp(call, "io_uring_setup") ||
		       !strcmp(call, "io_uring_register");
	return enters && (!strcmp(role, "vcpu") || !strcmp(role, "loop"));
}

bool policy_stands_alone(const char *role)
{
	return !strcmp(role, "start") || !strcmp(role, "parse") ||
	       !strcmp(role, "vsock");
}

bool policy_needs_terms(const char *call)
{
	for (size_t i = 0; i < COUNT(powerful); i++) {
		if (!strcmp(powerful[i], call))
			return true;
	}
	return false;
}

bool policy_maps_memory(const char *call)
{
	return !strcmp(call, "mmap") || !strcmp(call, "mprotect") ||
	       !strcmp(call, "pkey_mprotect");
}
