/* SPDX-License-Identifier: Apache-2.0 */
/* net_user.h - a network for who is not root: passt, one process a VM, turns
 * the guest's frames into sockets of the calling user.
 *
 *   ampoule --fork--> passt (in an empty root, own namespaces but the
 * network's, |                ^     no capabilities, its own seccomp policy)
 *      `--> vm:NAME ----'  a stream socket, made here
 *
 * passt rather than libslirp: it is a process of its own that locks itself in
 * before it reads the first frame, allocates nothing while it runs, and has no
 * place in ours. It ends with its socket, and so with the VM. */
#pragma once
#include "runner/cli/net_option.h"

#include <sys/types.h>

struct problem;

/** net_user_start() - start passt and wait until it answers.
 * @o: own[0], gateway and resolver[0] are filled in; @mac: the guest's.
 * @ret_fd: for the VMM, owned by the caller, does not block;
 * @ret_pid: to be killed and waited for when the VM has ended.
 * Return: 0 or negative with @why. */
int net_user_start(const struct net_option *o, const uint8_t mac[6],
		   uint32_t mtu, int *ret_fd, pid_t *ret_pid,
		   struct problem *why);

/** net_user_stop() - the end of passt, if it has not ended by itself. */
void net_user_stop(pid_t pid);
