/* SPDX-License-Identifier: Apache-2.0 */
/* own_pages.c - see own_pages.h. The kernel maps 16 pages for each that is
 * touched, so that libc's start, the checks of the plan and the making of the
 * VM leave nearly all of the program in the page table: half a MiB that counts
 * as a VM's memory. Must not: touch a segment that can be written; what the
 * dynamic relocations changed is in no file. */
#include "runner/vmm/own_pages.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#define PAGE 4096u

/* Where the program begins. */
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl*): the linker's name */
extern const Elf64_Ehdr __ehdr_start[] __attribute__((visibility("hidden")));

/** let_go() - of the whole pages of a segment. */
static int let_go(const Elf64_Phdr *p)
{
	uintptr_t base = (uintptr_t)__ehdr_start;
	uintptr_t from = (base + p->p_vaddr) / PAGE * PAGE;
	uintptr_t to = (base + p->p_vaddr + p->p_filesz) / PAGE * PAGE;

	if (to <= from)
		return 0;
	/* NOLINTNEXTLINE(performance-no-int-to-ptr): our own addresses */
	return madvise((void *)from, to - from, MADV_DONTNEED) ? -errno : 0;
}

int own_pages_let_go(void)
{
	const Elf64_Phdr *p = (const void *)((const char *)__ehdr_start +
					     __ehdr_start->e_phoff);
	int err = 0;

	/* From the end: the first segment has this table. */
	for (unsigned i = __ehdr_start->e_phnum; i-- > 0 && !err;) {
		if (p[i].p_type == PT_LOAD && !(p[i].p_flags & PF_W))
			err = let_go(&p[i]);
	}
	return err;
}
