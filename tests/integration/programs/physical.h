/* SPDX-License-Identifier: Apache-2.0 */
/* physical.h - the physical memory of a guest as its root reaches it: devices
 * by /dev/mem, pages of one's own by address. In mote started with --cmdline
 * devmem all of RAM lies open; Linux with STRICT_DEVMEM shows only what is no
 * RAM (with iomem=relaxed), and /proc/self/pagemap tells where a page is. */
#pragma once
#include <stdint.h>

#define PAGE 4096u

struct page {
	uint8_t *va;
	uint64_t pa;
};

/** physical_map() - @bytes from @pa on, uncached. Return: never NULL; ends the
 * program with status 3 and a line when the kernel refuses. */
void *physical_map(uint64_t pa, uint64_t bytes);

/** physical_try() - the same. Return: NULL when the kernel refuses. */
void *physical_try(uint64_t pa, uint64_t bytes);

/** physical_pages() - @count pages of RAM that devices can be pointed at: of
 * this process, or those from @spare on, which nobody uses. */
void physical_pages(struct page *page, unsigned count, uint64_t spare);
