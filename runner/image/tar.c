/* SPDX-License-Identifier: Apache-2.0 */
/* tar.c - the entries of a tar archive. */
#include "runner/image/tar.h"

#include "base/cleanup.h"
#include "runner/image/tar_pax.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES  512u
#define EXTRA_MAX    (1u << 20) /* of a header that belongs to another one */
#define EXTRAS_MAX   16u        /* in a row */
#define SIZE_MAX_TAR (1ull << 44)

struct header { /* POSIX.1 ustar; GNU differs in magic and prefix */
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char checksum[8];
	char type;
	char link[100];
	char magic[6];
	char version[2];
	char uname[32];
	char gname[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char padding[12];
};
_Static_assert(sizeof(struct header) == BLOCK_BYTES, "tar header");

struct tar {
	tar_source *source;
	void *ctx;
	const char *why;
	uint64_t left, padding; /* of the entry's data */
	struct tar_pax pax;     /* for the next entry */
	char path[TAR_PATH_MAX + 1], link[TAR_PATH_MAX + 1];
};

int tar_new(tar_source *source, void *ctx, struct tar **ret)
{
	struct tar *tar = calloc(1, sizeof(*tar));

	if (!tar)
		return -ENOMEM;
	tar->source = source;
	tar->ctx = ctx;
	tar->why = "is damaged";
	*ret = tar;
	return 0;
}

void tar_free(struct tar *tar)
{
	if (!tar)
		return;
	tar_pax_done(&tar->pax);
	free(tar);
}

const char *tar_why(const struct tar *tar)
{
	return tar->why;
}

static int bad(struct tar *tar, const char *why)
{
	tar->why = why;
	return -EBADMSG;
}

static int not_supported(struct tar *tar, const char *why)
{
	tar->why = why;
	return -ENOTSUP;
}

static int read_exactly(struct tar *tar, void *dst, size_t bytes)
{
	size_t done = 0;
	int err = tar->source(tar->ctx, dst, bytes, &done);

	if (err)
		return err;
	return done == bytes ? 0 : bad(tar, "ends in the middle of an entry");
}

/** skip_rest() - of the last entry's data. */
static int skip_rest(struct tar *tar)
{
	uint64_t left = tar->left + tar->padding;
	uint8_t buffer[8192];

	while (left) {
		size_t n = left < sizeof(buffer) ? left : sizeof(buffer);
		int err = read_exactly(tar, buffer, n);

		if (err)
			return err;
		left -= n;
	}
	tar->left = 0;
	tar->padding = 0;
	return 0;
}

/** number() - octal digits between spaces, or GNU's base 256. A negative one
 * (times before 1970) counts as 0. */
static int number(const char *field, size_t bytes, uint64_t *ret)
{
	const uint8_t *p = (const uint8_t *)field;
	uint64_t value = 0;
	size_t i = 0;

	if (p[0] & 0x80) {
		if (p[0] & 0x40)
			goto out;
		value = p[0] & 0x3f;
		for (i = 1; i < bytes; i++) {
			if (value >> 55)
				return -EBADMSG;
			value = value << 8 | p[i];
		}
		goto out;
	}
	while (i < bytes && p[i] == ' ')
		i++;
	for (; i < bytes && p[i] >= '0' && p[i] <= '7'; i++) {
		if (value >> 60)
			return -EBADMSG;
		value = value << 3 | (uint64_t)(p[i] - '0');
	}
	if (i < bytes && p[i] && p[i] != ' ')
		return -EBADMSG;
out:
	*ret = value;
	return 0;
}

/** is_whole() - does the header's checksum hold? Some old tars added up signed
 * bytes. */
static bool is_whole(const struct header *h)
{
	const uint8_t *p = (const uint8_t *)h;
	const size_t at = offsetof(struct header, checksum);
	int64_t plain = 0, with_sign = 0;
	uint64_t said;

	for (size_t i = 0; i < sizeof(*h); i++) {
		bool inside = i >= at && i < at + sizeof(h->checksum);
		uint8_t byte = inside ? ' ' : p[i];

		plain += byte;
		with_sign += (int8_t)byte;
	}
	if (number(h->checksum, sizeof(h->checksum), &said))
		return false;
	return (int64_t)said == plain || (int64_t)said == with_sign;
}

static bool is_zero(const struct header *h)
{
	static const struct header zero;

	return !memcmp(h, &zero, sizeof(zero));
}

/** read_extra() - a long name, or pax records. @ret: malloc'ed, with NUL. */
static int read_extra(struct tar *tar, uint64_t bytes, char **ret)
{
	cleanup_free char *text = NULL;
	int err;

	if (bytes > EXTRA_MAX)
		return bad(tar, "has a header of more than 1 MiB");
	text = malloc(bytes + 1);
	if (!text)
		return -ENOMEM;
	err = read_exactly(tar, text, bytes);
	if (err)
		return err; /* NOLINT: cleanup frees */
	text[bytes] = '\0';
	*ret = steal_ptr(&text);
	return 0;
}

static int take_pax(struct tar *tar, uint64_t bytes)
{
	cleanup_free char *text = NULL;
	int err = read_extra(tar, bytes, &text);

	if (err)
		return err;
	err = tar_pax_parse(text, bytes, &tar->pax);
	return err == -EBADMSG ? bad(tar, "has a damaged pax header") : err;
}

/** take_long() - GNU's way to say a long name or link. */
static int take_long(struct tar *tar, uint64_t bytes, char **ret)
{
	char *text = NULL;
	int err = read_extra(tar, bytes, &text);

	if (err)
		return err;
	if (strlen(text) > TAR_PATH_MAX || !*text) {
		free(text);
		return bad(tar, "has a name longer than 4095 bytes");
	}
	free(*ret);
	*ret = text;
	return 0;
}

/** take_extra() - a header that says more about the next entry.
 * Return: 1: it was one; 0; negative. */
static int take_extra(struct tar *tar, const struct header *h, uint64_t size)
{
	int err;

	tar->padding = -size % BLOCK_BYTES;
	switch (h->type) {
	case 'x':
	case 'X':
		err = take_pax(tar, size);
		break;
	case 'L':
		err = take_long(tar, size, &tar->pax.path);
		break;
	case 'K':
		err = take_long(tar, size, &tar->pax.link);
		break;
	case 'g': /* for all: comments, in practice */
	case 'V': /* the archive's own name */
		tar->left = size;
		err = 0;
		break;
	default:
		return 0;
	}
	if (!err)
		err = skip_rest(tar);
	return err ? err : 1;
}

static int copy_path(struct tar *tar, const struct header *h)
{
	bool posix = !memcmp(h->magic, "ustar", 6);

	if (tar->pax.path)
		(void)snprintf(tar->path, sizeof(tar->path), "%s",
			       tar->pax.path);
	else if (posix && h->prefix[0])
		(void)snprintf(tar->path, sizeof(tar->path), "%.155s/%.100s",
			       h->prefix, h->name);
	else
		(void)snprintf(tar->path, sizeof(tar->path), "%.100s", h->name);
	if (tar->pax.link)
		(void)snprintf(tar->link, sizeof(tar->link), "%s",
			       tar->pax.link);
	else
		(void)snprintf(tar->link, sizeof(tar->link), "%.100s", h->link);
	return *tar->path ? 0 : bad(tar, "has an entry without a name");
}

static int kind_of(struct tar *tar, const struct header *h, enum tar_kind *ret)
{
	static const char types[] = "0123456";
	const char *slash = strrchr(tar->path, '/');
	const char *at;
	char type = h->type;

	if (type == '\0' || type == '7')
		type = '0';
	at = strchr(types, type);
	if (tar->pax.sparse || type == 'S')
		return not_supported(tar, "has a sparse file, which is not "
					  "supported; make it without "
					  "--sparse");
	if (!at)
		return not_supported(tar, "has an entry of an unknown kind");
	*ret = (enum tar_kind)(at - types);
	/* Before there was a type for directories. */
	if (*ret == TAR_FILE && slash && !slash[1])
		*ret = TAR_DIR;
	return 0;
}

static int ids_of(const struct tar *tar, const struct header *h,
		  struct tar_entry *e)
{
	uint64_t uid, gid;

