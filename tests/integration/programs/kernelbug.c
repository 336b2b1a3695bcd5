/* SPDX-License-Identifier: Apache-2.0 */
/* kernelbug.c - a bug in the guest kernel, made to order: bytes are written
 * over one of its functions, by /dev/mem, and the function is called. The case
 * looks at how the VM ends.
 *
 * Usage: kernelbug PHYSICAL_ADDRESS BYTES_IN_HEX SYSCALL [thread] */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u

static int patch(uint64_t at, const char *hex)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	uint8_t *page = fd < 0 ? MAP_FAILED
			       : mmap(NULL, 2 * (size_t)PAGE,
				      PROT_READ | PROT_WRITE, MAP_SHARED, fd,
				      (off_t)(at & ~(uint64_t)(PAGE - 1)));
	uint8_t byte[8];
	size_t n = 0;
	unsigned value;

	if (page == MAP_FAILED)
		return -1;
	for (; n < sizeof(byte) && sscanf(hex + 2 * n, "%2x", &value) == 1; n++)
		byte[n] = (uint8_t)value;
	memcpy(page + at % PAGE, byte, n);
	return 0;
}

static void *call(void *number)
{
	syscall(*(long *)number, 0, 0, 0);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread;
	long number;

	if (argc < 4 || patch(strtoull(argv[1], NULL, 16), argv[2]) != 0) {
		perror("kernelbug: /dev/mem");
		return 1;
	}
	number = atol(argv[3]);
	if (argc > 4 && pthread_create(&thread, NULL, call, &number) == 0)
		pthread_join(thread, NULL);
	else
		call(&number);
	puts("still here");
	return 0;
}
