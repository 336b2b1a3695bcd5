/* SPDX-License-Identifier: Apache-2.0 */
/* policy_role.h - the kinds of threads that have a policy of their own. The
 * order is that of the files in policies/meson.build. */
#pragma once

enum policy_role {
	POLICY_START, /* every thread, from main() to the barrier */
	POLICY_VCPU,  /* a thread that runs the guest */
	POLICY_LOOP,  /* the event loop */
	POLICY_WAIT,  /* the main thread, once the others work */
	POLICY_IO,    /* a thread that waits for a disk, without io_uring */
	POLICY_PARSE, /* not the VMM: the command's child that reads files */
	POLICY_VSOCK, /* nor this: the child that holds a VM's host sockets */
	POLICY_ROLES
};
