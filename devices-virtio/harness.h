/* SPDX-License-Identifier: Apache-2.0 */
/* harness.h - the device's half of base/abi/harness.h: doorbells that a guest
 * kernel rings. Trusts: its callbacks. Must not: believe an address, a length
 * or a count of the guest's, nor accept reports without end.
 *
 * The doorbells work in every device status: a kernel that only wants to tell
 * its exit status needs no virtio handshake. The configuration interrupt for
 * PENDING needs DRIVER_OK. */
#pragma once
#include <stdint.h>

#include "base/abi/harness.h"
#include "devices-virtio/vdev.h"

#define HARNESS_REPORTS_MAX 64u /* a VM; further ones are dropped */

/* Called on the vCPU thread that rang, under the device's lock: must not call
 * back into the device. Every one is set. What they receive is a private copy
 * whose lengths were checked and whose texts and numbers are the guest's
 * claims. */
struct harness_callbacks {
	void (*exit)(void *ctx, uint32_t status); /* wait(2) encoding */
	void (*ready)(void *ctx, uint64_t tsc_ticks);
	void (*crash)(void *ctx, const struct harness_crash *crash);
	void (*missing)(void *ctx, const struct harness_missing *missing,
			uint32_t count); /* <= HARNESS_REPORT_MAX / 8 */
	void (*panic)(void *ctx, const char *text, uint32_t bytes);
	void (*oom)(void *ctx, const struct harness_oom *oom);
	void (*poweroff)(void *ctx);
};

struct harness_config {
	struct harness_callbacks callbacks;
	void *ctx;
};

/** harness_new() - @ret: owned by the caller, vdev_free().
 * Return: 0 or -ENOMEM. */
int harness_new(const struct harness_config *config, struct vdev **ret);

/** harness_request() - ask the guest for HARNESS_REQ_* @requests: they stay
 * pending until it reads them. Any thread. */
void harness_request(struct vdev *vd, uint32_t requests);

/** harness_resize() - the host's terminal changed: ask HARNESS_REQ_WINCH. Any
 * thread. */
void harness_resize(struct vdev *vd, uint16_t rows, uint16_t cols);

/** harness_pending() - requests the guest has not read yet. Any thread. */
uint32_t harness_pending(struct vdev *vd);
