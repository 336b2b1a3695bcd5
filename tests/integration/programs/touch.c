/* SPDX-License-Identifier: Apache-2.0 */
/* touch.c - touch BYTES of memory, one write a page, and read it back. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE 4096u

int main(int argc, char **argv)
{
	size_t bytes = argc > 1 ? strtoull(argv[1], NULL, 0) : 1u << 20;
	unsigned char *p =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	puts("mapped");
	fflush(stdout);
	for (size_t at = 0; at < bytes; at += PAGE)
		p[at] = (unsigned char)(at / PAGE % 251);
	for (size_t at = 0; at < bytes; at += PAGE) {
		if (p[at] != at / PAGE % 251 || p[at + 1] != 0) {
			printf("page at %zu is wrong\n", at);
			return 1;
		}
	}
	printf("touched %zu\n", bytes);
	if (argc > 2) { /* wait for a byte, so that one can look from outside */
		fflush(stdout);
		getchar();
	}
	return 0;
}
