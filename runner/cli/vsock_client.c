/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_client.c - see vsock_client.h. */
#include "runner/cli/vsock_client.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

static const char word[] = "CONNECT ";
#define WORD_BYTES (sizeof(word) - 1)

/** parse() - @bytes of a line without its end: decimal, below 2^32 - 1. */
static int parse(const char *line, size_t bytes, uint32_t *ret_port)
{
	uint64_t port = 0;

	if (bytes <= WORD_BYTES || bytes > WORD_BYTES + 10 ||
	    memcmp(line, word, WORD_BYTES) != 0)
		return -EPROTO;
	for (size_t i = WORD_BYTES; i < bytes; i++) {
		if (line[i] < '0' || line[i] > '9')
			return -EPROTO;
		port = port * 10 + (uint64_t)(line[i] - '0');
	}
	if (port >= UINT32_MAX) /* VMADDR_PORT_ANY */
		return -EPROTO;
	*ret_port = (uint32_t)port;
	return 0;
}

int client_read(struct client *c, uint32_t *ret_port)
{
	char *at = c->line + c->have;
	ssize_t n = recv(c->fd, at, sizeof(c->line) - c->have,
			 MSG_DONTWAIT | MSG_PEEK);
	const char *end;
	size_t take;

	if (n < 0)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	end = memchr(at, '\n', (size_t)n);
	take = end ? (size_t)(end - at) + 1 : (size_t)n;
	if (recv(c->fd, at, take, MSG_DONTWAIT) != (ssize_t)take)
		return -EPROTO;
	c->have += (uint32_t)take;
	if (end)
		return parse(c->line, c->have - 1, ret_port);
	return c->have < sizeof(c->line) ? -EAGAIN : -EPROTO;
}
