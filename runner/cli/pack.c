/* SPDX-License-Identifier: Apache-2.0 */
/* pack.c - what goes into a VM. */
#include "runner/cli/pack.h"

#include "base/abi/initrdindex.h"
#include "base/abi/runblock.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/closure.h"
#include "runner/cli/cpio.h"
#include "runner/cli/index.h"
#include "runner/cli/ldcache.h"
#include "runner/cli/linux_guest.h"
#include "runner/cli/problem.h"
#include "runner/cli/runblock.h"
#include "runner/cli/settings.h"
#include "runner/cli/streams.h"
#include "runner/cli/tree.h"
#include "runner/cli/which.h"

#include <stdio.h>
#include <string.h>

#define NOBODY 65534u
#define PASSWD_TEXT                                                            \
	"root:x:0:0:root:/root:/bin/sh\n"                                      \
	"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
#define HOSTS_TEXT                                                             \
	"127.0.0.1\tlocalhost ampoule\n"                                       \
	"::1\t\tlocalhost ip6-localhost ip6-loopback\n"
#define NSSWITCH_TEXT                                                          \
	"passwd: files\ngroup: files\nshadow: files\n"                         \
	"hosts: files dns\nservices: files\nprotocols: files\n"
#define GROUP_TEXT "root:x:0:\nnogroup:x:65534:\n"

struct packer {
	const struct settings *settings;
	struct packed *out;
	struct strlist libs; /* of all programs packed */
	struct problem *why;
};

static int no_memory(struct problem *why)
{
	return problem_set(why, EXIT_AMPOULE, "out of memory");
}

static int add_text(struct packer *p, const char *path, const char *text)
{
	char *copy = strdup(text);

	if (tree_has(&p->out->image, path)) { /* the user's own wins */
		free(copy);
		return 0;
	}
	if (!copy)
		return no_memory(p->why);
	if (image_add_bytes(&p->out->image, path, 0644, copy, strlen(text)))
		return no_memory(p->why);
	return 0;
}

/** add_base() - the directories and files that programs take for granted; each
 * gives way to what the user brought. */
static int add_base(struct packer *p)
{
	const struct stat tmp = {.st_mode = 01777}, root = {.st_mode = 0700};
	struct image *image = &p->out->image;
	int err;

	if (image_add(image, IMAGE_DIR, "/tmp", &tmp, NULL) ||
	    image_add(image, IMAGE_DIR, "/root", &root, NULL))
		return no_memory(p->why);
	err = tree_add_dir(image, "/etc", p->why);
	if (!err)
		err = tree_add_dir(image, p->settings->cwd, p->why);
	return err;
}

/** add_base_files() - names of people and of this machine; the latter only for
 * programs that have a C library to ask. */
static int add_base_files(struct packer *p)
{
	const struct settings *s = p->settings;
	char passwd[256] = PASSWD_TEXT, group[128] = GROUP_TEXT;
	int err;

	if (s->uid && s->uid != NOBODY)
		(void)snprintf(passwd, sizeof(passwd),
			       PASSWD_TEXT "user:x:%u:%u::/tmp:/bin/sh\n",
			       s->uid, s->gid);
	if (s->gid && s->gid != NOBODY)
		(void)snprintf(group, sizeof(group), GROUP_TEXT "user:x:%u:\n",
			       s->gid);
	err = add_text(p, "/etc/passwd", passwd);
	if (!err)
		err = add_text(p, "/etc/group", group);
	if (!err && p->libs.count)
		err = add_text(p, "/etc/hosts", HOSTS_TEXT);
	if (!err && p->libs.count)
		err = add_text(p, "/etc/nsswitch.conf", NSSWITCH_TEXT);
	return err;
}

/** add_ldcache() - tell the guest's loader where the libraries are. */
static int add_ldcache(struct packer *p)
{
	uint8_t *bytes;
	uint64_t size;

	if (!p->libs.count || tree_has(&p->out->image, LDCACHE_PATH))
		return 0;
	if (ldcache_build(&p->libs, &bytes, &size))
		return no_memory(p->why);
	if (image_add_bytes(&p->out->image, LDCACHE_PATH, 0644, bytes, size))
		return no_memory(p->why);
	return 0;
}

