/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_helper.h - the child that holds the host's sockets of a VM. A VMM opens
 * and connects nothing: this child does it, passes each connection on as an fd
 * (base/vsock_wire.h), and never sees what is said on it.
 *
 *	client --connect--> PATH     helper --SCM_RIGHTS--> VMM <-> guest
 *	PATH_P <--connect--          helper <--"port P"---- VMM <-> guest
 *
 * It has the policy `vsock`, the caller's id without capabilities but the one
 * to connect where the caller may, and three fds. It ends with the VM. */
#pragma once

struct vsock_host;

/** vsock_helper() - in the child: never returns.
 * @h: where the listening socket @listen_fd lies. @vmm_fd: SOCK_SEQPACKET. */
_Noreturn void vsock_helper(const struct vsock_host *h, int listen_fd,
			    int vmm_fd);
