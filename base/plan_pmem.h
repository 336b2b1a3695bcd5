/* SPDX-License-Identifier: Apache-2.0 */
/* plan_pmem.h - the files that a plan maps into the guest: are they where no
 * other memory is? A part of plan_check(). */
#pragma once
#include "base/plan.h"

/** plan_check_pmem() - one of them, by itself.
 * Return: NULL, or a static sentence that names the field. */
const char *plan_check_pmem(const struct plan_device *dev);

/** plan_check_pmems() - all, against RAM and each other. */
const char *plan_check_pmems(const struct plan *plan);

/** plan_pmem_floor() - the lowest address that pmem may have, beside
 * @mem_bytes of RAM. */
uint64_t plan_pmem_floor(uint64_t mem_bytes);

/** plan_pmem_bytes() - what a file of @file_bytes takes of the guest's address
 * space. Return: 0 for an empty file, or one that is too large. */
uint64_t plan_pmem_bytes(uint64_t file_bytes);
