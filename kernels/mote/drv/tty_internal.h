/* SPDX-License-Identifier: Apache-2.0 */
/* tty_internal.h - the one terminal, for tty.c and tty_ioctl.c. */
#pragma once
#include <stdint.h>

#include "kernels/mote/drv/ldisc.h"

struct tty {
	struct ldisc ldisc;
	uint16_t rows, cols;
	int foreground; /* process group, as TIOCSPGRP set it; 0: the program */
};
extern struct tty tty;

/** tty_echo() - show what the discipline wants shown, as far as the line
 * takes it now. */
void tty_echo(void);
