/* SPDX-License-Identifier: Apache-2.0 */
/* proctree.c - make names of a generated tree as they are asked for. A
 * directory's inode knows its place by ->id: a row of the table whose path
 * begins with it, and how long that beginning is. */
#include "kernels/mote/fs/proctree.h"

#include <linux/errno.h>

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/lib/lib.h"

#define PLACE(row, bytes) ((row) << 8 | (bytes))
#define PLACE_ROW(id)	  ((id) >> 8)
#define PLACE_BYTES(id)	  ((id) & 0xff)

static void tree_refresh(struct inode *dir, const struct name *wanted);

static const struct inode_ops tree_dir = {.file_ops = &dir_file_ops,
					  .refresh = tree_refresh};

static struct inode *make_inode(const struct proc_file *file, uint32_t row)
{
	struct inode *inode;

	if (!file->ops && (file->mode & S_IFMT) == S_IFLNK)
		return inode_symlink(file->text, strlen(file->text));
	inode = inode_new(file->mode, file->ops ? file->ops : &proc_text_inode);
	if (inode)
		inode->id = row;
	return inode;
}

/* The component of row @row at @from, with a name's slack, in @room. */
static struct name component(const char *text,
			     char room[FS_NAME_MAX + 1 + NAME_SLACK])
{
	uint32_t bytes = 0;

	while (text[bytes] && text[bytes] != '/') {
		room[bytes] = text[bytes];
		bytes++;
	}
	memset(room + bytes, 0, 1 + NAME_SLACK);
	return name_scan(room);
}

static void make_name(struct inode *dir, const struct proc_file *file,
		      uint32_t row, const struct name *wanted)
{
	char room[FS_NAME_MAX + 1 + NAME_SLACK];
	uint32_t from = PLACE_BYTES(dir->id);
	const char *text = file->path + from;
	struct inode *inode;
	struct name name;

	/* Most rows differ from the wanted name in the first letter. */
	if (wanted && *text != *wanted->text)
		return;
	name = component(text, room);
	if ((wanted && (name.hash != wanted->hash)) ||
	    dir_find_raw(dir, &name))
		return;
	if (text[name.bytes] == '/') {
		inode = dir_new(0555);
		if (inode) {
			inode->ops = &tree_dir;
			inode->id = PLACE(row, from + name.bytes + 1);
		}
	} else {
		inode = make_inode(file, row);
	}
	mount_add(dir, room, inode);
}

static void tree_refresh(struct inode *dir, const struct name *wanted)
{
	uint32_t count, bytes = PLACE_BYTES(dir->id);
	const struct proc_file *table = proc_table(dir->device, &count);
	const char *place = table[PLACE_ROW(dir->id)].path;

	if ((dir->flags & INODE_FILLED) ||
	    (wanted && dir_find_raw(dir, wanted)))
		return;
	/* Rows of one directory stand together: begin at its first. */
	for (uint32_t row = PLACE_ROW(dir->id); row < count; row++) {
		if (strncmp(table[row].path, place, bytes))
			break;
		make_name(dir, &table[row], row, wanted);
	}
	if (!wanted)
		dir->flags |= INODE_FILLED;
}

int proctree_mount(const char *name, enum inode_device device)
{
	struct inode *dir = mount_dir(name, &tree_dir, 0555);

	if (!dir)
		return -ENOMEM;
	dir->device = device;
	return 0;
}
