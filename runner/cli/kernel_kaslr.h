/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_kaslr.h - the kernel's address space layout by chance (--kaslr): what
 * a bzImage does to itself when it unpacks itself, done on the host. The two
 * halves do not depend on each other: the kernel finds out at its entry where
 * in physical memory it lies. */
#pragma once
#include <stdint.h>

struct kernel_image;
struct plan;

/** kernel_kaslr_move() - to a random virtual address, another than the one it
 * was linked for. Work for the parser's child.
 * @fd: a vmlinux with its relocations behind it; read, and written from its
 * start, by nobody else meanwhile.
 * @ret_why: on failure what is wrong, to be read after "the kernel FILE ".
 * Return: 0; -ENOEXEC: no ELF file at all; -ENOENT: it has no relocations;
 * -EINVAL; -EFBIG; -ENOMEM; -errno of reading, writing and getrandom(2). */
int kernel_kaslr_move(int fd, const char **ret_why);

/** kernel_kaslr_place() - its segments in @plan, and its entry, to a random
 * place in physical memory, at or above where they are.
 * @kernel: as it is in the plan. @limit: first byte above that it must leave.
 * Return: 0 or -errno of getrandom(2). */
int kernel_kaslr_place(struct plan *plan, const struct kernel_image *kernel,
		       uint64_t limit);
