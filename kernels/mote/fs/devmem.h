/* SPDX-License-Identifier: Apache-2.0 */
/* devmem.h - /dev/mem: physical addresses as a file, for tests of the devices.
 * It is there only where the VMM's command line for the kernel has the word
 * "devmem": whoever can open it owns this kernel. */
#pragma once
#include <stdbool.h>

struct inode_ops;

/** devmem_init() - @cmdline: the kernel's command line. */
void devmem_init(const char *cmdline);
/** devmem_is_on() - does /dev/mem exist? */
bool devmem_is_on(void);

extern const struct inode_ops devmem_inode_ops;
