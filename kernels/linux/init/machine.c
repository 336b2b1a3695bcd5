/* SPDX-License-Identifier: Apache-2.0 */
/* machine.c - what a program takes for granted: file systems, loopback; and the
 * modules of a kernel that has its drivers in such. */
#include <linux/fcntl.h>
#include <linux/if.h>
#include <linux/mount.h>
#include <linux/sockios.h>
#include <sys/socket.h>

#include "kernels/linux/init/init.h"
#include "kernels/linux/init/sys.h"

#define MODULES_LIST "/ampoule.modules"
#define EEXIST       17
#define COMPRESSED   4 /* MODULE_INIT_COMPRESSED_FILE */

static const struct mount_point {
	const char *type, *at, *options;
	unsigned long flags;
} mounts[] = {
	{"devtmpfs", "/dev", "mode=0755", MS_NOSUID},
	{"proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"devpts", "/dev/pts", "mode=0620,ptmxmode=0666",
	 MS_NOSUID | MS_NOEXEC},
	{"tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV},
};

static const struct link {
	const char *at, *to;
} links[] = {
	{"/dev/fd", "/proc/self/fd"},
	{"/dev/stdin", "fd/0"},
	{"/dev/stdout", "fd/1"},
	{"/dev/stderr", "fd/2"},
};

void machine_mount(void)
{
	sys1(__NR_umask, 0);
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		const struct mount_point *m = &mounts[i];
		long err;

		sys2(__NR_mkdir, m->at, 0755); /* is there, or mount says so */
		err = sys5(__NR_mount, m->type, m->at, m->type, m->flags,
			   m->options);
		if (err)
			fail("mount", m->at, err);
	}
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		sys2(__NR_symlink, links[i].to, links[i].at);
	sys2(__NR_mkdir, "/tmp", 01777);
	sys1(__NR_umask, 022);
	sys2(__NR_sethostname, "ampoule", 7);
}

/** flags_of() - a compressed module is unpacked by the kernel. */
static int flags_of(const char *path)
{
	size_t bytes = text_len(path);

	return bytes > 3 && text_same(path + bytes - 3, ".ko") ? 0 : COMPRESSED;
}

static void load_module(const char *path)
{
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC);
	long err = fd;

	if (fd >= 0) {
		err = sys3(__NR_finit_module, fd, "", flags_of(path));
		sys_close((int)fd);
	}
	if (err < 0 && err != -EEXIST)
		fail("load the module", path, err);
	sys1(__NR_unlink, path); /* its memory is the program's */
}

/** machine_load_modules() - a list of paths in their order, one a line, if
 * there is one: written by the host for a kernel that needs it. */
void machine_load_modules(void)
{
	static char list[8192];
	char *line = list;
	long bytes = text_file(MODULES_LIST, list, sizeof(list));

	if (bytes <= 0)
		return;
	for (char *c = list; *c; c++) {
		if (*c != '\n')
			continue;
		*c = '\0';
		load_module(line);
		line = c + 1;
	}
	sys1(__NR_unlink, MODULES_LIST);
}

void machine_raise_loopback(void)
{
	struct ifreq lo = {.ifr_name = "lo"};
	long fd = sys3(__NR_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return; /* a kernel without networks */
	lo.ifr_flags = IFF_UP;
	sys3(__NR_ioctl, fd, SIOCSIFFLAGS, &lo);
	sys_close((int)fd);
}
