/* SPDX-License-Identifier: Apache-2.0 */
/* kmalloc.h - small kernel objects in power-of-two size classes from 16 bytes
 * to half a page; larger requests take whole pages. NULL when memory is out. */
#pragma once
#include <stddef.h>

void *kmalloc(size_t bytes);
void *kzalloc(size_t bytes);
void kfree(void *p); /* NULL is fine */
