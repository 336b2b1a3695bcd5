/* SPDX-License-Identifier: Apache-2.0 */
/* runblock.c - builds the initrd's first entry. */
#include "runner/cli/runblock.h"

#include "base/abi/runblock.h"
#include "base/cleanup.h"
#include "runner/cli/host_env.h"
#include "runner/cli/settings.h"
#include "runner/cli/streams.h"

#include <stdio.h>
#include <string.h>

#define STRINGS_MAX (4u << 20) /* more arguments than Linux takes anyway */

/** default_env() - PATH, HOME and, at a terminal, TERM; what the user set
 * comes after and wins. */
static int default_env(const struct settings *s, const struct streams *streams,
		       struct strlist *env)
{
	const char *term = host_env("TERM");
	cleanup_free char *entry = NULL;
	int err = strlist_add(env, "PATH=/usr/local/sbin:/usr/local/bin:"
				   "/usr/sbin:/usr/bin:/sbin:/bin");

	if (!err)
		err = strlist_add(env, s->uid ? "HOME=/tmp" : "HOME=/root");
	if (!err && term && streams->interactive &&
	    asprintf(&entry, "TERM=%s", term) >= 0)
		err = strlist_add(env, entry);
	for (size_t i = 0; !err && i < s->env.count; i++) {
		const char *add = s->env.item[i];
		size_t name = strcspn(add, "=") + 1;
		size_t k;

		for (k = 0; k < env->count; k++) {
			if (!strncmp(env->item[k], add, name))
				break;
		}
		if (k == env->count) {
			err = strlist_add(env, add);
		} else {
			free(env->item[k]);
			env->item[k] = strdup(add);
			err = env->item[k] ? 0 : -ENOMEM;
		}
	}
	return err;
}

static char *append(char *to, const char *text)
{
	return stpcpy(to, text) + 1;
}

int runblock_build(const struct settings *s, const char *program,
		   char *const *argv, const struct streams *streams, void **ret,
		   uint64_t *ret_bytes)
{
	cleanup_strlist struct strlist env = {0};
	cleanup_free struct runblock *block = NULL;
	size_t strings = strlen(program) + 1 + strlen(s->cwd) + 1;
	uint32_t argc;
	char *p;
	int err = default_env(s, streams, &env);

	if (err)
		return err;
	for (argc = 0; argv[argc]; argc++)
		strings += strlen(argv[argc]) + 1;
	for (size_t i = 0; i < env.count; i++)
		strings += strlen(env.item[i]) + 1;
	if (strings > STRINGS_MAX)
		return -E2BIG;
	block = malloc(sizeof(*block) + strings);
	if (!block)
		return -ENOMEM;
	*block = (struct runblock){
		.magic = RUNBLOCK_MAGIC,
		.version = RUNBLOCK_VERSION,
		.total_bytes = (uint32_t)(sizeof(*block) + strings),
		.string_bytes = (uint32_t)strings,
		.argc = argc,
		.envc = (uint32_t)env.count,
		.uid = s->uid,
		.gid = s->gid,
		.stream = {streams->guest[0], streams->guest[1],
			   streams->guest[2], 0},
		.tty_rows = streams->rows,
		.tty_cols = streams->cols,
	};
	if (s->verbose || s->json || s->trace)
		block->flags |= RUNBLOCK_FLAG_VERBOSE;
	if (s->image)
		block->flags |= RUNBLOCK_FLAG_ROOT_IMAGE;
	if (s->image && s->image_rw)
		block->flags |= RUNBLOCK_FLAG_OVERLAY;
	p = append((char *)(block + 1), program);
	p = append(p, s->cwd);
	for (uint32_t i = 0; i < argc; i++)
		p = append(p, argv[i]);
	for (size_t i = 0; i < env.count; i++)
		p = append(p, env.item[i]);
	*ret_bytes = block->total_bytes;
	*ret = steal_ptr(&block);
	return 0;
}
