/* SPDX-License-Identifier: Apache-2.0 */
/* policy_install.c - put a compiled policy on the calling thread. */
#include "policies/policy_bpf.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PREFIX_MAX 8
#define FILTER_MAX 1024

/** install() - @room begins with @used instructions of ours; the role's follow.
 */
static int install(enum policy_role role, struct sock_filter room[FILTER_MAX],
		   size_t used)
{
	const struct policy_bpf *p = &policy_filters[role];
	struct sock_fprog program = {
		.len = (unsigned short)(used + p->count),
		.filter = room,
	};

	if (p->count > FILTER_MAX - used)
		return -E2BIG;
	memcpy(room + used, p->filter, p->count * sizeof(room[0]));
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return -errno;
	return 0;
}

int policy_install(enum policy_role role)
{
	struct sock_filter room[FILTER_MAX];

	return install(role, room, 0);
}

int policy_install_learning(enum policy_role role, const void *exempt)
{
	const uint64_t ip = (uint64_t)(uintptr_t)exempt;
	const uint32_t ip_at =
		offsetof(struct seccomp_data, instruction_pointer);
	const struct sock_filter prefix[PREFIX_MAX] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip_at),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)ip, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, ip_at + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(ip >> 32), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter room[FILTER_MAX];

	memcpy(room, prefix, sizeof(prefix));
	return install(role, room, PREFIX_MAX);
}
