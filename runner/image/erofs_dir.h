/* SPDX-License-Identifier: Apache-2.0 */
/* erofs_dir.h - a directory as EROFS stores it. Pure. */
#pragma once
#include <stdint.h>

struct node;

/** erofs_dir_bytes() - how long it will be. Return: 0: out of memory. */
uint64_t erofs_dir_bytes(const struct node *dir);

/** erofs_dir_fill() - @ret: zeroes, erofs_dir_bytes() long. All inodes have
 * their places. Return: 0, -ENOMEM. */
int erofs_dir_fill(const struct node *dir, uint8_t *ret);
