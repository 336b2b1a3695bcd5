/* SPDX-License-Identifier: Apache-2.0 */
/* devices.c - the devices a plan asks for. */
#include "runner/vmm/devices.h"

#include <errno.h>

#include "devices-virtio/console.h"
#include "devices-virtio/harness.h"
#include "devices-virtio/rng.h"

static void mmio_read(void *ctx, uint64_t offset, void *data, size_t len)
{
	vmmio_read(ctx, offset, data, len);
}

static void mmio_write(void *ctx, uint64_t offset, const void *data, size_t len)
{
	vmmio_write(ctx, offset, data, len);
}

static const struct bus_ops mmio_ops = {
	.read = mmio_read,
	.write = mmio_write,
};

static int new_harness(struct guest *guest, struct vdev **ret)
{
	struct harness_config config = {.ctx = guest};

	guest_callbacks(&config.callbacks);
	return harness_new(&config, ret);
}

static int new_console(const struct plan *plan, struct loop *loop,
		       struct vdev **ret)
{
	struct console_config config = {
		.rows = plan->tty_rows,
		.cols = plan->tty_cols,
		.tty = plan->tty_rows || plan->tty_cols,
		.loop = loop,
	};

	for (int i = 0; i < 3; i++) {
		config.fd[i] = plan->fd[PLAN_FD_STDIN + i];
		config.kind[i] = plan->stream_kind[i];
	}
	return console_new(&config, ret);
}

static int new_device(uint32_t kind, const struct plan *plan,
		      struct guest *guest, struct loop *loop, struct vdev **ret)
{
	switch ((enum plan_device_kind)kind) {
	case PLAN_DEVICE_HARNESS:
		return new_harness(guest, ret);
	case PLAN_DEVICE_CONSOLE:
		return new_console(plan, loop, ret);
	case PLAN_DEVICE_RNG:
		return rng_new(ret);
	case PLAN_DEVICE_NONE:
		break;
	}
	return -EINVAL;
}

static uint64_t window_of(unsigned n)
{
	return PLAN_MMIO_BASE + n * PLAN_MMIO_STRIDE;
}

int devices_build(struct devices *d, const struct plan *plan,
		  struct guest *guest, struct loop *loop, struct bus *bus)
{
	for (uint32_t n = 0; n < plan->device_count; n++) {
		uint32_t kind = plan->device[n];
		struct device *dev = &d->device[n];
		struct vdev_host host = {irq_raise, &dev->line};
		int err = new_device(kind, plan, guest, loop, &dev->vd);

		if (err)
			return err;
		d->count = n + 1;
		dev->line = (struct irq_line){
			.vm_fd = guest->vm->fd,
			.vector = PLAN_VECTOR_BASE + n,
		};
		vmmio_init(&dev->mmio, dev->vd, &guest->vm->gm, &host);
		err = bus_add(bus, gpa(window_of(n)), VMMIO_WINDOW_BYTES,
			      &mmio_ops, &dev->mmio);
		if (err)
			return err;
		if (kind == PLAN_DEVICE_HARNESS)
			d->harness = dev->vd;
		else if (kind == PLAN_DEVICE_CONSOLE)
			d->console = dev->vd;
	}
	return 0;
}

void devices_describe(const struct devices *d, uint32_t cpus,
		      struct bootinfo *ret)
{
	*ret = (struct bootinfo){
		.version = BOOTINFO_VERSION,
		.cpus = cpus,
		.device_count = d->count,
	};
	for (unsigned n = 0; n < d->count; n++)
		ret->device[n] = (struct bootinfo_device){
			.gpa = window_of(n),
			.vector = PLAN_VECTOR_BASE + n,
			.device_id = d->device[n].vd->ops->device_id,
		};
}
