/* SPDX-License-Identifier: Apache-2.0 */
/* build.c - an image from a directory, a tar archive or an OCI layout. */
#include "runner/image/build.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/problem.h"
#include "runner/image/erofs_format.h"
#include "runner/image/hostdir.h"
#include "runner/image/layer.h"
#include "runner/image/oci.h"
#include "runner/image/user.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEEP_MAX (1u << 20) /* of a list of users */

struct builder {
	const struct build *b;
	struct built *out;
	struct problem *why;
	struct rootfs *fs;
	struct erofs image;
	struct hostdir dir;
	struct layer tar;
	struct oci oci;
	struct label label;
	uint8_t *passwd, *group; /* texts; NULL: the image has none */
};

static int no_memory(struct builder *m)
{
	return problem_set(m->why, EXIT_AMPOULE, "out of memory");
}

static int look(struct builder *m, enum build_kind *ret)
{
	const char *source = m->b->source;
	cleanup_free char *layout = NULL;
	struct stat st, mark;

	if (stat(source, &st) < 0)
		return problem_set(m->why, EXIT_AMPOULE, "cannot open %s: %s",
				   source, error_text(errno));
	if (asprintf(&layout, "%s/oci-layout", source) < 0) {
		layout = NULL;
		return no_memory(m);
	}
	if (S_ISREG(st.st_mode))
		*ret = BUILD_TAR;
	else if (!S_ISDIR(st.st_mode))
		return problem_set(m->why, EXIT_AMPOULE,
				   "%s is neither a directory nor a file",
				   source);
	else
		*ret = stat(layout, &mark) == 0 ? BUILD_OCI : BUILD_DIR;
	if (m->b->ref && *ret != BUILD_OCI)
		return problem_set(m->why, EXIT_AMPOULE,
				   "--ref: %s is no OCI layout, which would "
				   "have names",
				   source);
	return 0;
}

static int apply_oci(struct builder *m)
{
	int err = oci_read(m->b->source, m->b->ref, &m->oci, m->why);

	for (size_t i = 0; !err && i < m->oci.layers; i++)
		err = layer_apply(&m->oci.layer[i], m->fs, m->why);
	m->out->layers = (uint32_t)m->oci.layers;
	return err;
}

static int apply(struct builder *m, enum build_kind kind)
{
	m->out->layers = 1;
	switch (kind) {
	case BUILD_DIR:
		return hostdir_apply(&m->dir, m->fs, m->b->source, m->why);
	case BUILD_TAR:
		m->tar.path = m->b->source;
		return layer_apply(&m->tar, m->fs, m->why);
	case BUILD_OCI:
		break;
	}
	return apply_oci(m);
}

static int copy(struct builder *m, enum build_kind kind)
{
	int err = 0;

	switch (kind) {
	case BUILD_DIR:
		return hostdir_copy(&m->dir, &m->image, m->why);
	case BUILD_TAR:
		return layer_copy(&m->tar, &m->image, m->why);
	case BUILD_OCI:
		break;
	}
	for (size_t i = 0; !err && i < m->oci.layers; i++)
		err = layer_copy(&m->oci.layer[i], &m->image, m->why);
	return err;
}

/** keep() - the text of a file, when its data comes by. */
static int keep(struct builder *m, const char *path, uint8_t **ret)
{
	struct inode *inode = rootfs_find(m->fs, path);

	if (!inode || !S_ISREG(inode->mode) || inode->size > KEEP_MAX ||
	    inode->keep)
		return 0;
	*ret = calloc(1, inode->size + 1);
	inode->keep = *ret;
	return *ret ? 0 : no_memory(m);
}

static const char *user_of(const struct builder *m)
{
	return m->b->user ? m->b->user : m->oci.user;
}

static int merge_strings(struct strlist *to, const struct strlist *from)
{
	int err = 0;

	for (size_t i = 0; !err && i < from->count; i++)
		err = strlist_add(to, from->item[i]);
	return err;
}

