/* SPDX-License-Identifier: Apache-2.0 */
/* probe_calls.c - calls with arguments that a policy has to tell apart. The
 * expectations are in tests/integration/cases/policy.py. */
#include "tests/hostile/probe_calls.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define NO_FD   0xffffffffu /* -1 as the kernel's int */
#define NOWHERE 8u          /* an address that is never mapped */
#define BAD_LEN (1ull << 60)
#define RWX     (PROT_READ | PROT_WRITE | PROT_EXEC)

static const struct probe_call calls[] = {
	{"ioctl.KVM_RUN", SYS_ioctl, {NO_FD, KVM_RUN}},
	{"ioctl.KVM_RUN+4G", SYS_ioctl, {NO_FD, KVM_RUN | 1ull << 32}},
	{"ioctl.KVM_SIGNAL_MSI", SYS_ioctl, {NO_FD, KVM_SIGNAL_MSI}},
	{"ioctl.KVM_GET_REGS", SYS_ioctl, {NO_FD, KVM_GET_REGS}},
	{"ioctl.KVM_SET_REGS", SYS_ioctl, {NO_FD, KVM_SET_REGS}},
	{"ioctl.KVM_CREATE_VM", SYS_ioctl, {NO_FD, KVM_CREATE_VM}},
	{"ioctl.KVM_CREATE_DEVICE", SYS_ioctl, {NO_FD, KVM_CREATE_DEVICE}},
	{"ioctl.KVM_IOEVENTFD", SYS_ioctl, {NO_FD, KVM_IOEVENTFD}},
	{"ioctl.SET_USER_MEMORY_REGION",
	 SYS_ioctl,
	 {NO_FD, KVM_SET_USER_MEMORY_REGION}},
	{"ioctl.TIOCSTI", SYS_ioctl, {NO_FD, TIOCSTI}},
	{"mmap.rw", SYS_mmap, {0, BAD_LEN, PROT_READ | PROT_WRITE}},
	{"mmap.rx", SYS_mmap, {0, BAD_LEN, PROT_READ | PROT_EXEC}},
	{"mmap.rwx", SYS_mmap, {0, BAD_LEN, RWX}},
	{"mprotect.rw", SYS_mprotect, {NOWHERE, 1, PROT_READ | PROT_WRITE}},
	{"mprotect.rx", SYS_mprotect, {NOWHERE, 1, PROT_READ | PROT_EXEC}},
	{"pkey_mprotect.rwx", SYS_pkey_mprotect, {NOWHERE, 1, RWX, 0}},
	{"mremap", SYS_mremap, {NOWHERE, 1, 1}},
	{"madvise.DONTDUMP", SYS_madvise, {NOWHERE, 1, MADV_DONTDUMP}},
	{"madvise.DOFORK", SYS_madvise, {NOWHERE, 1, MADV_DOFORK}},
	{"fcntl.F_GET_SEALS", SYS_fcntl, {NO_FD, F_GET_SEALS}},
	{"fcntl.F_SETFL", SYS_fcntl, {NO_FD, F_SETFL}},
	{"fcntl.F_SETOWN", SYS_fcntl, {NO_FD, F_SETOWN}},
	{"prctl.PR_SET_NAME", SYS_prctl, {PR_SET_NAME, NOWHERE}},
	{"prctl.PR_SET_DUMPABLE", SYS_prctl, {PR_SET_DUMPABLE, 99}},
	{"clone.fork", SYS_clone, {SIGCHLD | CLONE_PIDFD, 0, NOWHERE}},
	{"clone.newns", SYS_clone, {CLONE_NEWUSER | CLONE_FS}},
	{"clone3", SYS_clone3, {NOWHERE, 1}},
	{"rt_sigaction.SIGSYS", SYS_rt_sigaction, {SIGSYS, NOWHERE, 0, 8}},
	{"rt_sigaction.SIGSEGV", SYS_rt_sigaction, {SIGSEGV, NOWHERE, 0, 8}},
	{"futex.WAKE", SYS_futex, {NOWHERE, FUTEX_WAKE_PRIVATE, 1}},
	{"futex.shared", SYS_futex, {NOWHERE, FUTEX_WAKE, 1}},
	{"futex.REQUEUE", SYS_futex, {NOWHERE, FUTEX_REQUEUE_PRIVATE, 1}},
	{"futex.PI", SYS_futex, {NOWHERE, FUTEX_LOCK_PI_PRIVATE, 1}},
	{"fallocate.punch",
	 SYS_fallocate,
	 {NO_FD, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1}},
	{"fallocate.grow", SYS_fallocate, {NO_FD, 0, 0, 1}},
	{"preadv2.stream", SYS_preadv2, {NO_FD, NOWHERE, 1, -1ul, 0, 0}},
	{"preadv2.nowait", SYS_preadv2, {NO_FD, NOWHERE, 1, 0, 0, RWF_NOWAIT}},
	{"preadv2.polled", SYS_preadv2, {NO_FD, NOWHERE, 1, 0, 0, RWF_HIPRI}},
	{"pwritev2.stream", SYS_pwritev2, {NO_FD, NOWHERE, 1, -1ul, 0, 0}},
	{"pwritev2.append",
	 SYS_pwritev2,
	 {NO_FD, NOWHERE, 1, 0, 0, RWF_APPEND}},
	{"getrandom.now", SYS_getrandom, {NOWHERE, 1, GRND_NONBLOCK}},
	{"getrandom.block", SYS_getrandom, {NOWHERE, 1, GRND_RANDOM}},
	{"ring.enter", SYS_io_uring_enter, {NO_FD, 1, 0, 0, 0}},
	{"ring.wait",
	 SYS_io_uring_enter,
	 {NO_FD, 0, 1, IORING_ENTER_GETEVENTS, 0}},
	{"ring.with_signals",
	 SYS_io_uring_enter,
	 {NO_FD, 0, 1, IORING_ENTER_GETEVENTS, NOWHERE, 8}},
	{"ring.wake",
	 SYS_io_uring_enter,
	 {NO_FD, 0, 0, IORING_ENTER_SQ_WAKEUP}},
	{"ring.enable",
	 SYS_io_uring_register,
	 {NO_FD, IORING_REGISTER_ENABLE_RINGS, 0, 0}},
	{"ring.buffers",
	 SYS_io_uring_register,
	 {NO_FD, IORING_REGISTER_BUFFERS, NOWHERE, 1}},
	{"ring.fd",
	 SYS_io_uring_register,
	 {NO_FD, IORING_REGISTER_RING_FDS, NOWHERE, 1}},
	{"sendmsg.now",
	 SYS_sendmsg,
	 {NO_FD, NOWHERE, MSG_DONTWAIT | MSG_NOSIGNAL}},
	{"sendmsg.oob", SYS_sendmsg, {NO_FD, NOWHERE, MSG_OOB}},
	{"recvmsg.now", SYS_recvmsg, {NO_FD, NOWHERE, MSG_DONTWAIT}},
	{"recvmsg.peek", SYS_recvmsg, {NO_FD, NOWHERE, MSG_PEEK}},
	{"poll.now", SYS_poll, {NOWHERE, 1, 0}},
	{"poll.wait", SYS_poll, {NOWHERE, 1, 1000}},
	{"seccomp.filter", SYS_seccomp, {SECCOMP_SET_MODE_FILTER, 0, NOWHERE}},
	{"seccomp.listener",
	 SYS_seccomp,
	 {SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, NOWHERE}},
	{"newfstatat.fd", SYS_newfstatat, {NO_FD, NOWHERE, 0, AT_EMPTY_PATH}},
	{"newfstatat.path", SYS_newfstatat, {NO_FD, NOWHERE, 0, 0}},
};

const struct probe_call *probe_calls(size_t *ret_count)
{
	*ret_count = sizeof(calls) / sizeof(calls[0]);
	return calls;
}
