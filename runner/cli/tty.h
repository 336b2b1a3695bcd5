/* SPDX-License-Identifier: Apache-2.0 */
/* tty.h - the user's terminal while a program in a VM has it: raw, because the
 * guest's kernel does the line editing, and put back at every end of ours. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <termios.h>

struct tty {
	bool raw;
	struct termios saved;
};

/** tty_raw() - make the terminal on stdin raw. Return: 0 or -errno. */
int tty_raw(struct tty *tty);
/** tty_restore() - put it back as it was; nothing if it is not raw. */
void tty_restore(struct tty *tty);
#define cleanup_tty __attribute__((cleanup(tty_restore)))

/** tty_size() - of the terminal on stdout, as the value that goes with
 * SIGURG to the VMM: rows << 16 | columns; 0: unknown. */
uint32_t tty_size(void);
