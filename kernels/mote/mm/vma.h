/* SPDX-License-Identifier: Apache-2.0 */
/* vma.h - the sorted list of areas, for fault.c and mmap.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/mm/vm.h"

/** vma_free_range() - highest gap of @bytes below vm->mmap_top, aligned to
 * @align (power of two). 0: none. */
uint64_t vma_free_range(struct vm *vm, uint64_t bytes, uint64_t align);
/** vma_split_at() - make @addr a border between areas. 0 or -ENOMEM. */
int vma_split_at(struct vm *vm, uint64_t addr);
/** vma_is_free() - nothing mapped in [start, end)? */
bool vma_is_free(struct vm *vm, uint64_t start, uint64_t end);
/** vma_merge_around() - join equal neighbours in and beside [start, end). */
void vma_merge_around(struct vm *vm, uint64_t start, uint64_t end);
/** vm_populate() - map at once what of a new, not too large area of a file
 * lies in place; what does not is left to faults. */
void vm_populate(struct vm *vm, const struct vma *v);
