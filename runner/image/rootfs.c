/* SPDX-License-Identifier: Apache-2.0 */
/* rootfs.c - a tree of files in memory. Names are looked up by rootfs_path.c.
 */
#include "runner/image/rootfs.h"

#include "runner/image/rootfs_internal.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->name,
		      ((const struct node *)b)->name);
}

struct node *rootfs_child(const struct node *dir, const char *name)
{
	const struct node key = {.name = name};
	void *const *found = tfind(&key, &dir->children, compare);

	return found ? *(struct node *const *)found : NULL;
}

/** new_inode() - counted; without a name. */
static struct inode *new_inode(struct rootfs *fs, const struct inode *like)
{
	struct inode *inode = malloc(sizeof(*inode));

	if (!inode)
		return NULL;
	*inode = *like;
	inode->nlink = 0;
	inode->keep = NULL;
	inode->placed = false;
	inode->layer = fs->layers;
	inode->source = NO_SOURCE;
	inode->target = NULL;
	if (S_ISLNK(like->mode)) /* Linux knows no other */
		inode->mode = S_IFLNK | 0777;
	if (like->target) {
		inode->target = strdup(like->target);
		if (!inode->target) {
			free(inode);
			return NULL;
		}
	}
	fs->inodes++;
	return inode;
}

/** put_inode() - a name of it is gone; with the last one it goes. */
static void put_inode(struct rootfs *fs, struct inode *inode)
{
	if (!inode || (inode->nlink && --inode->nlink))
		return;
	if (inode->source != NO_SOURCE)
		fs->layer[inode->layer].inode[inode->source] = NULL;
	fs->inodes--;
	free(inode->target);
	free(inode);
}

/** free_node() - with all below; it is in no tree any more. Its depth is that
 * of a path, which is bounded. */
static void free_node(struct rootfs *fs, struct node *node)
{
	while (node->children) {
		struct node *child = *(struct node **)node->children;

		tdelete(child, &node->children, compare);
		free_node(fs, child);
	}
	if (S_ISDIR(node->inode->mode))
		node->inode->nlink = 1; /* "." and subdirectories counted */
	put_inode(fs, node->inode);
	free(node);
}

void rootfs_remove(struct rootfs *fs, struct node *node)
{
	struct node *dir = node->parent;

	tdelete(node, &dir->children, compare);
	dir->count--;
	if (S_ISDIR(node->inode->mode))
		dir->inode->nlink--;
	free_node(fs, node);
}

/** new_node() - not yet in its directory. */
static struct node *new_node(struct node *dir, const char *name)
{
	size_t bytes = strlen(name) + 1;
	struct node *node = calloc(1, sizeof(*node) + bytes);

	if (!node)
		return NULL;
	memcpy(node + 1, name, bytes);
	node->name = (const char *)(node + 1);
	node->parent = dir;
	return node;
}

struct node *rootfs_insert(struct rootfs *fs, struct node *dir,
			   const char *name, struct inode *inode)
{
	struct node *node = new_node(dir, name);

	if (!node || !tsearch(node, &dir->children, compare)) {
		free(node);
		return NULL;
	}
	node->inode = inode;
	inode->nlink++;
	dir->count++;
	if (S_ISDIR(inode->mode)) {
		inode->nlink = 2;
		dir->inode->nlink++;
	}
	return node;
}

struct node *rootfs_insert_new(struct rootfs *fs, struct node *dir,
			       const char *name, const struct inode *like)
{
	struct inode *inode;
	struct node *node;

	if (fs->inodes >= ROOTFS_INODES_MAX) {
		errno = E2BIG;
		return NULL;
	}
	inode = new_inode(fs, like);
	node = inode ? rootfs_insert(fs, dir, name, inode) : NULL;
	if (node)
		return node;
	put_inode(fs, inode);
	errno = ENOMEM;
	return NULL;
}

int rootfs_new(struct rootfs **ret)
{
	const struct inode like = {.mode = S_IFDIR | 0755};
	struct rootfs *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return -ENOMEM;
	fs->root.name = "";
	fs->root.parent = &fs->root;
	fs->root.inode = new_inode(fs, &like);
	if (!fs->root.inode || rootfs_begin_layer(fs) < 0) {
		rootfs_free(fs);
		return -ENOMEM;
	}
	fs->root.inode->nlink = 2;
	*ret = fs;
	return 0;
}

static void forget(void *node)
{
	(void)node;
}

void rootfs_free(struct rootfs *fs)
{
	if (!fs)
		return;
	while (fs->root.children) {
		struct node *child = *(struct node **)fs->root.children;

		tdelete(child, &fs->root.children, compare);
		free_node(fs, child);
	}
	tdestroy(fs->root.children, forget);
	if (fs->root.inode)
		free(fs->root.inode);
	for (uint32_t i = 0; i <= fs->layers && fs->layer; i++)
		free(fs->layer[i].inode);
	free(fs->layer);
	free(fs);
}

int rootfs_begin_layer(struct rootfs *fs)
{
	/* Number 0 is what is there before the first: the root. */
	uint32_t next = fs->layer ? fs->layers + 1 : 0;
	struct layer_list *layer =
		reallocarray(fs->layer, next + 1, sizeof(*layer));

	if (!layer)
		return -ENOMEM;
	layer[next] = (struct layer_list){0};
	fs->layer = layer;
	fs->layers = next;
	return (int)next;
}

int rootfs_enlist(struct rootfs *fs, struct inode *inode)
{
	struct layer_list *list = &fs->layer[fs->layers];

	if (list->count == list->room) {
		uint32_t room = list->room ? list->room * 2 : 64;
		struct inode **more =
			reallocarray(list->inode, room, sizeof(struct inode *));

		if (!more)
			return -ENOMEM;
		list->inode = more;
		list->room = room;
	}
	inode->source = list->count;
	list->inode[list->count++] = inode;
	return 0;
}

struct inode *rootfs_source(const struct rootfs *fs, uint32_t layer,
			    uint32_t source)
{
	if (layer > fs->layers || source >= fs->layer[layer].count)
		return NULL;
	return fs->layer[layer].inode[source];
}

uint32_t rootfs_sources(const struct rootfs *fs, uint32_t layer)
{
	return layer > fs->layers ? 0 : fs->layer[layer].count;
}

struct node *rootfs_root(struct rootfs *fs)
{
	return &fs->root;
}

uint32_t rootfs_inodes(const struct rootfs *fs)
{
	return fs->inodes;
}

struct walk {
	int (*visit)(struct node *child, void *ctx);
	void *ctx;
	int err;
};

static void visit_one(const void *at, VISIT order, void *arg)
{
	struct walk *walk = arg;

	if ((order == postorder || order == leaf) && !walk->err)
		walk->err = walk->visit(*(struct node *const *)at, walk->ctx);
}

int rootfs_each(const struct node *dir,
		int (*visit)(struct node *child, void *ctx), void *ctx)
{
	struct walk walk = {visit, ctx, 0};

	twalk_r(dir->children, visit_one, &walk);
	return walk.err;
}
