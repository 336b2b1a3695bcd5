/* SPDX-License-Identifier: Apache-2.0 */
/* linux_modules.c - the drivers that a distribution's kernel keeps in modules.
 * Which they are, and which needs which, is known: they are Linux's drivers of
 * virtio, in all versions under these names. */
#include "runner/cli/linux_modules.h"

#include "base/cleanup.h"
#include "runner/cli/image.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MODULES_MAX 64u

enum use { /* what in a VM asks for a module */
	ALWAYS,
	FOR_DISKS,
	FOR_PMEM,
	FOR_IMAGE,
	FOR_NET,
	FOR_VSOCK,
};

/* In the order of loading: what a module needs stands before it. */
static const struct module {
	enum use use;
	const char *path; /* in "kernel", without ".ko" */
} modules[] = {
	{ALWAYS, "drivers/virtio/virtio_ring"},
	{ALWAYS, "drivers/virtio/virtio"},
	{ALWAYS, "drivers/virtio/virtio_mmio"},
	{ALWAYS, "drivers/virtio/virtio_pci_legacy_dev"},
	{ALWAYS, "drivers/virtio/virtio_pci_modern_dev"},
	{ALWAYS, "drivers/virtio/virtio_pci"},
	{ALWAYS, "drivers/char/virtio_console"},
	{ALWAYS, "drivers/char/hw_random/virtio-rng"},
	{ALWAYS, "drivers/misc/pvpanic/pvpanic"},
	{ALWAYS, "drivers/misc/pvpanic/pvpanic-mmio"},
	{ALWAYS, "drivers/virtio/virtio_balloon"},
	{FOR_DISKS, "drivers/block/virtio_blk"},
	{FOR_PMEM, "drivers/nvdimm/libnvdimm"},
	{FOR_PMEM, "drivers/nvdimm/nd_virtio"},
	{FOR_PMEM, "drivers/nvdimm/nd_btt"},
	{FOR_PMEM, "drivers/nvdimm/nd_pmem"},
	{FOR_PMEM, "drivers/nvdimm/virtio_pmem"},
	{FOR_IMAGE, "lib/libcrc32c"},
	{FOR_IMAGE, "fs/erofs/erofs"},
	{FOR_IMAGE, "fs/overlayfs/overlay"},
	{FOR_NET, "net/core/failover"},
	{FOR_NET, "drivers/net/net_failover"},
	{FOR_NET, "drivers/net/virtio_net"},
	{FOR_VSOCK, "net/vmw_vsock/vsock"},
	{FOR_VSOCK, "net/vmw_vsock/vmw_vsock_virtio_transport_common"},
	{FOR_VSOCK, "net/vmw_vsock/vmw_vsock_virtio_transport"},
};

static bool is_wanted(const struct settings *s, enum use use)
{
	switch (use) {
	case FOR_DISKS:
		return s->disks.count;
	case FOR_PMEM:
		return s->image || s->pmem.count;
	case FOR_IMAGE:
		return s->image || s->pmem.count || s->disks.count;
	case FOR_NET:
		return s->net.mode != NET_MODE_NONE;
	default: /* a socket costs its users nothing to have */
		return true;
	}
}

/** add_one() - @m, whatever its file is compressed by; or nothing.
 * Return: 0, or -ENOMEM. */
static int add_one(struct image *image, const char *dir, const char *module,
		   FILE *list)
{
	static const char *const ends[] = {".ko", ".ko.xz", ".ko.zst",
					   ".ko.gz"};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		cleanup_free char *from = NULL, *to = NULL;
		struct stat st;
		int err;

		if (asprintf(&from, "%s/kernel/%s%s", dir, module, ends[i]) < 0)
			return -1;
		if (stat(from, &st) < 0)
			continue;
		if (asprintf(&to, "/ampoule.%s%s", strrchr(module, '/') + 1,
			     ends[i]) < 0)
			return -1;
		err = image_add(image, IMAGE_HOST_FILE, to, NULL, from);
		(void)fprintf(list, "%s\n", to);
		return err;
	}
	return 0;
}

int linux_modules_add(struct image *image, const struct settings *s,
		      const char *dir, struct problem *why)
{
	char *text = NULL;
	size_t bytes = 0;
	FILE *list = open_memstream(&text, &bytes);
	int err = 0;

	if (!list)
		return problem_set(why, EXIT_AMPOULE, "out of memory");
	for (size_t i = 0; !err && i < sizeof(modules) / sizeof(modules[0]);
	     i++) {
		if (is_wanted(s, modules[i].use))
			err = add_one(image, dir, modules[i].path, list);
	}
	err |= fclose(list);
	if (!err) /* takes text */
		err = image_add_bytes(image, LINUX_MODULES_LIST, 0400, text,
				      bytes);
	else
		free(text);
	return err ? problem_set(why, EXIT_AMPOULE, "out of memory") : 0;
}
