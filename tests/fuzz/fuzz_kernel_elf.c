/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_kernel_elf.c - any bytes as a kernel. Oracle: segments that come out
 * lie in the file, in low memory, apart from each other, and hold the entry. */
#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/cli/kernel_elf.h"
#include "tests/fuzz/fuzz_driver.h"

static void check(const struct kernel_image *k, uint64_t file_bytes)
{
	bool entry = false;

	if (!k->segment_count || k->segment_count >= PLAN_SEGMENTS_MAX)
		abort();
	for (uint32_t i = 0; i < k->segment_count; i++) {
		const struct plan_segment *s = &k->segment[i];

		if (s->file_offset > file_bytes ||
		    s->file_bytes > file_bytes - s->file_offset ||
		    s->file_bytes > s->mem_bytes || s->gpa > PLAN_GAP_START ||
		    s->mem_bytes > PLAN_GAP_START - s->gpa ||
		    s->gpa + s->mem_bytes > k->end_gpa)
			abort();
		entry |= k->entry_gpa >= s->gpa &&
			 k->entry_gpa - s->gpa < s->mem_bytes;
	}
	if (!entry)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("kernel", MFD_CLOEXEC);
	struct kernel_image k;
	const char *why = NULL;
	/* One byte of the identification that nobody looks at chooses. */
	enum kernel_boot boot =
		size > EI_PAD ? data[EI_PAD] % 3 : KERNEL_BOOT_AUTO;

	if (fd < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	if (!kernel_elf_read(fd, boot, &k, &why))
		check(&k, size);
	else if (!why || !*why)
		abort();
	close(fd);
	return 0;
}
