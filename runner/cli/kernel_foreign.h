/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_foreign.h - name what people give as a kernel that is none of ours,
 * by the first bytes. Trusts no byte of the file. */
#pragma once

/** kernel_foreign_name() - of a file that is neither ELF nor bzImage.
 * @fd: borrowed. Return: what is wrong, to be read after "the kernel FILE ". */
const char *kernel_foreign_name(int fd);
