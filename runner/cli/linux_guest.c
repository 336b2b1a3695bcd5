/* SPDX-License-Identifier: Apache-2.0 */
/* linux_guest.c - what a guest kernel that is not mote needs beside its file.
 *
 * The command line is ours, then the user's: Linux takes the last of two. */
#include "runner/cli/linux_guest.h"

#include "base/plan.h"
#include "runner/cli/image.h"
#include "runner/cli/linux_modules.h"
#include "runner/cli/locate.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* A panic ends the VM at once: nobody is there to read a screen. So does an
 * oops: whoever found a mistake in the kernel is not to go on with it. Ciphers
 * are not tried at each start, which is 1.5 s of 2.4 s to process 1 of Debian's
 * kernel: they are the same at every one. With fips=1 it tries them
 * nevertheless. */
#define CMDLINE_ALL    "panic=-1 oops=panic cryptomgr.notests"
#define CMDLINE_SERIAL " console=ttyS0 earlycon=uart8250,io,0x3f8"
/* What is not there is not looked for: each port asked is an exit. A PCI bus
 * has no ports of configuration here, only its window in memory. */
#define CMDLINE_NO_SERIAL " 8250.nr_uarts=0"
#define CMDLINE_PCI       " pci=noearly"
#define CMDLINE_NO_PCI    " pci=off"

bool linux_guest_wanted(const struct settings *s)
{
	return s->kernel != NULL;
}

int linux_guest_open(int *ret_fd, struct problem *why)
{
	char path[LOCATE_PATH_MAX];

	locate_path(PART_LINUX, path);
	*ret_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (*ret_fd >= 0)
		return 0;
	return problem_set(why, EXIT_AMPOULE,
			   "--kernel linux: there is no %s; build it with "
			   "'./dev kernel', or name the file of another kernel",
			   path);
}

int linux_guest_add_init(struct image *image, const struct settings *s,
			 struct problem *why)
{
	const struct stat st = {.st_mode = 0755};
	char path[LOCATE_PATH_MAX];

	if (image_find(image, LINUX_GUEST_INIT))
		return problem_set(why, EXIT_AMPOULE,
				   "--file: " LINUX_GUEST_INIT " is where a "
				   "Linux guest has its first process; give "
				   "the file another place");
	locate_path(PART_LINUX_INIT, path);
	if (image_add(image, IMAGE_HOST_FILE, LINUX_GUEST_INIT, &st, path))
		return problem_set(why, EXIT_AMPOULE, "out of memory");
	return s->modules ? linux_modules_add(image, s, s->modules, why) : 0;
}

/** foreign_option() - the name of one that mote has no use for; NULL: none. */
static const char *foreign_option(const struct settings *s)
{
	if (s->serial)
		return "serial";
	if (s->modules)
		return "modules";
	if (s->boot != KERNEL_BOOT_AUTO)
		return "boot";
	return s->kaslr ? "kaslr" : NULL;
}

/** cmdline_of() - what every kernel but mote is told. */
static const char *cmdline_of(const struct settings *s)
{
	if (s->pci)
		return s->serial ? CMDLINE_ALL CMDLINE_PCI CMDLINE_SERIAL
				 : CMDLINE_ALL CMDLINE_PCI CMDLINE_NO_SERIAL;
	return s->serial ? CMDLINE_ALL CMDLINE_NO_PCI CMDLINE_SERIAL
			 : CMDLINE_ALL CMDLINE_NO_PCI CMDLINE_NO_SERIAL;
}

int linux_guest_fill(const struct settings *s, struct plan *plan,
		     struct problem *why)
{
	bool other = linux_guest_wanted(s);
	const char *foreign = foreign_option(s);
	int n;

	if (foreign && !other)
		return problem_set(why, EXIT_AMPOULE,
				   "--%s is for a Linux kernel, given by "
				   "--kernel: mote has no use for it",
				   foreign);
	if (other)
		plan->flags |= PLAN_FLAG_ACPI;
	if (s->serial)
		plan->flags |= PLAN_FLAG_SERIAL;
	if (other && s->initrd)
		plan->flags |= PLAN_FLAG_SYSTEM;
	n = snprintf(plan->cmdline, sizeof(plan->cmdline), "%s%s%s",
		     other ? cmdline_of(s) : "", other && s->cmdline ? " " : "",
		     s->cmdline ? s->cmdline : "");
	if (n < 0 || (size_t)n >= sizeof(plan->cmdline))
		return problem_set(why, EXIT_AMPOULE,
				   "--cmdline: with what a Linux guest needs, "
				   "it is longer than %zu bytes",
				   sizeof(plan->cmdline) - 1);
	plan->cmdline_bytes = (uint32_t)n;
	return 0;
}
