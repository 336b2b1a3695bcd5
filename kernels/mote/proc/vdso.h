/* SPDX-License-Identifier: Apache-2.0 */
/* vdso.h - the page of code that programs find by AT_SYSINFO_EHDR, and the one
 * below it that tells the time (kernels/mote/vdso). */
#pragma once
#include <stdint.h>

struct vm;

#define VDSO_BYTES 4096u

extern const uint8_t vdso_image[VDSO_BYTES];

/** vdso_map() - both, from @at on, where two pages are free.
 * @ret_image: what AT_SYSINFO_EHDR says. 0 or -ENOMEM. */
int vdso_map(struct vm *vm, uint64_t at, uint64_t *ret_image);
