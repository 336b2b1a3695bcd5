/* SPDX-License-Identifier: Apache-2.0 */
/* paging.h - the kernel's own page tables after boot: dropping the identity
 * map, and the direct map of what lies above 4 GiB. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct page_range;

/** paging_init() - end the boot-time mappings; map @ram above 4 GiB, by 2 MiB
 * pages where the CPU has no larger ones. Runs before page_init().
 * @ret_used: memory taken for that from the end of the first range that has
 * room below 1 GiB; start == end if none. */
void paging_init(const struct page_range *ram, unsigned ram_count,
		 const struct page_range *keep, unsigned keep_count,
		 struct page_range *ret_used);

/** paging_map_read_only() - show @range, which is no RAM and above 4 GiB, in
 * the direct map. Runs after page_init(). 0, -EINVAL out of reach, -ENOMEM. */
int paging_map_read_only(const struct page_range *range);

/** paging_low_executable() - may the page at AP_CODE_PA be executed where it
 * lies, by a CPU that starts? */
void paging_low_executable(bool on);

/** paging_drop() - on an emulated host: make the kernel CPL 3 code from here
 * on (gate.S). After pcpu_init(). */
void paging_drop(void);
