/* SPDX-License-Identifier: Apache-2.0 */
/* guest.h - what the guest kernel tells the host through its harness device,
 * turned into reports and the end of the VM. Trusts: lengths (the device
 * checked them). Must not: believe what they say. */
#pragma once
#include <stdatomic.h>
#include <stdint.h>

#include "devices-virtio/harness.h"
#include "runner/vmm/stop.h"
#include "runner/vmm/vm.h"

struct guest {
	struct stop *stop;
	struct timeline *timeline;
	struct vm *vm;
	/* Its output is waited for at the end; NULL: the kernel itself does. */
	struct vdev *console;
	uint32_t status;   /* for after that */
	uint32_t tsc_khz;  /* 0: unknown */
	atomic_bool ready; /* a program was announced: there will be a result */
};

/** guest_callbacks() - for harness_new(); their context is a struct guest. */
void guest_callbacks(struct harness_callbacks *ret);

/** guest_powered_off() - the guest used a platform's power-off: the result of
 * a kernel without a harness, a failure of one that has it. */
_Noreturn void guest_powered_off(struct guest *guest, bool has_harness);

/** guest_shut_down() - the guest switched its machine off in the orderly way:
 * the end of a system that runs no program of ours, a failure of one that does.
 */
_Noreturn void guest_shut_down(struct guest *guest);

/** guest_rebooted() - the guest reset its machine; there is no second start. */
_Noreturn void guest_rebooted(struct guest *guest);
