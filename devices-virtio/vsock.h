/* SPDX-License-Identifier: Apache-2.0 */
/* vsock.h - stream sockets between guest and host (virtio 1.2, 5.10). Trusts:
 * its configuration. Must not: open, connect or accept anything, block, lose or
 * reorder a byte of a connection, or hold more of it than it promised.
 *
 *   guest's AF_VSOCK           this device             the host
 *     queue 0 rx  <------  one packet a turn  <------  fd of a connection
 *     queue 1 tx  ------>  what its fd takes  ------>
 *     queue 2 event        transport reset             helper: vsock_wire.h
 *
 * A connection is an fd that the helper made and passed: non-blocking, ours
 * alone. Data goes by readv(2) and writev(2) between it and guest pages. What
 * the host does not take at once waits in a buffer of VSOCK_BUFFER_BYTES, which
 * is the credit that the guest is told, so one slow peer holds up nobody. */
#pragma once
#include <stdint.h>

#include "base/vsock_wire.h"
#include "devices-virtio/vdev.h"

struct loop;

#define VSOCK_QUEUES       3u
#define VSOCK_QUEUE_SIZE   256u
#define VSOCK_BUFFER_BYTES 65536u
#define VSOCK_HEADER_BYTES 44u

struct vsock_config {
	uint64_t cid;         /* of the guest, VSOCK_CID_MIN.. */
	uint32_t connections; /* 1..VSOCK_CONNECTIONS_MAX at once */
	int helper_fd;        /* borrowed; SOCK_SEQPACKET, does not block; -1:
			       * nobody connects, and no client comes */
	struct loop *loop;    /* borrowed; outlives the device */
};

/** vsock_new() - @ret: owned by the caller, vdev_free().
 * Return: 0; -EINVAL; -ENOMEM; -errno of what set-up opens. */
int vsock_new(const struct vsock_config *config, struct vdev **ret);
