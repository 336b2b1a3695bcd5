/* SPDX-License-Identifier: Apache-2.0 */
/* clean.h - free blocks of 2 MiB that the host has taken the memory of: they
 * read as zero and must not be touched before they are needed, so what is known
 * of them lies in a table of its own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/** clean_push() - @pa is one of them now. @frame_end: of all RAM, in pages.
 * Return: false: no memory for the table. */
bool clean_push(uint64_t pa, uint64_t frame_end);
/** clean_pop() - use one. 0: none. */
uint64_t clean_pop(void);
