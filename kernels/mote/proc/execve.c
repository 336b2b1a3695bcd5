/* SPDX-License-Identifier: Apache-2.0 */
/* execve.c - execve(2), execveat(2): gather what the old program passes, then
 * exec.c does the work. */
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <sys/stat.h>

#include "kernels/mote/arch/trap.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/namei.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/exec.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/task.h"

#define FIRST_BYTES PAGE_SIZE
#define STRING_MAX  (32 * PAGE_SIZE) /* with its NUL: MAX_ARG_STRLEN */

struct gather { /* a growing block of strings */
	char *text;
	uint64_t bytes, cap;
};

static int grow(struct gather *g)
{
	uint64_t cap = g->cap ? g->cap * 2 : FIRST_BYTES;
	char *text;

	if (cap > EXEC_STRINGS_MAX)
		return -E2BIG;
	text = kmalloc(cap);
	if (!text)
		return -ENOMEM;
	if (g->bytes)
		memcpy(text, g->text, g->bytes);
	kfree(g->text);
	g->text = text;
	g->cap = cap;
	return 0;
}

static int add_string(struct gather *g, uint64_t from)
{
	for (;;) {
		uint64_t room = g->cap - g->bytes;
		long n = -ENAMETOOLONG;
		int err;

		if (room)
			n = strncpy_from_user(g->text + g->bytes, from, room);
		if (n >= (long)STRING_MAX)
			return -E2BIG;
		if (n >= 0) {
			g->bytes += (uint64_t)n + 1;
			return 0;
		}
		if (n != -ENAMETOOLONG)
			return (int)n;
		err = grow(g);
		if (err < 0)
			return err;
	}
}

/* A NULL-terminated array of string pointers; NULL itself counts as empty. */
static int add_array(struct gather *g, uint64_t array, uint32_t *ret_count)
{
	uint32_t n = 0;

	for (; array; n++) {
		uint64_t at;
		int err;

		if (copy_from_user(&at, array + n * sizeof(at), sizeof(at)) < 0)
			return -EFAULT;
		if (!at)
			break;
		err = add_string(g, at);
		if (err < 0)
			return err;
	}
	*ret_count = n;
	return 0;
}

/* @path (kernel memory, owned by the caller) with the caller's arrays. */
static long exec_with(struct regs *r, const char *path, uint64_t argv,
		      uint64_t envp)
{
	struct gather g = {0};
	struct exec_strings strings = {0};
	long err = add_array(&g, argv, &strings.argc);

	if (err == 0 && strings.argc == 0) { /* Linux: an empty argv[0] */
		strings.argc = 1;
		err = grow(&g);
		if (err == 0)
			g.text[g.bytes++] = '\0';
	}
	if (err == 0)
		err = add_array(&g, envp, &strings.envc);
	if (err == 0) {
		strings.text = g.text;
		strings.bytes = g.bytes;
		err = exec_program(path, &strings, r);
	}
	kfree(g.text);
	return err;
}

/* Room for "/proc/self/fd/N/" before a path. */
#define FD_PREFIX_BYTES 32

/* How file @fd, or @path below it, is called in the tree. */
static long fd_path(char *dst, int fd, const char *path)
{
	struct file *f = file_get(fd);
	size_t n;

	if (!f)
		return -EBADF;
	file_unref(f);
	n = ksnprintf(dst, FD_PREFIX_BYTES, "/proc/self/fd/%d", fd);
	if (*path)
		dst[n++] = '/';
	strscpy(dst + n, path, PATH_MAX);
	return 0;
}

long sys_execve(struct regs *r)
{
	char *path = kmalloc(PATH_MAX);
	long err = -ENOMEM;

	if (path)
		err = strncpy_from_user(path, ARG0(r), PATH_MAX);
	if (err == 0)
		err = -ENOENT;
	if (err > 0)
		err = exec_with(r, path, ARG1(r), ARG2(r));
	kfree(path);
	return err;
}

long sys_execveat(struct regs *r)
{
	uint64_t flags = ARG4(r);
	int fd = (int)ARG0(r);
	char *path, *name, *user;
	struct inode *inode;
	long err = -ENOMEM;

	if (flags & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	if ((flags & AT_SYMLINK_NOFOLLOW) &&
	    walk_user(fd, ARG1(r), 0, &inode) == 0 && inode_is(inode, S_IFLNK))
		return -ELOOP;
	path = name = kmalloc(2ul * PATH_MAX);
	if (!path)
		return err;
	user = path + PATH_MAX;
	err = strncpy_from_user(user, ARG1(r), PATH_MAX);
	if (err == 0 && !(flags & AT_EMPTY_PATH))
		err = -ENOENT;
	if (err >= 0 && (fd == AT_FDCWD || *user == '/'))
		name = user;
	else if (err >= 0 &&
		 strnlen(user, PATH_MAX) + FD_PREFIX_BYTES > PATH_MAX)
		err = -ENAMETOOLONG;
	else if (err >= 0)
		err = fd_path(path, fd, user);
	if (err >= 0)
		err = *name ? exec_with(r, name, ARG2(r), ARG3(r)) : -EACCES;
	kfree(path);
	return err;
}
