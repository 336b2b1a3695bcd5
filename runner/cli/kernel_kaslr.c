/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_kaslr.c - the kernel's address space layout by chance. */
#include "runner/cli/kernel_kaslr.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/plan.h"
#include "runner/cli/bzimage.h"
#include "runner/cli/elf_file.h"
#include "runner/cli/kernel_elf.h"
#include "runner/cli/kernel_reloc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

/** draw() - a number below @count (> 0). 64 bits are so many more than there
 * are places that the remainder favours none. */
static int draw(uint64_t count, uint64_t *ret)
{
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -errno;
	*ret = random % count;
	return 0;
}

/** rewrite() - @file, all of @elf, moved, back to where it came from. */
static int rewrite(const struct elf_file *elf, uint8_t *file,
		   const char **ret_why)
{
	struct kernel_reloc r;
	uint64_t steps = 0;
	int err = kernel_reloc_find(elf, file, &r, ret_why);

	if (err)
		return err;
	*ret_why =
		"cannot be moved by --kaslr: the host gives no random number";
	err = draw(r.steps, &steps);
	if (err)
		return err;
	err = kernel_reloc_apply(&r, file, steps + 1, ret_why);
	if (err)
		return err;
	*ret_why = "cannot be moved by --kaslr: it cannot be written";
	if (lseek(elf->fd, 0, SEEK_SET) < 0)
		return -errno;
	return fd_write_all(elf->fd, file, elf->file_bytes);
}

int kernel_kaslr_move(int fd, const char **ret_why)
{
	cleanup_elf_file struct elf_file elf = {.fd = -1};
	cleanup_free uint8_t *file = NULL;
	int err = elf_file_read(fd, &elf, ret_why);

	if (err)
		return err;
	*ret_why = "is larger than 512 MiB";
	if (elf.file_bytes > BZIMAGE_VMLINUX_MAX)
		return -EFBIG;
	*ret_why = "takes more memory to be moved than there is";
	file = malloc(elf.file_bytes);
	if (!file)
		return -ENOMEM;
	*ret_why = "cannot be read";
	err = fd_pread_all(fd, file, elf.file_bytes, 0);
	return err ? err : rewrite(&elf, file, ret_why);
}

int kernel_kaslr_place(struct plan *plan, const struct kernel_image *kernel,
		       uint64_t limit)
{
	uint64_t room = limit > kernel->end_gpa ? limit - kernel->end_gpa : 0;
	uint64_t steps = 0, delta;
	int err = draw(room / KERNEL_RELOC_STEP + 1, &steps);

	if (err)
		return err;
	delta = steps * KERNEL_RELOC_STEP;
	for (uint32_t i = 0; i < kernel->segment_count; i++)
		plan->segment[i].gpa += delta;
	plan->entry_gpa += delta;
	return 0;
}
