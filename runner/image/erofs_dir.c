/* SPDX-License-Identifier: Apache-2.0 */
/* erofs_dir.c - a directory as EROFS stores it: blocks of entries and names,
 * "." and ".." sorted in among them. */
#include "runner/image/erofs_dir.h"

#include "base/cleanup.h"
#include "runner/image/erofs_format.h"
#include "runner/image/rootfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct item {
	const char *name;
	const struct inode *inode;
};

struct list {
	struct item *item;
	size_t count;
};

static int collect(struct node *child, void *ctx)
{
	struct list *list = ctx;

	list->item[list->count++] = (struct item){child->name, child->inode};
	return 0;
}

/** put_in() - @new among sorted items, at its place. */
static void put_in(struct list *list, struct item new)
{
	size_t at = list->count++;

	for (; at && strcmp(list->item[at - 1].name, new.name) > 0; at--)
		list->item[at] = list->item[at - 1];
	list->item[at] = new;
}

/** list_of() - Return: malloc'ed items of the directory, or NULL. */
static struct item *list_of(const struct node *dir, size_t *ret_count)
{
	struct list list = {calloc(dir->count + 2u, sizeof(struct item)), 0};

	if (!list.item)
		return NULL;
	rootfs_each(dir, collect, &list);
	put_in(&list, (struct item){".", dir->inode});
	put_in(&list, (struct item){"..", dir->parent->inode});
	*ret_count = list.count;
	return list.item;
}

/** block_items() - how many of the @count items from @item on fit into a block.
 * @ret_bytes: what they take. */
static size_t block_items(const struct item *item, size_t count,
			  size_t *ret_bytes)
{
	size_t used = 0, n;

	for (n = 0; n < count; n++) {
		size_t more =
			sizeof(struct erofs_dirent) + strlen(item[n].name);

		if (used + more > EROFS_BLOCK_BYTES)
			break;
		used += more;
	}
	*ret_bytes = used;
	return n;
}

uint64_t erofs_dir_bytes(const struct node *dir)
{
	size_t count = 0, used = 0;
	cleanup_free struct item *item = list_of(dir, &count);
	uint64_t bytes = 0;

	for (size_t at = 0; item && at < count;) {
		size_t n = block_items(item + at, count - at, &used);

		at += n;
		bytes += at < count ? EROFS_BLOCK_BYTES : used;
	}
	return bytes; /* NOLINT: cleanup frees */
}

static uint8_t type_of(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return EROFS_TYPE_DIR;
	case S_IFLNK:
		return EROFS_TYPE_LINK;
	case S_IFCHR:
		return EROFS_TYPE_CHAR;
	case S_IFBLK:
		return EROFS_TYPE_BLOCK;
	case S_IFIFO:
		return EROFS_TYPE_FIFO;
	case S_IFSOCK:
		return EROFS_TYPE_SOCKET;
	default:
		return EROFS_TYPE_FILE;
	}
}

static void fill_block(const struct item *item, size_t count, uint8_t *block)
{
	size_t name_at = count * sizeof(struct erofs_dirent);

	for (size_t i = 0; i < count; i++) {
		size_t bytes = strlen(item[i].name);
		const struct erofs_dirent entry = {
			.nid = item[i].inode->nid,
			.nameoff = (uint16_t)name_at,
			.file_type = type_of(item[i].inode->mode),
		};

		memcpy(block + i * sizeof(entry), &entry, sizeof(entry));
		memcpy(block + name_at, item[i].name, bytes);
		name_at += bytes;
	}
}

int erofs_dir_fill(const struct node *dir, uint8_t *ret)
{
	size_t count = 0, used;
	cleanup_free struct item *item = list_of(dir, &count);

	if (!item)
		return -ENOMEM;
	for (size_t at = 0; at < count; ret += EROFS_BLOCK_BYTES) {
		size_t n = block_items(item + at, count - at, &used);

		fill_block(item + at, n, ret);
		at += n;
	}
	return 0; /* NOLINT: cleanup frees */
}