/** add_file_as() - one --file: at @guest, with its libraries if it is a
 * program. */
static int add_file_as(struct packer *p, const char *host, const char *guest)
{
	struct image *image = &p->out->image;
	uint32_t first = image->count;
	struct stat st;
	int err = tree_add_as(image, host, guest, p->why);

	if (err || p->settings->image) /* which has libraries of its own */
		return err;
	if (stat(host, &st) < 0)
		return 0;
	if (S_ISDIR(st.st_mode))
		return closure_add_libraries(image, first, &p->libs, p->why);
	if (!(st.st_mode & 0111))
		return 0;
	return closure_add_needs(image, host, &p->libs, p->why);
}

/** add_file_same() - one --file at its own path. */
static int add_file_same(struct packer *p, const char *host,
			 const struct stat *st)
{
	cleanup_free char *cwd = getcwd(NULL, 0);
	cleanup_free char *path = which_absolute(cwd ? cwd : "/", host);
	uint32_t first = p->out->image.count;
	int err = 0;

	if (!path)
		return no_memory(p->why);
	if (S_ISREG(st->st_mode) && st->st_mode & 0111 && !p->settings->image)
		err = closure_add_needs(&p->out->image, path, &p->libs, p->why);
	if (!err)
		err = tree_add_host(&p->out->image, path, p->why);
	return err || !S_ISDIR(st->st_mode) || p->settings->image
		       ? err
		       : closure_add_libraries(&p->out->image, first, &p->libs,
					       p->why);
}

/** add_file_at() - @guest NULL: none was named. A relative @host then keeps
 * its place, below the program's working directory. */
static int add_file_at(struct packer *p, const char *host, const char *guest)
{
	cleanup_free char *path = NULL;
	struct stat st;

	if (stat(host, &st) < 0)
		return problem_set(p->why, EXIT_AMPOULE, "--file %s: %s", host,
				   error_text(errno));
	if (!guest && (host[0] == '/' || strstr(host, "..")))
		return add_file_same(p, host, &st);
	path = which_absolute(p->settings->cwd, guest ? guest : host);
	return path ? add_file_as(p, host, path) : no_memory(p->why);
}

/** add_file() - one --file as given: "HOST" or "HOST:GUEST". */
static int add_file(struct packer *p, const char *spec)
{
	const char *colon = strrchr(spec, ':');
	cleanup_free char *host = NULL;
	struct stat st;

	/* A colon may belong to the name. */
	if (!colon || lstat(spec, &st) == 0)
		return add_file_at(p, spec, NULL);
	if (colon[1] != '/')
		return problem_set(p->why, EXIT_AMPOULE,
				   "--file %s: the path in the VM has to be "
				   "absolute",
				   spec);
	host = strndup(spec, (size_t)(colon - spec));
	if (!host)
		return no_memory(p->why);
	return add_file_at(p, host, colon + 1); /* NOLINT: cleanup frees */
}

static int add_files(struct packer *p)
{
	int err = 0;

	for (size_t i = 0; !err && i < p->settings->files.count; i++)
		err = add_file(p, p->settings->files.item[i]);
	return err;
}

/** add_over_image() - the program is in the image, by that name. */
static int add_over_image(struct packer *p, const char *name)
{
	p->out->program = strdup(name);
	return p->out->program ? add_files(p) : no_memory(p->why);
}

static int add_all(struct packer *p, const char *name)
{
	struct image *image = &p->out->image;
	int err = add_base(p);

	if (!err)
		err = which_program(name, &p->out->program, p->why);
	if (!err)
		err = closure_add_program(image, p->out->program,
					  !p->settings->bare, &p->libs, p->why);
	if (!err)
		err = add_files(p);
	if (!err)
		err = add_base_files(p);
	return err ? err : add_ldcache(p);
}

