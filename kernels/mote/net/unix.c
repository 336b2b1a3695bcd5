/* SPDX-License-Identifier: Apache-2.0 */
/* unix.c - names of AF_UNIX sockets. A path's inode leads to its socket; the
 * abstract names have a table, in which each type has names of its own. */
#include "kernels/mote/net/unix.h"

#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/link.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/net/socket.h"

#define BUCKETS     64u
#define PATH_OFFSET 2u        /* of sun_path: behind the family */
#define AUTO_NAMES  0x100000u /* five hexadecimal digits */

static struct socket *bucket[BUCKETS];

static bool is_abstract(const struct sockname *name)
{
	return name->bytes > PATH_OFFSET && !name->un.sun_path[0];
}

static struct socket **bucket_of(const struct sockname *name, unsigned type)
{
	uint32_t hash = type;

	for (uint32_t i = PATH_OFFSET; i < name->bytes; i++)
		hash = hash * 31 + name->raw[i];
	return &bucket[hash % BUCKETS];
}

static struct socket *find_abstract(const struct sockname *name, unsigned type)
{
	struct socket *s = *bucket_of(name, type);

	while (s && (s->type != type || s->un.name.bytes != name->bytes ||
		     memcmp(s->un.name.raw, name->raw, name->bytes) != 0))
		s = s->un.next;
	return s;
}

static int bind_abstract(struct socket *s, const struct sockname *name)
{
	struct socket **link = bucket_of(name, s->type);

	if (find_abstract(name, s->type))
		return -EADDRINUSE;
	s->un.name = *name;
	s->un.next = *link;
	*link = s;
	return 0;
}

/* The path as a text that lookups can read. */
static void path_text(const struct sockname *name, char text[SOCKNAME_MAX])
{
	uint32_t bytes = name->bytes - PATH_OFFSET;

	memset(text, 0, SOCKNAME_MAX);
	memcpy(text, name->un.sun_path, bytes);
}

static int bind_path(struct socket *s, const struct sockname *name)
{
	char text[SOCKNAME_MAX];
	int err;

	path_text(name, text);
	err = link_make_socket(text, &s->un.inode);
	if (err)
		return err == -EEXIST ? -EADDRINUSE : err;
	inode_ref(s->un.inode);
	s->un.inode->private = s;
	s->un.name = *name;
	s->un.name.bytes = PATH_OFFSET + (uint32_t)strlen(text) + 1;
	return 0;
}

static int check_name(const struct sockname *name)
{
	_Static_assert(sizeof(struct sockaddr_un) + NAME_SLACK < SOCKNAME_MAX,
		       "zeros follow every path");
	if (name->bytes <= PATH_OFFSET || name->family != AF_UNIX ||
	    name->bytes > sizeof(struct sockaddr_un))
		return -EINVAL;
	return 0;
}

/* As Linux, which makes the file first. */
static int bind_again(const struct sockname *name)
{
	cleanup_walk struct walk w = {0};
	char text[SOCKNAME_MAX];

	if (is_abstract(name))
		return -EINVAL;
	path_text(name, text);
	return walk_path(&w, AT_FDCWD, text, 0) ? -EINVAL : -EADDRINUSE;
}

int unix_bind(struct socket *s, const struct sockname *name)
{
	int err;

	if (name->bytes == PATH_OFFSET && name->family == AF_UNIX)
		return unix_autobind(s);
	err = check_name(name);
	if (!err && s->un.name.bytes)
		err = bind_again(name);
	if (err)
		return err;
	return is_abstract(name) ? bind_abstract(s, name) : bind_path(s, name);
}

int unix_autobind(struct socket *s)
{
	static uint32_t next;
	struct sockname name = {.bytes = PATH_OFFSET + 6, .family = AF_UNIX};

	if (s->un.name.bytes)
		return 0;
	for (uint32_t tries = 0; tries < AUTO_NAMES; tries++) {
		next = (next + 1) % AUTO_NAMES;
		ksnprintf(&name.un.sun_path[1], 6, "%05x", next);
		if (!bind_abstract(s, &name))
			return 0;
	}
	return -ENOSPC;
}

static int find_path(const struct sockname *name, struct socket **ret)
{
	cleanup_walk struct walk w = {0};
	char text[SOCKNAME_MAX];
	int err;

	path_text(name, text);
	err = walk_path(&w, AT_FDCWD, text, WALK_FOLLOW);
	if (!err)
		err = inode_permit(w.inode, MAY_WRITE);
	if (err)
		return err;
	if (!inode_is(w.inode, S_IFSOCK) || !w.inode->private)
		return -ECONNREFUSED;
	*ret = w.inode->private;
	return 0;
}

int unix_find(const struct socket *s, const struct sockname *name,
	      struct socket **ret)
{
	int err = check_name(name);

	if (err)
		return err;
	if (is_abstract(name)) {
		*ret = find_abstract(name, s->type);
		return *ret ? 0 : -ECONNREFUSED;
	}
	err = find_path(name, ret);
	if (err)
		return err;
	return (*ret)->type == s->type ? 0 : -EPROTOTYPE;
}

/* A name may also be a copy: of a connection that was accepted. */
static void remove_abstract(struct socket *s)
{
	struct socket **link = bucket_of(&s->un.name, s->type);

	while (*link && *link != s)
		link = &(*link)->un.next;
	if (*link)
		*link = s->un.next;
}

void unix_unbind(struct socket *s)
{
	if (s->un.inode) {
		s->un.inode->private = NULL;
		inode_unref(s->un.inode);
		s->un.inode = NULL;
	} else if (is_abstract(&s->un.name)) {
		remove_abstract(s);
	}
}

void unix_name(const struct socket *s, struct sockname *ret)
{
	*ret = s->un.name;
	if (!ret->bytes)
		*ret = (struct sockname){.bytes = PATH_OFFSET,
					 .family = AF_UNIX};
}

int unix_peer_name(const struct socket *s, struct sockname *ret)
{
	if (!s->peer)
		return -ENOTCONN;
	unix_name(s->peer, ret);
	return 0;
}
