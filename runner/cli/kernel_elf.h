/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_elf.h - a guest kernel's ELF64 file as plan segments. Parsing happens
 * here, in the unprivileged control plane: the VMM only places bytes. */
#pragma once
#include "base/plan.h"

#include <stdbool.h>
#include <stdint.h>

enum kernel_boot {         /* --boot: by which protocol it starts */
	KERNEL_BOOT_AUTO,  /* PVH where the file has no 64-bit entry */
	KERNEL_BOOT_LINUX, /* the 64-bit protocol of Linux */
	KERNEL_BOOT_PVH,
};

struct kernel_image {
	struct plan_segment segment[PLAN_SEGMENTS_MAX];
	uint32_t segment_count;
	uint64_t entry_gpa; /* physical; in one of the segments */
	bool pvh;           /* it is PVH's, else of 64-bit mode */
	uint64_t end_gpa;   /* first byte above all segments */
};

/** kernel_elf_read() - the PT_LOAD segments at their physical addresses.
 * @fd: borrowed; the segments name it as PLAN_FD_KERNEL.
 * @ret_why: on failure what is wrong, to be read after "FILE ".
 * Return: 0, -ENOEXEC, -EINVAL or -errno of reading. */
int kernel_elf_read(int fd, enum kernel_boot boot, struct kernel_image *ret,
		    const char **ret_why);
