/* SPDX-License-Identifier: Apache-2.0 */
/* devices.c - the devices a plan asks for. */
#include "runner/vmm/devices.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "devices-virtio/balloon.h"
#include "devices-virtio/console.h"
#include "devices-virtio/harness.h"
#include "devices-virtio/pmem.h"
#include "devices-virtio/rng.h"
#include "devices-virtio/vsock.h"
#include "runner/vmm/device_block.h"
#include "runner/vmm/device_net.h"
#include "runner/vmm/give_back.h"
#include "runner/vmm/platform.h"

static int new_harness(const struct device_env *env,
		       const struct plan_device *dev, struct vdev **ret)
{
	struct harness_config config = {.ctx = env->guest};

	(void)dev;
	guest_callbacks(&config.callbacks);
	return harness_new(&config, ret);
}

_Static_assert(PLAN_PORTS_MAX == CONSOLE_EXTRA_MAX &&
		       PLAN_PORT_BYTES == CONSOLE_NAME_BYTES,
	       "what a plan holds, the console takes");

static void port_failed(void *ctx, const char *port, bool in, int error)
{
	(void)ctx;
	log_warn("port '%s': cannot %s: %s; it is closed from now on", port,
		 in ? "read" : "write", error_text(error));
}

static int new_console(const struct device_env *env,
		       const struct plan_device *dev, struct vdev **ret)
{
	const struct plan *plan = env->plan;
	struct console_config config = {
		.rows = plan->tty_rows,
		.cols = plan->tty_cols,
		.tty = plan->tty_rows || plan->tty_cols,
		.loop = env->loop,
		.failed = port_failed,
	};

	for (int i = 0; i < 3; i++) {
		config.fd[i] = plan->fd[PLAN_FD_STDIN + i];
		config.kind[i] = plan->stream_kind[i];
	}
	config.extra_count = dev->fd_count; /* <= PLAN_PORTS_MAX */
	for (uint32_t i = 0; i < dev->fd_count; i++) {
		const struct plan_port *port = &dev->u.console.port[i];
		struct console_extra *to = &config.extra[i];

		to->fd = plan->fd[dev->fd_first + i];
		to->kind = port->kind;
		to->in = port->in;
		memcpy(to->name, port->name, sizeof(to->name));
	}
	return console_new(&config, ret);
}

static int new_rng(const struct device_env *env, const struct plan_device *dev,
		   struct vdev **ret)
{
	const struct rng_config config = {
		.bytes = dev->u.rng.bytes,
		.loop = env->loop,
	};

	return rng_new(config.bytes.per_second ? &config : NULL, ret);
}

static int new_pmem(const struct device_env *env, const struct plan_device *dev,
		    struct vdev **ret)
{
	const struct pmem_config config = {
		.gpa = dev->u.pmem.gpa,
		.bytes = dev->u.pmem.map_bytes,
	};

	(void)env;
	return pmem_new(&config, ret);
}

static int new_balloon(const struct device_env *env,
		       const struct plan_device *dev, struct vdev **ret)
{
	const struct balloon_config config = {
		.give_back = give_back,
		.ctx = env->guest->vm,
		.loop = env->loop,
		.target_bytes = dev->u.balloon.target_bytes,
	};

	return balloon_new(&config, ret);
}

static int new_net(const struct device_env *env, const struct plan_device *dev,
		   struct vdev **ret)
{
	return device_net_new(env->plan, dev, env->loop, ret);
}

static int new_vsock(const struct device_env *env,
		     const struct plan_device *dev, struct vdev **ret)
{
	const struct vsock_config config = {
		.cid = dev->u.vsock.cid,
		.connections = dev->u.vsock.connections,
		.helper_fd = env->plan->fd[dev->fd_first],
		.loop = env->loop,
	};

	return vsock_new(&config, ret);
}

/* The kinds that plan_check_devices() lets through. */
static int (*const makers[PLAN_DEVICE_KINDS])(const struct device_env *env,
					      const struct plan_device *dev,
					      struct vdev **ret) = {
	[PLAN_DEVICE_HARNESS] = new_harness,
	[PLAN_DEVICE_CONSOLE] = new_console,
	[PLAN_DEVICE_RNG] = new_rng,
	[PLAN_DEVICE_BLOCK] = device_block_new,
	[PLAN_DEVICE_NET] = new_net,
	[PLAN_DEVICE_VSOCK] = new_vsock,
	[PLAN_DEVICE_PMEM] = new_pmem,
	[PLAN_DEVICE_BALLOON] = new_balloon,
};

static int new_device(const struct device_env *env,
		      const struct plan_device *dev, struct vdev **ret)
{
	if (dev->kind >= PLAN_DEVICE_KINDS || !makers[dev->kind])
		return -EINVAL;
	return makers[dev->kind](env, dev, ret);
}

/** place() - behind its transport. The harness stays where a kernel without
 * PCI, and a program in it, finds it. */
static int place(struct devices *d, const struct device_env *env, unsigned n,
		 struct bus *bus)
{
	const struct plan *plan = env->plan;
	struct device *dev = &d->device[n];
	const struct transport_env at = {
		.vm = env->guest->vm,
		.bus = bus,
		.pci = &d->pci,
		.ioapic = env->ioapic,
		.pin = platform_pin(plan, n),
	};

	if ((plan->flags & PLAN_FLAG_PCI) &&
	    plan->device[n].kind != PLAN_DEVICE_HARNESS)
		return transport_pci(&dev->at, dev->vd, &at);
	return transport_mmio(&dev->at, n, dev->vd, &at);
}

static void remember(struct devices *d, uint32_t kind, struct vdev *vd)
{
	if (kind == PLAN_DEVICE_HARNESS)
		d->harness = vd;
	else if (kind == PLAN_DEVICE_CONSOLE)
		d->console = vd;
	else if (kind == PLAN_DEVICE_BALLOON)
		d->balloon = vd;
	else if (kind == PLAN_DEVICE_NET)
		d->net = vd;
}

int devices_build(struct devices *d, const struct device_env *env,
		  struct bus *bus)
{
	const struct plan *plan = env->plan;
	int err = 0;

	if (plan->flags & PLAN_FLAG_PCI)
		err = transport_pci_bus(&d->pci, bus);
	for (uint32_t n = 0; n < plan->device_count && !err; n++) {
		struct device *dev = &d->device[n];

		err = new_device(env, &plan->device[n], &dev->vd);
		if (err)
			break;
		d->count = n + 1;
		err = place(d, env, n, bus);
		remember(d, plan->device[n].kind, dev->vd);
	}
	return err;
}

void devices_describe(const struct devices *d, uint32_t cpus,
		      struct bootinfo *ret)
{
	*ret = (struct bootinfo){
		.version = BOOTINFO_VERSION,
		.cpus = cpus,
	};
	for (unsigned n = 0; n < d->count; n++) {
		if (d->device[n].at.on_pci)
			continue; /* those can be found */
		ret->device[ret->device_count++] = (struct bootinfo_device){
			.gpa = PLAN_MMIO_BASE + n * PLAN_MMIO_STRIDE,
			.vector = PLAN_VECTOR_BASE + n,
			.device_id = d->device[n].vd->ops->device_id,
		};
	}
}
