/* SPDX-License-Identifier: Apache-2.0 */
/* rw.h - move bytes of an open file, with the checks of read(2) and write(2).
 * Nothing is added to the file's position. */
#pragma once
#include <stdint.h>

struct file;
struct uio;

/** file_read() - bytes, 0 at the end, -EBADF, -EISDIR, -errno of the file. */
long file_read(struct file *f, struct uio *u, uint64_t pos);
/** file_write() - the same; raises SIGPIPE with -EPIPE. */
long file_write(struct file *f, struct uio *u, uint64_t pos);
