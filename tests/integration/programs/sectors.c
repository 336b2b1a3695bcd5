/* SPDX-License-Identifier: Apache-2.0 */
/* sectors.c - writes numbered blocks to a disk, and tells which are stable:
 *
 *	sectors write DISK BLOCKS EVERY	block n of 4 KiB at place n * 7 %
 *BLOCKS, each sector of it full of n; a flush and a line "n" after every EVERY
 *blocks; ends at the first error with its name sectors read DISK BLOCKS
 *a line "PLACE n n n n n n n n", what is in each sector
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK   4096
#define SECTOR  512
#define SECTORS (BLOCK / SECTOR)

static uint32_t block[BLOCK / sizeof(uint32_t)];

static int fail(const char *what)
{
	printf("%s: %s\n", what, strerrorname_np(errno));
	return 1;
}

static int write_all(int fd, uint32_t blocks, uint32_t every)
{
	for (uint32_t n = 1;; n++) {
		off_t at = (off_t)(n * 7 % blocks) * BLOCK;

		for (unsigned i = 0; i < BLOCK / sizeof(uint32_t); i++)
			block[i] = n;
		if (pwrite(fd, block, BLOCK, at) != BLOCK)
			return fail("write");
		if (n % every)
			continue;
		if (fsync(fd))
			return fail("fsync");
		printf("%u\n", n);
		(void)fflush(stdout);
	}
}

/** number_of() - of a sector; UINT32_MAX when it has several. */
static uint32_t number_of(const uint32_t *sector)
{
	for (unsigned i = 1; i < SECTOR / sizeof(uint32_t); i++) {
		if (sector[i] != sector[0])
			return UINT32_MAX;
	}
	return sector[0];
}

static int read_all(int fd, uint32_t blocks)
{
	for (uint32_t place = 0; place < blocks; place++) {
		if (pread(fd, block, BLOCK, (off_t)place * BLOCK) != BLOCK)
			return fail("read");
		printf("%u", place);
		for (unsigned i = 0; i < SECTORS; i++)
			printf(" %u", number_of(block +
						i * (SECTOR / sizeof(*block))));
		printf("\n");
	}
	return 0;
}

int main(int argc, char **argv)
{
	uint32_t blocks = argc > 3 ? (uint32_t)atoi(argv[3]) : 0;
	int fd;

	if (!blocks)
		return 2;
	fd = open(argv[2], argc > 4 ? O_RDWR : O_RDONLY);
	if (fd < 0)
		return fail("open");
	return argc > 4 ? write_all(fd, blocks, (uint32_t)atoi(argv[4]))
			: read_all(fd, blocks);
}
