/* SPDX-License-Identifier: Apache-2.0 */
/* writes.c - writes N [BYTES]: N numbered lines to stdout and to stderr,
 * one write(2) a line, in turn. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_line(int fd, long n, size_t pad)
{
	char line[8192];
	int len = snprintf(line, sizeof(line), "%d %ld ", fd, n);

	if (pad > sizeof(line) - 64)
		pad = sizeof(line) - 64;
	memset(line + len, 'a' + (int)(n % 26), pad);
	line[(size_t)len + pad] = '\n';
	for (size_t at = 0, end = (size_t)len + pad + 1; at < end;) {
		ssize_t got = write(fd, line + at, end - at);

		if (got < 0)
			return -errno;
		at += (size_t)got;
	}
	return 0;
}

int main(int argc, char **argv)
{
	long count = argc > 1 ? atol(argv[1]) : 10;
	size_t pad = argc > 2 ? strtoull(argv[2], NULL, 0) : 0;

	for (long n = 0; n < count; n++)
		if (write_line(1, n, pad) < 0 || write_line(2, n, pad) < 0)
			return 1;
	return 0;
}
