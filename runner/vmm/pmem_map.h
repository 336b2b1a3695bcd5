/* SPDX-License-Identifier: Apache-2.0 */
/* pmem_map.h - files of the plan as guest memory, each in a slot of its own.
 * Trusts: a checked plan. Must not: read or write what the files hold.
 *
 *	file    0 ................ file_bytes
 *	host    its pages in the page cache | zero page, again and again
 *	guest   gpa .................................... gpa + map_bytes
 *
 * Read-only, all VMs that have the file share the page cache's pages; private,
 * a page that the guest writes becomes a copy of its own. */
#pragma once
#include "runner/vmm/stop.h"
#include "runner/vmm/vm.h"

/** pmem_map() - map all and give them to the guest; closes their fds.
 * @stop: learns where the files are, to tell why a page of one is missing.
 * Phase: set-up. Return: 0; -errno, @ret_why set where there is more to say. */
int pmem_map(struct vm *vm, const struct plan *plan, struct stop *stop,
	     const char **ret_why);

/** pmem_check_width() - do they lie where a CPU with @bits address lines can
 * reach? Return: 0, or -E2BIG with @ret_why. */
int pmem_check_width(const struct plan *plan, unsigned bits,
		     const char **ret_why);
