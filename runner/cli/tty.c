/* SPDX-License-Identifier: Apache-2.0 */
/* tty.c - the user's terminal while a program in a VM has it. */
#include "runner/cli/tty.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

int tty_raw(struct tty *tty)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &tty->saved) < 0)
		return -errno;
	raw = tty->saved;
	cfmakeraw(&raw);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return -errno;
	tty->raw = true;
	return 0;
}

void tty_restore(struct tty *tty)
{
	int saved = errno;

	if (tty->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &tty->saved);
	tty->raw = false;
	errno = saved;
}

uint32_t tty_size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return (uint32_t)size.ws_row << 16 | size.ws_col;
}
