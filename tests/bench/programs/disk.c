/* SPDX-License-Identifier: Apache-2.0 */
/* disk.c - requests to a disk: disk DEVICE KIND DEPTH BYTES MS
 *
 * KIND is randread, randwrite, seqread or seqwrite; DEPTH threads make requests
 * of BYTES for MS milliseconds, each one after the other. Prints "KIND" and two
 * numbers: nanoseconds, requests. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define DEPTH_MAX 64
#define BYTES_MAX (1u << 20)

static struct {
	int fd;
	bool writes, random;
	size_t bytes;
	uint64_t places, end_ns;
	_Atomic uint64_t next, done;
	_Atomic int error;
} job;

static uint64_t next_place(uint64_t *seed)
{
	if (!job.random)
		return job.next++ % job.places;
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed % job.places;
}

static void *work(void *arg)
{
	uint64_t seed = 88172645463325252ull * (1 + (uintptr_t)arg);
	uint8_t *buf = aligned_alloc(4096, BYTES_MAX);

	if (!buf)
		job.error = ENOMEM;
	else
		memset(buf, 1, BYTES_MAX);
	while (!job.error && clock_ns() < job.end_ns) {
		off_t at = (off_t)(next_place(&seed) * job.bytes);
		ssize_t n = job.writes ? pwrite(job.fd, buf, job.bytes, at)
				       : pread(job.fd, buf, job.bytes, at);

		if (n != (ssize_t)job.bytes)
			job.error = n < 0 ? errno : EIO;
		job.done++;
	}
	free(buf);
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[DEPTH_MAX];
	uint64_t start;
	int depth;

	if (argc != 6)
		return 2;
	job.writes = strstr(argv[2], "write") != NULL;
	job.random = !strncmp(argv[2], "rand", 4);
	depth = atoi(argv[3]);
	job.bytes = (size_t)atoi(argv[4]);
	job.fd = open(argv[1], job.writes ? O_RDWR : O_RDONLY);
	if (job.fd < 0 || depth < 1 || depth > DEPTH_MAX || !job.bytes ||
	    job.bytes > BYTES_MAX) {
		perror(argv[1]);
		return 1;
	}
	job.places = (uint64_t)lseek(job.fd, 0, SEEK_END) / job.bytes;
	start = clock_ns();
	job.end_ns = start + (uint64_t)atoi(argv[5]) * 1000000u;
	for (int i = 1; i < depth; i++) {
		if (pthread_create(&thread[i], NULL, work,
				   (void *)(uintptr_t)i))
			return 3;
	}
	work(NULL);
	for (int i = 1; i < depth; i++)
		pthread_join(thread[i], NULL);
	if (job.error) {
		(void)fprintf(stderr, "disk: %s\n", strerror(job.error));
		return 4;
	}
	printf("%s %llu %llu\n", argv[2],
	       (unsigned long long)(clock_ns() - start),
	       (unsigned long long)job.done);
	return 0;
}
