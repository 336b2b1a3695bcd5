/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.c - a terminal for shell scripts: runs a command on a pseudo
 * terminal of 24 x 80, prints what it prints, and makes that 50 x 132 and tells
 * the command once it has said "ready".
 *
 *   terminal COMMAND [ARGUMENT...] */
#include <errno.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "terminal: %s: %s\n", what, strerror(errno));
	exit(1);
}

/** is_ready() - is the word in what was read so far? Its beginning is kept,
 * which is where a command says it. */
static bool is_ready(const char *bytes, size_t count)
{
	static char text[4096];
	static size_t used;

	if (count > sizeof(text) - 1 - used)
		count = sizeof(text) - 1 - used;
	memcpy(text + used, bytes, count);
	used += count;
	return strstr(text, "ready");
}

int main(int argc, char **argv)
{
	const struct winsize before = {.ws_row = 24, .ws_col = 80};
	const struct winsize after = {.ws_row = 50, .ws_col = 132};
	bool resized = false;
	char buffer[1024];
	int status, master;
	pid_t child;
	ssize_t n;

	must(argc > 1, "no command");
	child = forkpty(&master, NULL, NULL, &before);
	must(child >= 0, "forkpty");
	if (!child) {
		execvp(argv[1], argv + 1);
		must(0, argv[1]);
	}
	/* Linux says EIO when the last of the other side has closed it. */
	while ((n = read(master, buffer, sizeof(buffer))) > 0) {
		must(write(STDOUT_FILENO, buffer, (size_t)n) == n, "write");
		if (resized || !is_ready(buffer, (size_t)n))
			continue;
		/* The terminal tells its foreground, the command. */
		must(!ioctl(master, TIOCSWINSZ, &after), "TIOCSWINSZ");
		resized = true;
	}
	must(waitpid(child, &status, 0) == child, "wait");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
