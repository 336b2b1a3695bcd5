/* SPDX-License-Identifier: Apache-2.0 */
/* jail_landlock.c - everything that Landlock can deny is denied: each access to
 * a file that is not open yet, TCP, signals and abstract sockets beyond this
 * process. The one exception is to execute the VMM's own file, next. */
#include "jailer/jail.h"

#include "base/cleanup.h"

#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The whole of the interface (ABI 6 and later), beyond older headers. The
 * kernel takes a shorter or longer struct, if what it does not know is 0. */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define NET_ALL    3ull /* bind and connect TCP: ABI 4 */
#define SCOPED_ALL 3ull /* abstract sockets, signals: ABI 6 */

/** fs_all() - all rights on files that an ABI knows; they are numbered from 0
 * without a gap. */
static uint64_t fs_all(long abi)
{
	static const unsigned count[] = {0, 13, 14, 15, 15, 16};
	const long last = sizeof(count) / sizeof(count[0]) - 1;

	return (1ull << count[abi < last ? abi : last]) - 1;
}

static int allow_vmm(int ruleset, int vmm_fd)
{
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = LANDLOCK_ACCESS_FS_EXECUTE |
				  LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = vmm_fd,
	};

	return syscall(SYS_landlock_add_rule, ruleset,
		       LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
		       ? -errno
		       : 0;
}

int jail_enter_landlock(struct jail *jail)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	cleanup_fd int fd = -1;
	struct ruleset all;
	int err;

	if (abi < 1) /* not built in, or switched off: 'ampoule doctor' */
		return 0;
	all = (struct ruleset){
		.fs = fs_all(abi),
		.net = abi >= 4 ? NET_ALL : 0,
		.scoped = abi >= 6 ? SCOPED_ALL : 0,
	};
	fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	if (fd < 0)
		return -errno;
	err = allow_vmm(fd, jail->vmm_fd);
	if (err)
		return err;
	return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
}
