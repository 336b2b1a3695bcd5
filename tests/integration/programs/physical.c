/* SPDX-License-Identifier: Apache-2.0 */
/* physical.c - /dev/mem and /proc/self/pagemap. */
#include "physical.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PRESENT  (1ull << 63)
#define FRAME(e) ((e) & ((1ull << 55) - 1))

static int device(void)
{
	static int fd = -1;

	if (fd >= 0)
		return fd;
	fd = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	if (fd < 0) {
		printf("/dev/mem: %s\n", strerror(errno));
		exit(3);
	}
	return fd;
}

void *physical_try(uint64_t pa, uint64_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
			device(), (off_t)pa);

	return at == MAP_FAILED ? NULL : at;
}

void *physical_map(uint64_t pa, uint64_t bytes)
{
	void *at = physical_try(pa, bytes);

	if (!at) {
		printf("mmap of 0x%llx: %s\n", (unsigned long long)pa,
		       strerror(errno));
		exit(3);
	}
	return at;
}

/** frame() - of the page at @va; 0 where the kernel does not tell. */
static uint64_t frame(int pagemap, const uint8_t *va)
{
	uint64_t entry = 0;

	if (pread(pagemap, &entry, sizeof(entry),
		  (off_t)((uintptr_t)va / PAGE * sizeof(entry))) !=
		    sizeof(entry) ||
	    !(entry & PRESENT))
		return 0;
	return FRAME(entry);
}

void physical_pages(struct page *page, unsigned count, uint64_t spare)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint8_t *ours;

	if (pagemap < 0) {
		ours = physical_map(spare, (uint64_t)count * PAGE);
	} else {
		ours = mmap(NULL, (size_t)count * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (ours == MAP_FAILED ||
		    mlock(ours, (size_t)count * PAGE) < 0) {
			printf("pages: %s\n", strerror(errno));
			exit(3);
		}
	}
	for (unsigned i = 0; i < count; i++) {
		page[i].va = ours + (size_t)i * PAGE;
		page[i].pa = pagemap < 0 ? spare + (uint64_t)i * PAGE
					 : frame(pagemap, page[i].va) * PAGE;
		if (!page[i].pa) {
			printf("pagemap: no address of a page\n");
			exit(3);
		}
	}
	if (pagemap >= 0)
		close(pagemap);
}
