/* SPDX-License-Identifier: Apache-2.0 */
/* bootparam.h - what the VMM told us, whichever protocol it used. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "kernels/mote/mm/page.h"

#define BOOT_RAM_MAX 16u

struct bootinfo;

struct boot {
	struct page_range ram[BOOT_RAM_MAX];
	unsigned ram_count;
	struct page_range initrd;       /* physical; start == end: none */
	const char *cmdline;            /* never NULL */
	const struct bootinfo *devices; /* NULL: not our VMM */
	const void *seed;               /* NULL: none given */
	size_t seed_bytes;
};

/** boot_parse() - read the boot_params at @params_pa (Linux 64-bit protocol)
 * or, when that is 0, the hvm_start_info at @start_info_pa (PVH). Pointers in
 * @ret go into the VMM's memory, below the first MiB or in reserved pages:
 * they are used before the first page is handed out. */
void boot_parse(uint64_t params_pa, uint64_t start_info_pa, struct boot *ret);
