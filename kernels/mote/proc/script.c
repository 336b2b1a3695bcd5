/* SPDX-License-Identifier: Apache-2.0 */
/* script.c - the first line of a script, read as Linux reads it: interpreter,
 * then at most one argument, which may hold blanks. */
#include "kernels/mote/proc/script.h"

#include <errno.h>
#include <stdbool.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cut @line into interpreter and argument ("" if none). */
static int split(char *line, char **ret_interp, char **ret_arg)
{
	char *end = strchr(line, '\n'), *p = line;

	if (!end)
		return -ENOEXEC; /* longer than the buffer, or no newline */
	while (end > line && blank(end[-1]))
		end--;
	*end = '\0';
	while (blank(*p))
		p++;
	if (!*p)
		return -ENOEXEC;
	*ret_interp = p;
	while (*p && !blank(*p))
		p++;
	if (*p)
		*p++ = '\0';
	while (blank(*p))
		p++;
	*ret_arg = p;
	return 0;
}

static char *append(char *dst, const char *s)
{
	uint64_t n = strlen(s) + 1;

	memcpy(dst, s, n);
	return dst + n;
}

/* argv[0] of the old arguments gives way to the script's path. */
static int build_strings(struct script *s, const char *arg, const char *path,
			 const struct exec_strings *old)
{
	uint64_t skip = old->argc ? strlen(old->text) + 1 : 0;
	uint64_t bytes = strlen(s->interp) + strlen(arg) + strlen(path) + 3 +
			 old->bytes - skip;
	char *p = kmalloc(bytes);

	if (!p)
		return -ENOMEM;
	s->strings = (struct exec_strings){
		.text = s->text = p,
		.argc = 2 + (*arg ? 1u : 0u) + (old->argc ? old->argc - 1 : 0),
		.envc = old->envc,
	};
	p = append(p, s->interp);
	if (*arg)
		p = append(p, arg);
	p = append(p, path);
	memcpy(p, old->text + skip, old->bytes - skip);
	p += old->bytes - skip;
	s->strings.bytes = (uint64_t)(p - s->strings.text);
	return 1;
}

int script_parse(struct file *f, const char *path,
		 const struct exec_strings *old, struct script *ret)
{
	char line[SCRIPT_LINE_MAX + 1], *interp, *arg;
	const char *head;
	uint64_t pa, size = file_size(f);
	int r;

	if (size < 2 || !f->ops->map_page ||
	    f->ops->map_page(f, 0, false, &pa) < 0)
		return 0;
	head = pa_to_va(pa);
	if (head[0] != '#' || head[1] != '!') {
		page_unref(pa);
		return 0;
	}
	size = MIN(size - 2, (uint64_t)SCRIPT_LINE_MAX);
	memcpy(line, head + 2, size);
	line[size] = '\0';
	page_unref(pa);
	if (!strchr(line, '\n') && size < SCRIPT_LINE_MAX) {
		line[size] = '\n';
		line[MIN(size + 1, (uint64_t)SCRIPT_LINE_MAX)] = '\0';
	}
	r = split(line, &interp, &arg);
	if (r < 0)
		return r;
	strscpy(ret->interp, interp, sizeof(ret->interp));
	return build_strings(ret, arg, path, old);
}

void script_done(struct script *s)
{
	kfree(s->text);
}
