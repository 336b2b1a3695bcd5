/* SPDX-License-Identifier: Apache-2.0 */
/* cpio.c - a cpio archive, format newc. Headers and small data are gathered in
 * a buffer; big data goes from file to file inside the kernel. */
#include "runner/cli/cpio.h"

#include "base/cleanup.h"
#include "base/fd.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#define HEADER_BYTES   110u
#define NAME_MAX_BYTES 4096u /* Linux: PATH_MAX, NUL included */
#define PAGE_BYTES     4096u
#define BUFFER_BYTES   65536u
#define SMALL_BYTES    16384u /* read through the buffer rather than sent */

struct cpio {
	int fd;
	uint32_t ino;
	uint64_t position; /* in the archive, buffered bytes included */
	size_t used;
	uint8_t buffer[BUFFER_BYTES];
};

int cpio_new(int fd, struct cpio **ret)
{
	struct cpio *c = malloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	*c = (struct cpio){.fd = fd};
	*ret = c;
	return 0;
}

void cpio_free(struct cpio *cpio)
{
	free(cpio);
}

static int flush(struct cpio *c)
{
	int err = fd_write_all(c->fd, c->buffer, c->used);

	c->used = 0;
	return err;
}

static int put(struct cpio *c, const void *src, uint64_t bytes)
{
	const uint8_t *p = src;

	c->position += bytes;
	while (bytes) {
		size_t n = BUFFER_BYTES - c->used;

		if (n > bytes)
			n = bytes;
		memcpy(c->buffer + c->used, p, n);
		c->used += n;
		p += n;
		bytes -= n;
		if (c->used == BUFFER_BYTES) {
			int err = flush(c);

			if (err)
				return err;
		}
	}
	return 0;
}

static int put_zeroes(struct cpio *c, uint64_t bytes)
{
	static const uint8_t zeroes[PAGE_BYTES];

	while (bytes) {
		uint64_t n = bytes < PAGE_BYTES ? bytes : PAGE_BYTES;
		int err = put(c, zeroes, n);

		if (err)
			return err;
		bytes -= n;
	}
	return 0;
}

static int pad(struct cpio *c, uint64_t unit)
{
	return put_zeroes(c, (unit - c->position % unit) % unit);
}

/** name_bytes() - how long the name field has to be, final NUL included. */
static uint64_t name_bytes(uint64_t position, const struct cpio_entry *e)
{
	uint64_t min = strlen(e->name) + 1;
	uint64_t start = position + HEADER_BYTES + min;
	uint64_t fill = (PAGE_BYTES - start % PAGE_BYTES) % PAGE_BYTES;

	if (!e->page_aligned || min + fill > NAME_MAX_BYTES)
		return min;
	return min + fill;
}

static int put_header(struct cpio *c, const struct cpio_entry *e)
{
	uint64_t name = name_bytes(c->position, e), len = strlen(e->name);
	char header[HEADER_BYTES + 1];
	int err;

	if (name > NAME_MAX_BYTES)
		return -ENAMETOOLONG;
	if (e->bytes > UINT32_MAX)
		return -EOVERFLOW;
	/* magic ino mode uid gid nlink mtime filesize devmajor devminor
	 * rdevmajor rdevminor namesize check */
	(void)snprintf(
		header, sizeof(header),
		"070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		++c->ino, e->mode, e->uid, e->gid, S_ISDIR(e->mode) ? 2 : 1,
		e->mtime, (uint32_t)e->bytes, 0, 0, 0, 0, (uint32_t)name, 0);
	err = put(c, header, HEADER_BYTES);
	if (!err)
		err = put(c, e->name, len);
	if (!err)
		err = put_zeroes(c, name - len);
	return err ? err : pad(c, 4);
}

int cpio_add(struct cpio *cpio, const struct cpio_entry *e, const void *data)
{
	int err = put_header(cpio, e);

	if (!err)
		err = put(cpio, data, e->bytes);
	return err ? err : pad(cpio, 4);
}

/** copy_buffered() - through user memory, for small files and for those that
 * cannot be sent. */
static int copy_buffered(struct cpio *c, int fd, uint64_t offset,
			 uint64_t bytes)
{
	uint8_t chunk[SMALL_BYTES];

	while (bytes) {
		size_t n = bytes < sizeof(chunk) ? bytes : sizeof(chunk);
		int err = fd_pread_all(fd, chunk, n, offset);

		if (!err)
			err = put(c, chunk, n);
		if (err)
			return err;
		offset += n;
		bytes -= n;
	}
	return 0;
}

static int copy_file(struct cpio *c, int fd, uint64_t bytes)
{
	off_t offset = 0;
	int err = bytes > SMALL_BYTES ? flush(c) : 0;

	if (err)
		return err;
	while (bytes > SMALL_BYTES) {
		ssize_t n = sendfile(c->fd, fd, &offset, bytes);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			return -ENODATA;
		if (n < 0)
			break; /* the loop below meets the same error */
		c->position += (uint64_t)n;
		bytes -= (uint64_t)n;
	}
	return copy_buffered(c, fd, (uint64_t)offset, bytes);
}

int cpio_add_fd(struct cpio *cpio, const struct cpio_entry *e, int fd)
{
	int err = put_header(cpio, e);

	if (!err)
		err = copy_file(cpio, fd, e->bytes);
	return err ? err : pad(cpio, 4);
}

uint64_t cpio_position(const struct cpio *cpio)
{
	return cpio->position;
}

/* By seeking: the process that packs may make few system calls. */
int cpio_patch(struct cpio *cpio, uint64_t at, const struct cpio_entry *e,
	       const void *data)
{
	uint64_t start = (at + HEADER_BYTES + name_bytes(at, e) + 3) & ~3ull;
	int err = flush(cpio);

	if (!err && lseek(cpio->fd, (off_t)start, SEEK_SET) < 0)
		err = -errno;
	if (!err)
		err = fd_write_all(cpio->fd, data, e->bytes);
	if (!err && lseek(cpio->fd, (off_t)cpio->position, SEEK_SET) < 0)
		err = -errno;
	return err;
}

int cpio_finish(struct cpio *cpio, uint64_t *ret_bytes)
{
	const struct cpio_entry trailer = {.name = "TRAILER!!!"};
	int err = cpio_add(cpio, &trailer, "");

	if (!err)
		err = pad(cpio, PAGE_BYTES);
	if (!err)
		err = flush(cpio);
	if (err)
		return err;
	*ret_bytes = cpio->position;
	return 0;
}
