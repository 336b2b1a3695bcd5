/* SPDX-License-Identifier: Apache-2.0 */
/* own_pages.h - what of the VMM's own program stays in memory. */
#pragma once

/** own_pages_let_go() - of the program's code and constants, all pages: those
 * that are used again come back from the host's page cache, where all VMMs
 * share them; those that only the start needed do not. Phase: end of set-up;
 * any thread. Return: 0 or -errno of madvise(2). */
int own_pages_let_go(void);
