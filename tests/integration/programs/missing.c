/* SPDX-License-Identifier: Apache-2.0 */
/* missing.c - calls that no small kernel has, to see them named. */
#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	for (int i = 0; i < 3; i++)
		syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0);
	printf("bpf %ld errno %d\n", syscall(SYS_bpf, 0, NULL, 0), errno);
	syscall(999);
	return 0;
}
