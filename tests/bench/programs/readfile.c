/* SPDX-License-Identifier: Apache-2.0 */
/* readfile.c - a file from its beginning to its end, twice: readfile FILE
 *
 * read(2) by 1 MiB. Prints the nanoseconds of the first and the second time. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define PIECE_BYTES (1u << 20)

static char piece[PIECE_BYTES];

static uint64_t read_all(const char *path)
{
	uint64_t begin = clock_ns();
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0) {
		perror(path);
		exit(1);
	}
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		;
	if (n < 0) {
		perror(path);
		exit(1);
	}
	close(fd);
	return clock_ns() - begin;
}

int main(int argc, char **argv)
{
	uint64_t first, second;

	if (argc != 2)
		return 2;
	memset(piece, 1, sizeof(piece)); /* its own faults are not the file's */
	first = read_all(argv[1]);
	second = read_all(argv[1]);
	printf("%llu %llu\n", (unsigned long long)first,
	       (unsigned long long)second);
	return 0;
}
