/* SPDX-License-Identifier: Apache-2.0 */
/* give_back.h - guest memory that goes back to the host: pages of the memfd are
 * punched out of it, changed pages of a segment are dropped. Trusts: that the
 * caller's spans are guest RAM, which it checks again. Must not: change a
 * mapping; KVM's slots stay as they are. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/** give_back() - [hva, hva + bytes), whole pages of guest RAM. @ctx: struct vm.
 * @zero: they must read as zero afterwards; those of a segment would show the
 * file again. Return: 0; -EINVAL not RAM; -EOPNOTSUPP @zero cannot be, nothing
 * happened; -errno of madvise(2), some of it may be done. */
int give_back(void *ctx, void *hva, size_t bytes, bool zero);
