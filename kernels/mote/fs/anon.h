/* SPDX-License-Identifier: Apache-2.0 */
/* anon.h - descriptors of kernel objects that have no place in the tree. */
#pragma once
#include <stdint.h>

struct file_ops;

/** anon_fd() - a new descriptor, open for reading and writing, of kmalloc'ed
 * @object (the file's ->private). @ops: its ->release frees the object.
 * @name: as /proc shows it, static. @flags: O_NONBLOCK | O_CLOEXEC.
 * The object is taken over, also on failure.
 * Return: number, -EMFILE, -ENOMEM. */
int anon_fd(const char *name, const struct file_ops *ops, void *object,
	    uint32_t flags);
