/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_client.h - the first line of a client of the host: "CONNECT port\n".
 * Trusts: nothing of it. Must not: read a byte beyond it, for those are the
 * guest's. */
#pragma once
#include <stdint.h>

#define CLIENT_LINE_BYTES 32u

struct client {
	int fd;               /* owned; does not block */
	uint64_t deadline_ns; /* when the line has to be there */
	uint32_t have;        /* bytes in line */
	char line[CLIENT_LINE_BYTES];
};

/** client_read() - what is there of the line. @ret_port: of the guest.
 * Return: 0 the line is there; -EAGAIN not all of it; -errno: turn it away. */
int client_read(struct client *c, uint32_t *ret_port);
