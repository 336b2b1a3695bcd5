/* SPDX-License-Identifier: Apache-2.0 */
/* ancillary.h - what goes beside the bytes of a message: files and identity,
 * between struct msg and the program's control messages. */
#pragma once
#include <stdint.h>

struct msg;
struct socket;

/** ancillary_get() - read @bytes of control messages at @user into @m.
 * 0, -EINVAL, -EFAULT, -ENOBUFS (too long), -EPERM (another's identity),
 * -EBADF, -ENOMEM, -ETOOMANYREFS. */
int ancillary_get(const struct socket *s, struct msg *m, uint64_t user,
		  uint64_t bytes);
/** ancillary_put() - what came with @m to @user; files become descriptors.
 * Adds MSG_CTRUNC to ->flags_out when @bytes were too few. @ret: bytes
 * written. 0 or -EFAULT, -ENOMEM. */
int ancillary_put(const struct socket *s, struct msg *m, uint64_t user,
		  uint64_t bytes, uint64_t *ret);
