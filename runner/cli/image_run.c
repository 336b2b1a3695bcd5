/* SPDX-License-Identifier: Apache-2.0 */
/* image_run.c - what `run --image` starts. */
#include "runner/cli/image_run.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/problem.h"
#include "runner/image/erofs_format.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/** read_super() - a first look, for who names a wrong file. */
static int read_super(const char *path, int fd, struct erofs_super *ret,
		      uint64_t *ret_bytes, struct problem *why)
{
	struct stat st;
	int err = fd_pread_all(fd, ret, sizeof(*ret), EROFS_SUPER_OFFSET);

	if ((err && err != -ENODATA) || fstat(fd, &st) < 0)
		return problem_set(why, EXIT_AMPOULE, "cannot read %s: %s",
				   path, error_text(err ? err : errno));
	if (err || ret->magic != EROFS_MAGIC)
		return problem_set(why, EXIT_AMPOULE,
				   "%s is no EROFS image; make one with "
				   "'ampoule image build'",
				   path);
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

int image_run_read(const char *path, struct erofs_super *ret_super,
		   uint64_t *ret_bytes, struct label *ret, struct problem *why)
{
	cleanup_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char *wrong = NULL;
	int err;

	if (fd < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot open the image %s: %s", path,
				   error_text(errno));
	err = read_super(path, fd, ret_super, ret_bytes, why);
	if (err)
		return err;
	err = label_read(fd, ret, &wrong);
	if (err == -EBADMSG)
		return problem_set(why, EXIT_AMPOULE,
				   "the image %s cannot be used: %s; build it "
				   "anew",
				   path, wrong);
	return err ? problem_set(why, EXIT_AMPOULE, "cannot read %s: %s", path,
				 error_text(err))
		   : 0;
}

/** merge_env() - what was given comes later and wins. */
static int merge_env(struct image_run *r, const struct strlist *given)
{
	int err = 0;

	for (size_t i = 0; !err && i < r->label.env.count; i++)
		err = strlist_add(&r->env, r->label.env.item[i]);
	for (size_t i = 0; !err && i < given->count; i++)
		err = strlist_add(&r->env, given->item[i]);
	return err;
}

int image_run_prepare(const struct settings *s, char *const *argv,
		      struct image_run *ret, struct problem *why)
{
	struct erofs_super super;
	uint64_t bytes;
	int err;

	*ret = (struct image_run){.settings = *s, .argv = argv};
	err = image_run_read(s->image, &super, &bytes, &ret->label, why);
	if (err)
		return err;
	if (merge_env(ret, &s->env))
		return problem_set(why, EXIT_AMPOULE, "out of memory");
	ret->settings.env = ret->env;
	if (!s->cwd_given && ret->label.cwd)
		ret->settings.cwd = ret->label.cwd;
	if (!s->user_given) {
		ret->settings.uid = ret->label.uid;
		ret->settings.gid = ret->label.gid;
	}
	if (!argv[0])
		ret->argv = ret->label.command.item;
	if (!ret->argv || !ret->argv[0] || !*ret->argv[0])
		return problem_set(why, EXIT_AMPOULE,
				   "--image: %s has no command of its own; say "
				   "what to run, as in 'ampoule run --image %s "
				   "-- /bin/sh'",
				   s->image, s->image);
	return 0;
}

void image_run_done(struct image_run *run)
{
	strlist_done(&run->env);
	label_done(&run->label);
}
