/* SPDX-License-Identifier: Apache-2.0 */
/* clockflag.c - clockflag PA: has the host told the guest that it was stopped?
 * PA is where the kernel has its struct pvclock_vcpu_time_info; read through
 * /dev/mem (--cmdline devmem). Clears the flag, waits until it is set. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE          4096u
#define FLAGS_AT      29u /* of the struct */
#define GUEST_STOPPED 2u  /* PVCLOCK_GUEST_STOPPED */

int main(int argc, char **argv)
{
	const struct timespec pause = {.tv_nsec = 10000000};
	int mem = open("/dev/mem", O_RDWR);
	volatile uint8_t *page;
	uint64_t pa;

	if (argc != 2 || mem < 0)
		return 2;
	pa = strtoull(argv[1], NULL, 0);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mem,
		    (off_t)(pa & ~(uint64_t)(PAGE - 1)));
	if (page == MAP_FAILED)
		return 3;
	page += pa % PAGE + FLAGS_AT;
	*page &= (uint8_t)~GUEST_STOPPED; /* as a Linux guest does, once seen */
	puts("cleared");
	fflush(stdout);
	while (!(*page & GUEST_STOPPED))
		nanosleep(&pause, NULL);
	puts("stopped");
	return 0;
}
