/* SPDX-License-Identifier: Apache-2.0 */
/* syscall.c - the table of system calls. entry.S indexes it; an empty slot is
 * a call that is missing. */
#include "kernels/mote/proc/syscall.h"

#include <asm/unistd.h>
#include <errno.h>

#include "kernels/mote/proc/missing.h"

/* Unlisted slots are filled first, then the table names its calls. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
syscall_fn *const syscall_table[SYSCALLS] = {
	[0 ... SYSCALLS - 1] = syscall_missing,
#define SYSCALL(number, name) [number] = sys_##name,
#include "kernels/mote/proc/syscall.tbl"
#undef SYSCALL
};
#pragma GCC diagnostic pop

long syscall_missing(struct regs *r)
{
	missing_count(r->error);
	return -ENOSYS;
}

int syscall_may_restart(uint64_t number)
{
	switch (number) {
	case __NR_read:
	case __NR_readv:
	case __NR_write:
	case __NR_writev:
	case __NR_pread64:
	case __NR_pwrite64:
	case __NR_ioctl:
	case __NR_open:
	case __NR_openat:
	case __NR_sendfile:
	case __NR_fcntl:
	case __NR_flock:
	case __NR_futex:
	case __NR_wait4:
	case __NR_waitid:
	case __NR_getrandom:
	case __NR_accept:
	case __NR_accept4:
	case __NR_connect:
	case __NR_sendto:
	case __NR_sendmsg:
	case __NR_sendmmsg:
	case __NR_recvfrom:
	case __NR_recvmsg:
	case __NR_recvmmsg:
		return 1;
	default:
		return 0;
	}
}
