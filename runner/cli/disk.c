/* SPDX-License-Identifier: Apache-2.0 */
/* disk.c - which disk a file lies on. Trusts the kernel's /sys. */
#include "runner/cli/disk.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/** read_device() - "MAJOR:MINOR" out of a file of /sys. */
static bool read_device(const char *path, dev_t *ret)
{
	cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned high, low;
	char text[32];
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	text[n < 0 ? 0 : n] = '\0';
	/* NOLINTNEXTLINE(cert-err34-c): the kernel's own decimal numbers */
	if (sscanf(text, "%u:%u", &high, &low) != 2)
		return false;
	*ret = makedev(high, low);
	return true;
}

bool disk_of(int fd, dev_t *ret)
{
	char dir[64], path[96];
	struct stat st;
	dev_t dev;

	if (fstat(fd, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return false;
	dev = S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev;
	(void)snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u", major(dev),
		       minor(dev));
	(void)snprintf(path, sizeof(path), "%s/partition", dir);
	if (access(path, F_OK) == 0)
		(void)snprintf(path, sizeof(path), "%s/../dev", dir);
	else
		(void)snprintf(path, sizeof(path), "%s/dev", dir);
	return read_device(path, ret);
}
