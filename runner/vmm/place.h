/* SPDX-License-Identifier: Apache-2.0 */
/* place.h - put the plan's segments (kernel, initrd) into guest RAM. Trusts:
 * the ranges of a checked plan; not the files, which may be shorter. Must not:
 * interpret a byte of them. */
#pragma once
#include "base/plan.h"
#include "runner/vmm/vm.h"

/** place_segments() - map or read every segment; before vm_add_slots().
 * Whole pages are mapped, MAP_PRIVATE, when file and guest offsets agree
 * modulo the page size and RAM is not in huge pages; the rest is read. RAM
 * beyond a segment's file bytes stays zero.
 * Return: 0; -ENODATA a file is shorter than its segment; -errno. */
int place_segments(struct vm *vm, const struct plan *plan);
