/* SPDX-License-Identifier: Apache-2.0 */
/* hoard.c - takes and frees memory as its input says, and answers each line:
 *
 *   take MIB   more memory; every word of it has to be zero, and is filled
 *   drop       all of it goes back
 *   free       how much the kernel says is free, in MiB
 *
 * Ends with 1 when memory was not zero, or is not what was written. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PIECES 64u
#define MIB    (1u << 20)

static struct {
	uint64_t *at;
	size_t bytes;
} piece[PIECES];
static unsigned pieces;

static void fail(const char *what)
{
	printf("%s\n", what);
	exit(1);
}

static void take(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint64_t *word = p;

	if (p == MAP_FAILED || pieces == PIECES)
		fail("no memory");
	for (size_t i = 0; i < bytes / sizeof(*word); i++) {
		if (word[i])
			fail("fresh memory is not zero");
		word[i] = ~(uint64_t)i;
	}
	piece[pieces].at = word;
	piece[pieces++].bytes = bytes;
}

static void drop(void)
{
	while (pieces--) {
		uint64_t *word = piece[pieces].at;
		size_t bytes = piece[pieces].bytes;

		for (size_t i = 0; i < bytes / sizeof(*word); i++) {
			if (word[i] != ~(uint64_t)i)
				fail("memory has changed");
		}
		munmap(word, bytes);
	}
	pieces = 0;
}

static unsigned long mib_free(void)
{
	FILE *info = fopen("/proc/meminfo", "r");
	unsigned long kib = 0;
	char line[128];

	while (info && fgets(line, sizeof(line), info))
		sscanf(line, "MemFree: %lu", &kib);
	if (info)
		fclose(info);
	return kib / 1024;
}

int main(void)
{
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "take ", 5)) {
			take(strtoul(line + 5, NULL, 10) * MIB);
			puts("taken");
		} else if (!strcmp(line, "drop\n")) {
			drop();
			puts("dropped");
		} else {
			printf("%lu\n", mib_free());
		}
	}
	return 0;
}
