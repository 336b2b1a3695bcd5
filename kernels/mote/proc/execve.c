/* SPDX-License-Identifier: Apache-2.0 */
/* execve.c - execve(2): gather what the old program passes, then exec.c. */
#include <errno.h>
#include <linux/limits.h>

#include "kernels/mote/arch/trap.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/exec.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/task.h"

#define FIRST_BYTES PAGE_SIZE

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
		bulk_copy(text, g->text, g->bytes);
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

long sys_execve(struct regs *r)
{
	struct gather g = {0};
	struct exec_strings strings = {0};
	char *path = kmalloc(PATH_MAX);
	long err = -ENOMEM;

	if (path) {
		err = strncpy_from_user(path, ARG0(r), PATH_MAX);
		if (err == 0)
			err = -ENOENT;
	}
	if (err > 0)
		err = add_array(&g, ARG1(r), &strings.argc);
	if (err == 0 && strings.argc == 0) { /* Linux: an empty argv[0] */
		strings.argc = 1;
		err = grow(&g);
		if (err == 0)
			g.text[g.bytes++] = '\0';
	}
	if (err == 0)
		err = add_array(&g, ARG2(r), &strings.envc);
	if (err == 0) {
		strings.text = g.text;
		strings.bytes = g.bytes;
		err = exec_program(path, &strings, r);
	}
	if (err == 0)
		user_work_flags |= WORK_EXEC;
	kfree(g.text);
	kfree(path);
	return err;
}
