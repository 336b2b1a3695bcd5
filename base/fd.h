/* SPDX-License-Identifier: Apache-2.0 */
/* fd.h - file descriptors: whole reads and writes, and the CLOEXEC rule (every
 * fd is born O_CLOEXEC; what a child shall inherit is named explicitly). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/** fd_read_all() - read exactly @bytes, across short reads and EINTR.
 * Return: 0; -ENODATA at an early end of file; -errno of read(2). */
int fd_read_all(int fd, void *dst, size_t bytes);

/** fd_pread_all() - the same at @offset, without moving the file position. */
int fd_pread_all(int fd, void *dst, size_t bytes, uint64_t offset);

/** fd_write_all() - write all @bytes, across short writes and EINTR. For fds
 * that block or never would: -EAGAIN is returned like any other error. */
int fd_write_all(int fd, const void *src, size_t bytes);

/** fd_readv() - readv(2), and fd_writev() - writev(2), by the calls that take
 * an offset as well: a policy needs one line for streams and files. Linux 4.6.
 */
ssize_t fd_readv(int fd, const struct iovec *iov, unsigned count);
ssize_t fd_writev(int fd, const struct iovec *iov, unsigned count);

/** fd_set_cloexec() - close on exec (@on), or stay open across it. */
int fd_set_cloexec(int fd, bool on);

/** fd_set_nonblock() - O_NONBLOCK of the open file description, which others
 * may share: only for descriptions of our own. */
int fd_set_nonblock(int fd, bool on);

/** fd_dup_above() - a new O_CLOEXEC fd for the same description, >= @min.
 * Return: the fd, owned by the caller, or -errno (EMFILE: the limit on
 * descriptors). */
int fd_dup_above(int fd, int min);

/** fd_memfd_sealable() - a new empty memfd that allows seals.
 * Return: the fd, owned by the caller, or -errno. */
int fd_memfd_sealable(const char *name);