	if (number(h->uid, sizeof(h->uid), &uid) ||
	    number(h->gid, sizeof(h->gid), &gid))
		return -EBADMSG;
	if (tar->pax.has_uid)
		uid = tar->pax.uid;
	if (tar->pax.has_gid)
		gid = tar->pax.gid;
	if (uid >= UINT32_MAX || gid >= UINT32_MAX)
		return -EBADMSG;
	e->uid = (uint32_t)uid;
	e->gid = (uint32_t)gid;
	return 0;
}

static int numbers_of(const struct tar *tar, const struct header *h,
		      struct tar_entry *e)
{
	uint64_t mode, major = 0, minor = 0;

	if (ids_of(tar, h, e) || number(h->mode, sizeof(h->mode), &mode) ||
	    number(h->mtime, sizeof(h->mtime), &e->mtime))
		return -EBADMSG;
	if (tar->pax.has_mtime) {
		e->mtime = tar->pax.mtime;
		e->mtime_nsec = tar->pax.mtime_nsec;
	}
	e->mode = mode & 07777;
	if (e->kind != TAR_CHAR && e->kind != TAR_BLOCK)
		return 0;
	if (number(h->major, sizeof(h->major), &major) ||
	    number(h->minor, sizeof(h->minor), &minor) || major > 0xfff ||
	    minor > 0xfffff) /* what EROFS, and Linux, can store */
		return -EBADMSG;
	e->major = (uint32_t)major;
	e->minor = (uint32_t)minor;
	return 0;
}

/** fill_entry() - @size: as the header says. */
static int fill_entry(struct tar *tar, const struct header *h, uint64_t size,
		      struct tar_entry *e)
{
	int err = copy_path(tar, h);

