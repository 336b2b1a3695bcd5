/* SPDX-License-Identifier: Apache-2.0 */
/* pci.h - the virtio-pci transport (virtio 1.2, 4.1), modern only: one PCI
 * function in front of a device. Trusts: nothing the guest writes. Must not:
 * touch guest memory itself; answer where its BARs are not.
 *
 *   BAR 0  0x0000  common configuration (4.1.4.3)
 *          0x1000  ISR status (4.1.4.5)
 *          0x2000  the device's configuration space (4.1.4.6)
 *          0x3000  notifications: queue n at + 4 * n (4.1.4.4)
 *   BAR 4  MSI-X table and pending bits
 *
 * A vector for each queue and one for the configuration; without MSI-X the
 * function raises no interrupt at all (it has no pin). Every field is accessed
 * at its own width (4.1.3.1), a 64-bit one also in halves; other accesses read
 * as zero and change nothing. */
#pragma once
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "devices-virtio/msix.h"
#include "devices-virtio/pci_config.h"
#include "devices-virtio/vdev.h"

#define VPCI_BAR0_BYTES 0x4000u
#define VPCI_BAR4       0x4000u /* behind BAR 0 until the guest moves it */
#define VPCI_BYTES      0x8000u /* both, and rounded up to a power of two */
#define VPCI_COMMON     0x0000u
#define VPCI_ISR        0x1000u
#define VPCI_CONFIG     0x2000u
#define VPCI_NOTIFY     0x3000u
#define VPCI_NOTIFY_MUL 4u

struct blob;

/* What the driver wrote for a queue. */
struct vpci_queue {
	uint16_t size, vector;
	uint64_t desc, avail, used;
};

struct vpci {
	struct vdev *vd; /* borrowed; its lock is ours */
	struct pci_config config;
	struct msix msix;
	uint32_t msix_cap, cfg_cap; /* where those capabilities are */
	/* Where a BAR answers, or VPCI_NOWHERE; written under the lock, read
	 * by any vCPU that looks for whose an address is. */
	_Atomic uint64_t bar0, bar4;
	uint32_t features_sel, driver_features_sel;
	uint16_t queue_sel, config_vector;
	struct vpci_queue queue[VDEV_QUEUES_MAX];
};

#define VPCI_NOWHERE UINT64_MAX

/** vpci_init() - put @vd behind a PCI function. @base: where its BARs are until
 * the guest moves them, VPCI_BYTES from there, a multiple of that; @vd, @gm:
 * borrowed; @host: copied. Phase: set-up. */
void vpci_init(struct vpci *p, struct vdev *vd, const struct gmem *gm,
	       const struct msix_host *host, uint64_t base);

/** vpci_config_read(), vpci_config_write() - configuration space at @at < 4096.
 * @data: @len bytes, always filled. Any vCPU thread. */
void vpci_config_read(struct vpci *p, uint32_t at, void *data, size_t len);
void vpci_config_write(struct vpci *p, uint32_t at, const void *data,
		       size_t len);

/** vpci_claims() - does @len bytes at guest address @at lie in a BAR of it,
 * with memory decoding on? @ret_bar: 0 or 4, @ret_offset: in there. Any
 * thread, no lock. */
bool vpci_claims(const struct vpci *p, uint64_t at, size_t len,
		 unsigned *ret_bar, uint64_t *ret_offset);

/** vpci_read(), vpci_write() - the guest accesses @bar at @offset. The effect,
 * a kick included, is done on return. Any vCPU thread. */
void vpci_read(struct vpci *p, unsigned bar, uint64_t offset, void *data,
	       size_t len);
void vpci_write(struct vpci *p, unsigned bar, uint64_t offset, const void *data,
		size_t len);

/** vpci_save() - append function and device (vdev_state.h), which is paused. */
void vpci_save(struct vpci *p, struct blob *to);

/** vpci_load() - bring both into the saved state; the device stays paused. @p:
 * as from vpci_init(). Return: 0; -EPROTO: @p is not to be used any more, the
 * device is as after a reset. */
int vpci_load(struct vpci *p, struct blob *from);
