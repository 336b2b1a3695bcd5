/* SPDX-License-Identifier: Apache-2.0 */
/* policy_names.h - the words of policy files: constants, arguments, errnos, and
 * what no policy may ever allow. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct policy_arg {
	uint8_t index;
	bool word; /* the kernel takes it as 32 bits */
};

/** policy_constant() - by name, e.g. "KVM_RUN". Return: 0 or -ENOENT. */
int policy_constant(const char *name, uint64_t *ret);

/** policy_errno() - by name, e.g. "ENOSYS". Return: the errno or -ENOENT. */
int policy_errno(const char *name);

/** policy_arg() - an argument of a call by name; arg0 to arg5 work for any.
 * Return: 0 or -ENOENT. */
int policy_arg(const char *call, const char *name, struct policy_arg *ret);

/** policy_args_of() - the names of a call's arguments, for a hint; "". */
const char *policy_args_of(const char *call);

/** policy_never() - why no policy may allow this call; NULL: it may. */
const char *policy_never(const char *call);

/** policy_opens() - exceptions to that, roles that are no part of a VMM:
 * `parse` opens files, and only to read them; `vsock` connects. */
bool policy_opens(const char *role, const char *call);

/** policy_rings() - the other one: rings for disks. They are made and
 * restricted (devices-virtio/blk_uring.c) under `start`; whoever runs later can
 * but enter those. */
bool policy_rings(const char *role, const char *call);

/** policy_stands_alone() - does a process have the role from the beginning, or
 * is it put on top of `start`? */
bool policy_stands_alone(const char *role);

/** policy_needs_terms() - a call that can do everything, depending on its
 * arguments. */
bool policy_needs_terms(const char *call);

/** policy_maps_memory() - a call whose argument `prot` must exclude PROT_EXEC.
 */
bool policy_maps_memory(const char *call);
