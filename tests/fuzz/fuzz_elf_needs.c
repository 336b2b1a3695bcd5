/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_elf_needs.c - any bytes as a program. Oracle: the sanitizers, and what
 * comes out is well-formed or explained. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/cli/elf_needs.h"
#include "tests/fuzz/fuzz_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("program", MFD_CLOEXEC);
	struct elf_needs needs;
	const char *why = NULL;
	int err;

	if (fd < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	err = elf_needs_read(fd, &needs, &why);
	if (err && (!why || !*why))
		abort();
	if (needs.interp && needs.interp[0] != '/')
		abort();
	for (size_t i = 0; i < needs.needed.count; i++) {
		if (!needs.needed.item[i][0] ||
		    strlen(needs.needed.item[i]) >= ELF_STRING_BYTES)
			abort();
	}
	elf_needs_done(&needs);
	close(fd);
	return 0;
}
