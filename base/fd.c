/* SPDX-License-Identifier: Apache-2.0 */
/* fd.c - file descriptors. */
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

int fd_read_all(int fd, void *dst, size_t bytes)
{
	uint8_t *p = dst;

	while (bytes) {
		ssize_t n = read(fd, p, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		p += n;
		bytes -= (size_t)n;
	}
	return 0;
}

int fd_pread_all(int fd, void *dst, size_t bytes, uint64_t offset)
{
	uint8_t *p = dst;

	while (bytes) {
		ssize_t n = pread(fd, p, bytes, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		p += n;
		offset += (uint64_t)n;
		bytes -= (size_t)n;
	}
	return 0;
}

ssize_t fd_readv(int fd, const struct iovec *iov, unsigned count)
{
	return preadv2(fd, iov, (int)count, -1, 0);
}

ssize_t fd_writev(int fd, const struct iovec *iov, unsigned count)
{
	return pwritev2(fd, iov, (int)count, -1, 0);
}

int fd_write_all(int fd, const void *src, size_t bytes)
{
	const uint8_t *p = src;

	while (bytes) {
		ssize_t n = write(fd, p, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		bytes -= (size_t)n;
	}
	return 0;
}

int fd_set_cloexec(int fd, bool on)
{
	return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}

int fd_set_nonblock(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0)
		return -errno;
	flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int fd_dup_above(int fd, int min)
{
	int dup = fcntl(fd, F_DUPFD_CLOEXEC, min);

	if (dup < 0 && errno == EINVAL) /* @min is above the limit */
		return -EMFILE;
	return dup < 0 ? -errno : dup;
}

int fd_memfd_sealable(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd < 0 ? -errno : fd;
}