/** make_label() - what was given goes before what the source says. */
static int make_label(struct builder *m)
{
	const struct label *given = m->b->label, *own = &m->oci.label;
	const char *cwd = given->cwd ? given->cwd : own->cwd;
	const struct strlist *command =
		given->command.count ? &given->command : &own->command;

	if (merge_strings(&m->label.command, command) ||
	    merge_strings(&m->label.env, &own->env) ||
	    merge_strings(&m->label.env, &given->env))
		return no_memory(m);
	if (cwd) {
		m->label.cwd = strdup(cwd);
		if (!m->label.cwd)
			return no_memory(m);
	}
	if (user_of(m) &&
	    user_resolve(user_of(m), (const char *)m->passwd,
			 (const char *)m->group, &m->label.uid, &m->label.gid))
		return problem_set(m->why, EXIT_AMPOULE,
				   "the image has no user '%s' in its "
				   "/etc/passwd and /etc/group; give numbers "
				   "with --user",
				   user_of(m));
	return 0;
}

/** put_label() - behind the filesystem, to the end of a block. */
static int put_label(struct builder *m, int fd)
{
	struct label_footer footer = {
		.magic = LABEL_MAGIC,
		.version = LABEL_VERSION,
		.json_offset = m->image.blocks * EROFS_BLOCK_BYTES,
	};
	cleanup_free char *json = NULL;
	cleanup_free uint8_t *block = NULL;
	size_t bytes;
	int err = label_encode(&m->label, &json);

	if (err)
		return err;
	footer.json_bytes = (uint32_t)strlen(json);
	bytes = footer.json_bytes + sizeof(footer);
	bytes += -bytes % EROFS_BLOCK_BYTES;
	block = calloc(1, bytes);
	if (!block)
		return -ENOMEM; /* NOLINT: cleanup frees */
	memcpy(block, json, footer.json_bytes);
	memcpy(block + bytes - sizeof(footer), &footer, sizeof(footer));
	m->out->bytes = footer.json_offset + bytes;
	if (lseek(fd, (off_t)footer.json_offset, SEEK_SET) < 0)
		return -errno; /* NOLINT: cleanup frees */
	return fd_write_all(fd, block, bytes);
}

static int lay_out(struct builder *m, int fd)
{
	int err = erofs_lay_out(&m->image, m->fs, fd, &m->b->options);

	if (err == -EFBIG)
		return problem_set(m->why, EXIT_AMPOULE,
				   "%s is too large for an image: names and "
				   "small files may take 2 GiB",
				   m->b->source);
	return err ? no_memory(m) : 0;
}

static int finish(struct builder *m, int fd)
{
	int err = make_label(m);

	if (err)
		return err;
	err = erofs_finish(&m->image);
	if (!err)
		err = put_label(m, fd);
	if (err == -EINVAL)
		return problem_set(m->why, EXIT_AMPOULE,
				   "the command and environment of an image "
				   "have to be UTF-8");
	if (err)
		return problem_set(m->why, EXIT_AMPOULE,
				   "cannot write the image: %s",
				   error_text(err));
	m->out->inodes = m->image.inodes;
	m->out->blocks = m->image.blocks;
	memcpy(m->out->uuid, m->image.uuid, sizeof(m->out->uuid));
	return 0;
}

static int make(struct builder *m, int fd)
{
	enum build_kind kind = BUILD_DIR;
	int err = look(m, &kind);

	m->out->kind = kind;
	if (!err && rootfs_new(&m->fs))
		err = no_memory(m);
	if (!err)
		err = apply(m, kind);
	if (!err)
		err = lay_out(m, fd);
	if (!err && user_of(m))
		err = keep(m, "/etc/passwd", &m->passwd);
	if (!err && user_of(m))
		err = keep(m, "/etc/group", &m->group);
	if (!err)
		err = copy(m, kind);
	return err ? err : finish(m, fd);
}

int build_image(const struct build *b, int fd, struct built *ret,
		struct problem *why)
{
	struct builder m = {.b = b, .out = ret, .why = why};
	int err = make(&m, fd);

	erofs_done(&m.image);
	hostdir_done(&m.dir);
	oci_done(&m.oci);
	label_done(&m.label);
	rootfs_free(m.fs);
	free(m.passwd);
	free(m.group);
	return err;
}
