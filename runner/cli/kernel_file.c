/* SPDX-License-Identifier: Apache-2.0 */
/* kernel_file.c - the file of a VM's kernel. A bzImage is unpacked by a child
 * that may only read the one and write the other (parser.h), into memory: the
 * VMM gets a vmlinux, and the guest is spared the work. */
#include "runner/cli/kernel_file.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/bzimage.h"
#include "runner/cli/kernel_kaslr.h"
#include "runner/cli/linux_guest.h"
#include "runner/cli/locate.h"
#include "runner/cli/parser.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CHUNK_BYTES (256u << 10)

struct look {                       /* what the child finds */
	uint8_t is_linux, unpacked; /* 0 or not */
	char version[BZIMAGE_VERSION_MAX];
};

/** copy() - a vmlinux that is not packed, to where it can be changed. */
static int copy(const char **ret_why)
{
	cleanup_free uint8_t *chunk = malloc(CHUNK_BYTES);
	uint64_t at = 0;
	ssize_t n = 1;
	int err = chunk ? 0 : -ENOMEM;

	*ret_why = "cannot be read";
	while (!err && n) {
		n = pread(PARSER_INPUT, chunk, CHUNK_BYTES, (off_t)at);
		if (n < 0)
			return -errno;
		at += (uint64_t)n;
		*ret_why = "is larger than 512 MiB";
		if (at > BZIMAGE_VMLINUX_MAX)
			return -EFBIG;
		*ret_why = "cannot be copied into memory";
		err = fd_write_all(PARSER_OUTPUT, chunk, (size_t)n);
	}
	return err;
}

/** move() - the vmlinux to another address. What is none stays as it is:
 * whoever wants an ELF file says what it is. */
static int move(struct bzimage *found, const char **ret_why)
{
	int err = found->found ? 0 : copy(ret_why);

	if (!err)
		err = kernel_kaslr_move(PARSER_OUTPUT, ret_why);
	if (err == -ENOEXEC && !found->found)
		return 0;
	found->found = !err;
	return err;
}

/** check_payload() - what was unpacked: not each bzImage is Linux's. */
static int check_payload(const char **ret_why)
{
	char magic[SELFMAG] = "";

	*ret_why = "is damaged: what is packed in it is no ELF file";
	return !fd_pread_all(PARSER_OUTPUT, magic, SELFMAG, 0) &&
			       !memcmp(magic, ELFMAG, SELFMAG)
		       ? 0
		       : -EINVAL;
}

/** look() - in the child. */
static int look(const void *context, void *result, struct problem *why)
{
	const struct settings *s = context;
	struct look *ret = result;
	struct bzimage found;
	const char *wrong = NULL;
	int err = bzimage_unpack(PARSER_INPUT, PARSER_OUTPUT, &found, &wrong);

	ret->is_linux = found.found;
	memcpy(ret->version, found.version, sizeof(ret->version));
	if (!err && found.found)
		err = check_payload(&wrong);
	if (!err && s->kaslr)
		err = move(&found, &wrong);
	ret->unpacked = found.found;
	if (err)
		return problem_set(why, EXIT_AMPOULE, "the kernel %s %s",
				   s->kernel, wrong);
	return 0;
}

/** find_modules() - where they lie beside the kernel's own folder, in an
 * installed system as well as in an unpacked package: "boot" and "lib". */
static void find_modules(const struct settings *s, const char *version,
			 char *ret)
{
	const char *slash = strrchr(s->kernel, '/');
	int folder = slash ? (int)(slash - s->kernel) : 1;
	const char *name = slash ? s->kernel : ".";
	int n;

	n = snprintf(ret, PATH_MAX, "%.*s/../lib/modules/%s", folder, name,
		     version);
	if (n > 0 && n < PATH_MAX && access(ret, F_OK) == 0)
		return;
	(void)snprintf(ret, PATH_MAX, "/lib/modules/%s", version);
	if (access(ret, F_OK) < 0)
		ret[0] = '\0';
}

static int seal(int fd, struct problem *why)
{
	const int seals =
		F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;

	return fcntl(fd, F_ADD_SEALS, seals) < 0
		       ? problem_set(why, EXIT_AMPOULE,
				     "cannot seal the kernel: %s",
				     error_text(errno))
		       : 0;
}

/** unpack() - replace ->fd by the vmlinux in it, if it is a bzImage or shall be
 * moved. */
static int unpack(const struct settings *s, uint32_t id,
		  struct kernel_file *file, struct problem *why)
{
	cleanup_fd int out = fd_memfd_sealable("kernel");
	const struct parser parser = {
		.id = id, .input = file->fd, .output = out};
	struct look found = {0};
	int err;

	if (out < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot unpack the kernel into memory: %s",
				   error_text(out));
	err = parser_run(&parser, look, s, &found, sizeof(found), why);
	if (err || !found.unpacked)
		return err;
	file->is_linux = found.is_linux;
	found.version[sizeof(found.version) - 1] = '\0';
	if (*found.version && !strchr(found.version, '/'))
		find_modules(s, found.version, file->modules);
	close(file->fd);
	file->fd = steal_fd(&out);
	return seal(file->fd, why);
}

int kernel_file_open(const struct settings *s, uint32_t id,
		     struct kernel_file *ret, struct problem *why)
{
	ret->modules[0] = '\0';
	ret->is_linux = false;
	if (!s->kernel)
		return locate_open(PART_MOTE, &ret->fd, why);
	if (!strcmp(s->kernel, LINUX_GUEST_NAME)) {
		int err = linux_guest_open(&ret->fd, why);

		if (!err && s->kaslr)
			err = unpack(s, id, ret, why);
		ret->is_linux = true;
		return err;
	}
	ret->fd = open(s->kernel, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (ret->fd < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot open the kernel %s: %s", s->kernel,
				   error_text(errno));
	return unpack(s, id, ret, why);
}
