/* SPDX-License-Identifier: Apache-2.0 */
/* settings_devices.c - the options of `run` that give a VM devices. What they
 * name is opened by device_set.h. */
#include "runner/cli/settings.h"

#include "runner/cli/device_port.h"
#include "runner/cli/disk_option.h"

#include <string.h>

static const char *set_image(void *settings, const char *value)
{
	((struct settings *)settings)->image = value;
	return *value ? NULL : "names no file of the host";
}

static const char *set_rw(void *settings, const char *value)
{
	(void)value;
	((struct settings *)settings)->image_rw = true;
	return NULL;
}

static const char *set_image_on(void *settings, const char *value)
{
	struct settings *s = settings;

	s->image_on_disk = strcmp(value, "disk") == 0;
	return s->image_on_disk || strcmp(value, "pmem") == 0
		       ? NULL
		       : "is neither pmem nor disk";
}

/** set_pmem() - kept as given: which part is the file's name is known when it
 * is opened. */
static const char *set_pmem(void *settings, const char *value)
{
	struct settings *s = settings;

	if (!*value || *value == ',')
		return "names no file of the host";
	return strlist_add(&s->pmem, value) ? "is too much" : NULL;
}

static const char *set_port(void *settings, const char *value)
{
	struct settings *s = settings;
	const char *wrong = port_option_check(value);

	if (wrong)
		return wrong;
	return strlist_add(&s->ports, value) ? "is too much" : NULL;
}

static const char *set_disk(void *settings, const char *value)
{
	struct settings *s = settings;
	cleanup_disk_option struct disk_option o;
	const char *wrong = disk_option_parse(value, &o);

	if (wrong)
		return wrong;
	return strlist_add(&s->disks, value) ? "is too much" : NULL;
}

static const char *set_vsock(void *settings, const char *value)
{
	struct settings *s = settings;

	if (!*value || *value == ',')
		return "names no socket";
	if (s->vsock)
		return "is there twice; a VM has one";
	s->vsock = value;
	return NULL;
}

static const char *set_net(void *settings, const char *value)
{
	return net_option_set(&((struct settings *)settings)->net, value);
}

static const char *set_allow(void *settings, const char *value)
{
	return net_option_allow(&((struct settings *)settings)->net, value);
}

static const char *set_publish(void *settings, const char *value)
{
	return net_option_publish(&((struct settings *)settings)->net, value);
}

static const char *set_transport(void *settings, const char *value)
{
	((struct settings *)settings)->pci = !strcmp(value, "pci");
	return !strcmp(value, "pci") || !strcmp(value, "mmio")
		       ? NULL
		       : "is neither mmio nor pci";
}

const struct option_spec settings_device_options[] = {
	{"transport", 0, OPTION_REQUIRED, "mmio|pci",
	 "how the guest reaches its devices (default mmio,\n"
	 "the only one that mote knows)",
	 set_transport},
	{"image", 0, OPTION_REQUIRED, "FILE",
	 "an EROFS image as the root, read-only: PROGRAM and\n"
	 "its libraries come from there",
	 set_image},
	{"image-on", 0, OPTION_REQUIRED, "DEVICE",
	 "how the image gets into the VM: pmem (default),\n"
	 "mapped and shared with other VMs; or disk, by\n"
	 "requests",
	 set_image_on},
	{"rw", 0, OPTION_FLAG, NULL,
	 "the image's files can be changed; the changes are\n"
	 "in memory and end with the VM",
	 set_rw},
	{"pmem", 0, OPTION_REQUIRED, "FILE[,rw=private]",
	 "map a file into the VM (virtio-pmem): read-only,\n"
	 "or as a copy that only this VM changes",
	 set_pmem},
	{"disk", 0, OPTION_REQUIRED, "FILE[,OPTION...]",
	 "a file or block device as a disk (/dev/vda, vdb,\n"
	 "...). Options: ro, only read it; overlay=mem or\n"
	 "overlay=FILE, leave it as it is and write there;\n"
	 "rate=10M,burst=1M bytes and ops=500,ops-burst=50\n"
	 "requests a second; serial=TEXT; engine=threads,\n"
	 "do not use io_uring",
	 set_disk},
	{"vsock", 0, OPTION_REQUIRED, "PATH[,cid=N]",
	 "sockets between VM and host (AF_VSOCK): a client\n"
	 "of the socket PATH that sends 'CONNECT PORT' is\n"
	 "connected to a port of the VM; port P of the host\n"
	 "is the socket PATH_P",
	 set_vsock},
	{"port", 0, OPTION_REQUIRED, "NAME,in=FILE",
	 "or NAME,out=FILE: a file or FIFO as a further port\n"
	 "of the console, to the VM or from it; up to four",
	 set_port},
	{"net", 0, OPTION_REQUIRED, "KIND[,OPTION...]",
	 "none (default), user (through passt) or tap[=NAME]\n"
	 "(an interface of this host, or one of its own;\n"
	 "NAME fd:N is a tap that is open as N).\n"
	 "Options: address=10.0.0.2/24, gateway=, resolver=,\n"
	 "mac=, mtu=, queues=N; in=10M,out=10M bytes and\n"
	 "packets-in=, packets-out= a second",
	 set_net},
	{"allow", 0, OPTION_REQUIRED, "WHERE",
	 "where the VM may connect to, nowhere without it:\n"
	 "CIDR[:PORT[-PORT]][/tcp|/udp], NAME:PORT, public\n"
	 "(the Internet, no private networks) or any",
	 set_allow},
	{"publish", 0, OPTION_REQUIRED, "[ADDR:]PORT:PORT[/udp]",
	 "a port of this host (of 127.0.0.1)\n"
	 "that leads to the second, one of the VM's",
	 set_publish},
	{0},
};