	*e = (struct tar_entry){.path = tar->path, .link = tar->link};
	if (!err)
		err = kind_of(tar, h, &e->kind);
	if (err)
		return err;
	if (numbers_of(tar, h, e))
		return bad(tar, "has a number that is none, or out of range");
	if ((e->kind == TAR_SYMLINK || e->kind == TAR_HARD_LINK) && !*e->link)
		return bad(tar, "has a link to nothing");
	if (tar->pax.has_size)
		size = tar->pax.size;
	/* Others have no data, whatever old tars wrote there; of a hard link
	 * only pax says that it has. */
	if (e->kind != TAR_FILE &&
	    !(e->kind == TAR_HARD_LINK && tar->pax.has_size))
		size = 0;
	if (size > SIZE_MAX_TAR)
		return bad(tar, "has a file of more than 16 TiB");
	tar->left = size;
	tar->padding = -size % BLOCK_BYTES;
	e->size = e->kind == TAR_FILE ? size : 0;
	return 0;
}

/** read_header() - Return: 1; 0 at the end; negative. */
static int read_header(struct tar *tar, struct header *h)
{
	size_t done = 0;
	int err = tar->source(tar->ctx, h, sizeof(*h), &done);

	if (err)
		return err;
	if (!done)
		return 0; /* without the zeroes, which some leave out */
	if (done < sizeof(*h))
		return bad(tar, "ends in the middle of a header");
	if (is_zero(h))
		return 0;
	return is_whole(h) ? 1 : bad(tar, "is no tar archive, or damaged");
}

int tar_next(struct tar *tar, struct tar_entry *ret)
{
	tar_pax_done(&tar->pax);
	for (unsigned extras = 0; extras <= EXTRAS_MAX; extras++) {
		struct header h;
		uint64_t size;
		int err = skip_rest(tar);

		if (!err)
			err = read_header(tar, &h);
		if (err <= 0)
			return err;
		if (number(h.size, sizeof(h.size), &size))
			return bad(tar, "has a size that is no number");
		err = take_extra(tar, &h, size);
		if (err < 0)
			return err;
		if (err)
			continue;
		err = fill_entry(tar, &h, size, ret);
		return err ? err : 1;
	}
	return bad(tar, "has too many headers for one entry");
}

int tar_read(struct tar *tar, void *dst, size_t bytes, size_t *ret_done)
{
	size_t n = bytes < tar->left ? bytes : tar->left;
	int err = read_exactly(tar, dst, n);

	if (err)
		return err;
	tar->left -= n;
	*ret_done = n;
	return 0;
}
