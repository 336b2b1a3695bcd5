/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c - see transport.h. */
#include "runner/vmm/transport.h"

#include "base/plan.h"
#include "runner/vmm/vm.h"

static void mmio_read(void *ctx, uint64_t offset, void *data, size_t len)
{
	vmmio_read(ctx, offset, data, len);
}

static void mmio_write(void *ctx, uint64_t offset, const void *data, size_t len)
{
	vmmio_write(ctx, offset, data, len);
}

static const struct bus_ops mmio_ops = {mmio_read, mmio_write};

static void ecam_read(void *ctx, uint64_t offset, void *data, size_t len)
{
	pci_bus_config_read(ctx, offset, data, len);
}

static void ecam_write(void *ctx, uint64_t offset, const void *data, size_t len)
{
	pci_bus_config_write(ctx, offset, data, len);
}

static const struct bus_ops ecam_ops = {ecam_read, ecam_write};

static void window_read(void *ctx, uint64_t offset, void *data, size_t len)
{
	pci_bus_read(ctx, offset, data, len);
}

static void window_write(void *ctx, uint64_t offset, const void *data,
			 size_t len)
{
	pci_bus_write(ctx, offset, data, len);
}

static const struct bus_ops window_ops = {window_read, window_write};

int transport_mmio(struct transport *t, unsigned n, struct vdev *vd,
		   const struct transport_env *env)
{
	const struct vdev_host host = {irq_raise, &t->line};

	t->on_pci = false;
	t->line = (struct irq_line){
		.vm_fd = env->vm->fd,
		.vector = PLAN_VECTOR_BASE + n,
		.ioapic = env->ioapic,
		.pin = env->pin,
	};
	vmmio_init(&t->mmio, vd, &env->vm->gm, &host);
	return bus_add(env->bus, gpa(PLAN_MMIO_BASE + n * PLAN_MMIO_STRIDE),
		       VMMIO_WINDOW_BYTES, &mmio_ops, &t->mmio);
}

int transport_pci(struct transport *t, struct vdev *vd,
		  const struct transport_env *env)
{
	const struct msix_host host = {irq_send, &t->line};

	t->on_pci = true;
	t->line = (struct irq_line){.vm_fd = env->vm->fd};
	vpci_init(&t->pci, vd, &env->vm->gm, &host, pci_bus_next(env->pci));
	return pci_bus_add(env->pci, &t->pci);
}

int transport_pci_bus(struct pci_bus *pci, struct bus *bus)
{
	int err;

	pci_bus_init(pci, PLAN_PCI_BASE, PLAN_PCI_BYTES);
	err = bus_add(bus, gpa(PLAN_ECAM_BASE), PLAN_ECAM_BYTES, &ecam_ops,
		      pci);
	if (err)
		return err;
	return bus_add(bus, gpa(PLAN_PCI_BASE), PLAN_PCI_BYTES, &window_ops,
		       pci);
}
