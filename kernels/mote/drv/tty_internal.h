/* SPDX-License-Identifier: Apache-2.0 */
/* tty_internal.h - the one terminal, for tty.c and tty_ioctl.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/drv/ldisc.h"
#include "kernels/mote/proc/terminal.h"
#include "kernels/mote/proc/waitq.h"

struct tty {
	struct ldisc ldisc;
	uint16_t rows, cols;
	struct waitq waitq;  /* input came, output goes on, a writer is done */
	bool writing;        /* a thread is processing output */
	struct terminal job; /* job control */
};
extern struct tty tty;

/** tty_echo() - show what the discipline wants shown, as far as the line
 * takes it now. */
void tty_echo(void);
