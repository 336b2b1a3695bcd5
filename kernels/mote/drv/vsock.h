/* SPDX-License-Identifier: Apache-2.0 */
/* vsock.h - packets of the socket device (virtio 1.2, 5.10), out and in. What
 * they mean is net/vsock*.c's. Trusts: the device, about lengths within the
 * buffer's. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct uio;

#define VSOCK_PAYLOAD_MAX 65536u /* of one packet sent */

enum vsock_op { /* virtio 1.2, 5.10.6 */
	VSOCK_OP_REQUEST = 1,
	VSOCK_OP_RESPONSE = 2,
	VSOCK_OP_RST = 3,
	VSOCK_OP_SHUTDOWN = 4,
	VSOCK_OP_RW = 5,
	VSOCK_OP_CREDIT_UPDATE = 6,
	VSOCK_OP_CREDIT_REQUEST = 7,
};

#define VSOCK_TYPE_STREAM 1u
#define VSOCK_SHUT_RCV    1u
#define VSOCK_SHUT_SEND   2u

struct vsock_header {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t bytes; /* of payload */
	uint16_t type, op;
	uint32_t flags;
	uint32_t buf_alloc, fwd_cnt;
} __attribute__((packed));

struct vsock_listener { /* called with more packets to come, never sleeping */
	void (*packet)(const struct vsock_header *h, void *payload);
	void (*reset)(void); /* all connections are gone */
	/* All are heard: now is the time for answers. Were there any? */
	bool (*answer)(void);
};

/** vsock_exists() - has this VM the device? */
bool vsock_exists(void);
/** vsock_start() - set the device up, once; @l hears from then on.
 * Return: false: there is none. */
bool vsock_start(const struct vsock_listener *l);
/** vsock_cid() - our own; 0 without a device. */
uint64_t vsock_cid(void);
/** vsock_send() - @h with at most VSOCK_PAYLOAD_MAX and @most bytes of @u
 * (NULL: none), from where they lie. It is with the device when this returns;
 * what it answers at once was heard by then. Never sleeps.
 * Return: bytes of payload, or -EFAULT. */
long vsock_send(struct vsock_header *h, struct uio *u, uint32_t most);
