/* SPDX-License-Identifier: Apache-2.0 */
/* proctree.c - make names of a generated tree as they are asked for. A
 * directory's inode knows its place by ->id: the first row of the table whose
 * path begins with it, how many rows do, and how long that beginning is. */
#include "kernels/mote/fs/proctree.h"

#include "kernels/mote/fs/dir.h"
#include "kernels/mote/fs/mount.h"
#include "kernels/mote/lib/lib.h"

#define PLACE(row, rows, bytes) ((row) << 16 | (rows) << 8 | (bytes))
#define PLACE_ROW(id)           ((id) >> 16)
#define PLACE_ROWS(id)          ((id) >> 8 & 0xff)
#define PLACE_BYTES(id)         ((id)&0xff)

const struct inode_ops proctree_dir_ops = {.file_ops = &dir_file_ops,
					   .refresh = proctree_refresh};

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

/* How many rows from @row on share the first @bytes of its path. */
static uint32_t rows_of(const struct inode *dir, uint32_t row, uint32_t bytes)
{
	uint32_t count, end = row + 1;
	const struct proc_file *table = proc_table(dir, &count);

	while (end < count && !strncmp(table[end].path, table[row].path, bytes))
		end++;
	return end - row;
}

static void make_name(struct inode *dir, const struct proc_file *file,
		      uint32_t row)
{
	char room[FS_NAME_MAX + 1 + NAME_SLACK];
	uint32_t from = PLACE_BYTES(dir->id);
	const char *text = file->path + from;
	struct name name = component(text, room);
	struct inode *inode;

	if (dir_find_raw(dir, &name))
		return;
	if (text[name.bytes] == '/') {
		inode = dir_new(0555);
		if (inode) {
			from += name.bytes + 1;
			inode->ops = &proctree_dir_ops;
			inode->id = PLACE(row, rows_of(dir, row, from), from);
		}
	} else {
		inode = make_inode(file, row);
	}
	if (inode)
		proc_adopt(inode, dir);
	mount_add(dir, room, inode);
}

/* Is @name the first component of @text? */
static bool begins_with(const char *text, const struct name *name)
{
	for (uint32_t i = 0; i < name->bytes; i++)
		if (text[i] != name->text[i])
			return false;
	return !text[name->bytes] || text[name->bytes] == '/';
}

void proctree_refresh(struct inode *dir, const struct name *wanted)
{
	uint32_t count, from = PLACE_BYTES(dir->id), row = PLACE_ROW(dir->id);
	const struct proc_file *table = proc_table(dir, &count);
	uint32_t end = row + PLACE_ROWS(dir->id);

	if ((dir->flags & INODE_FILLED) ||
	    (wanted && dir_find_raw(dir, wanted)))
		return;
	for (; row < end; row++) {
		if (wanted && !begins_with(table[row].path + from, wanted))
			continue;
		make_name(dir, &table[row], row);
		if (wanted)
			return;
	}
	dir->flags |= wanted ? 0 : INODE_FILLED;
}

void proctree_plant(struct inode *dir)
{
	uint32_t rows;

	(void)proc_table(dir, &rows);
	dir->id = PLACE(0u, rows, 0u);
}
