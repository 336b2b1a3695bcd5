/* SPDX-License-Identifier: Apache-2.0 */
/* syscall_names.h - system calls of x86-64 Linux by number and by name. */
#pragma once
#include <stdint.h>

/** syscall_name() - e.g. "openat"; NULL: no such number was known when this
 * was built. */
const char *syscall_name(uint32_t number);

/** syscall_number() - the inverse. Return: the number or -ENOENT. */
int syscall_number(const char *name);
