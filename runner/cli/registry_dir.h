/* SPDX-License-Identifier: Apache-2.0 */
/* registry_dir.h - where the registry lies, and that it is safe there. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct problem;

/** registry_dir_open() - the first of the places that is there, or, with
 * @create, that can be made. A place that others own or may write to is
 * refused.
 * @ret_path: where it is, or would be.
 * Return: the fd, owned by the caller; -ENOENT: none yet; -EINVAL with @why. */
int registry_dir_open(bool create, char *ret_path, size_t cap,
		      struct problem *why);
