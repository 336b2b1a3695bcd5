/* SPDX-License-Identifier: Apache-2.0 */
/* device_pmem.c - files of the host as memory of the guest. Opens them; their
 * bytes are the guest's business. */
#include "runner/cli/device_pmem.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/plan_pmem.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

/* Linux plugs memory in such pieces: a device that begins with one of its own
 * is welcome to every kernel. */
#define PLACE_ALIGN (128ull << 20)

/** open_file() - to read, and with a lock that says so: whoever writes images
 * asks for the exclusive one. */
static int open_file(const char *option, const char *path, int *ret_fd,
		     uint64_t *ret_bytes, struct problem *why)
{
	cleanup_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "--%s: cannot open %s: %s", option, path,
				   error_text(errno));
	if (!S_ISREG(st.st_mode))
		return problem_set(why, EXIT_AMPOULE,
				   "--%s: %s is no regular file", option, path);
	if (!plan_pmem_bytes((uint64_t)st.st_size))
		return problem_set(why, EXIT_AMPOULE, "--%s: %s is %s", option,
				   path, st.st_size ? "too large" : "empty");
	if (flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK)
		return problem_set(
			why, EXIT_AMPOULE,
			"--%s: %s is locked by who writes it, "
			"another VM perhaps; end that first, or give "
			"a copy",
			option, path);
	*ret_bytes = (uint64_t)st.st_size;
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int add(struct device_set *set, const char *option, const char *path,
	       bool private, struct problem *why)
{
	struct plan_device dev = {
		.kind = PLAN_DEVICE_PMEM,
		.flags = private ? PLAN_PMEM_PRIVATE : 0,
	};
	uint64_t bytes = 0;
	int fd = -1;
	int err = open_file(option, path, &fd, &bytes, why);

	if (err)
		return err;
	dev.u.pmem.file_bytes = bytes;
	dev.u.pmem.map_bytes = plan_pmem_bytes(bytes);
	return device_set_add(set, &dev, &fd, 1, why);
}

/** add_given() - "FILE" or "FILE,rw=private". */
static int add_given(struct device_set *set, const char *spec,
		     struct problem *why)
{
	const char *comma = strrchr(spec, ',');
	cleanup_free char *path = NULL;
	struct stat st;

	/* A comma may belong to the name. */
	if (!comma || stat(spec, &st) == 0)
		return add(set, "pmem", spec, false, why);
	if (strcmp(comma, ",rw=private") != 0)
		return problem_set(why, EXIT_AMPOULE,
				   "--pmem: '%s' ends in what is no option; "
				   "',rw=private' is one",
				   spec);
	path = strndup(spec, (size_t)(comma - spec));
	if (!path)
		return problem_set(why, EXIT_AMPOULE, "out of memory");
	return add(set, "pmem", path, true, why); /* NOLINT: cleanup frees */
}

static uint32_t count(const struct device_set *set)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < set->count; i++)
		n += set->device[i].kind == PLAN_DEVICE_PMEM;
	return n;
}

int device_pmem_open(struct device_set *set, const struct settings *s,
		     struct problem *why)
{
	/* First of all: that is how a kernel knows its root. */
	bool root = s->image && !s->image_on_disk;
	int err = root ? add(set, "image", s->image, false, why) : 0;

	for (size_t i = 0; !err && i < s->pmem.count; i++)
		err = add_given(set, s->pmem.item[i], why);
	if (!err && count(set) > PLAN_PMEM_MAX)
		err = problem_set(why, EXIT_AMPOULE,
				  "--pmem: a VM has at most %u such files",
				  PLAN_PMEM_MAX);
	return err;
}

void device_pmem_place(struct plan *plan)
{
	uint64_t at = plan_pmem_floor(plan->mem_bytes);

	for (uint32_t i = 0; i < plan->device_count; i++) {
		struct plan_pmem *p = &plan->device[i].u.pmem;

		if (plan->device[i].kind != PLAN_DEVICE_PMEM)
			continue;
		at = (at + PLACE_ALIGN - 1) & ~(PLACE_ALIGN - 1);
		p->gpa = at;
		at += p->map_bytes;
	}
}

uint64_t device_pmem_private_bytes(const struct device_set *set)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < set->count; i++) {
		const struct plan_device *dev = &set->device[i];

		if (dev->kind == PLAN_DEVICE_PMEM &&
		    dev->flags & PLAN_PMEM_PRIVATE)
			bytes += dev->u.pmem.map_bytes;
	}
	return bytes;
}