static int index_failed(struct packer *p, int err)
{
	return err ? problem_set(p->why, EXIT_AMPOULE,
				 "cannot make the image's index: %s",
				 error_text(err))
		   : 0;
}

/** write_files() - all of the image; before it, in a large one, the index,
 * which can only be filled in when everything has its place. */
static int write_files(struct packer *p, struct cpio *cpio)
{
	struct image *image = &p->out->image;
	const struct cpio_entry entry = {
		.name = INITRD_INDEX_NAME,
		.mode = S_IFREG | 0400,
		.bytes = index_bytes(image),
		.page_aligned = true,
	};
	uint64_t at = cpio_position(cpio);
	cleanup_free void *index = NULL;
	int err = 0;

	if (!index_wanted(image))
		return image_write(image, p->out->program, cpio, p->why);
	index = calloc(1, entry.bytes);
	if (!index)
		return no_memory(p->why);
	err = index_failed(p, cpio_add(cpio, &entry, index));
	if (!err)
		err = image_write(image, p->out->program, cpio, p->why);
	if (err)
		return err; /* NOLINT: cleanup frees */
	free(index);
	index = NULL;
	err = index_build(image, &index);
	if (!err)
		err = cpio_patch(cpio, at, &entry, index);
	return index_failed(p, err); /* NOLINT: cleanup frees */
}

static int write_image(struct packer *p, const void *block, uint64_t bytes,
		       struct cpio *cpio)
{
	const struct cpio_entry entry = {
		.name = RUNBLOCK_NAME,
		.mode = S_IFREG | 0400,
		.bytes = bytes,
	};
	int err = cpio_add(cpio, &entry, block);

	if (!err)
		err = write_files(p, cpio);
	else
		problem_set(p->why, EXIT_AMPOULE, "cannot pack: %s",
			    error_text(err));
	if (err)
		return err;
	err = cpio_finish(cpio, &p->out->bytes);
	return err ? problem_set(p->why, EXIT_AMPOULE,
				 "cannot pack: %s while writing the image",
				 error_text(err))
		   : 0;
}

static void free_cpio(struct cpio **cpio)
{
	cpio_free(*cpio);
}

static int write_archive(struct packer *p, const void *block, uint64_t bytes,
			 int fd)
{
	__attribute__((cleanup(free_cpio))) struct cpio *cpio = NULL;

	if (cpio_new(fd, &cpio))
		return no_memory(p->why);
	return write_image(p, block, bytes, cpio);
}

int pack_program(const struct settings *s, char *const *argv,
		 const struct streams *streams, int fd, struct packed *ret,
		 struct problem *why)
{
	struct packer p = {.settings = s, .out = ret, .why = why};
	cleanup_free void *block = NULL;
	uint64_t bytes = 0;
	int err;

	*ret = (struct packed){0};
	err = s->image ? add_over_image(&p, argv[0]) : add_all(&p, argv[0]);
	if (!err && linux_guest_wanted(s))
		err = linux_guest_add_init(&ret->image, s, why);
	strlist_done(&p.libs);
	if (err)
		return err;
	err = runblock_build(s, ret->program, argv, streams, &block, &bytes);
	if (err)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot pass the arguments: %s",
				   error_text(err));
	return write_archive(&p, block, bytes, fd);
}

void packed_done(struct packed *p)
{
	free(p->program);
	p->program = NULL;
	image_done(&p->image);
}

int pack_hint(struct packed *p, const struct settings *s, char *const *argv)
{
	for (int i = 1; !s->image && argv[0] && argv[i]; i++) {
		cleanup_free char *guest = NULL;
		struct stat st;

		if (!*argv[i] || argv[i][0] == '-' || stat(argv[i], &st) < 0)
			continue;
		if (S_ISBLK(st.st_mode) || S_ISCHR(st.st_mode))
			continue; /* a device of the host's is no file */
		guest = which_absolute(s->cwd, argv[i]);
		if (guest && !tree_has(&p->image, guest))
			return i;
	}
	return 0;
}
