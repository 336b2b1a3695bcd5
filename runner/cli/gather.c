/* SPDX-License-Identifier: Apache-2.0 */
/* gather.c - what a VM boots from. Opens the files that the user named; bytes
 * of them are read in the child only. */
#include "runner/cli/gather.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/image_run.h"
#include "runner/cli/initrd_file.h"
#include "runner/cli/kernel_file.h"
#include "runner/cli/pack.h"
#include "runner/cli/parser.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct task { /* for the child */
	const struct settings *settings;
	char *const *argv;
	const struct streams *streams;
	bool kernel, pack;
	/* Of the user's own initrd for Linux: not looked at before. */
	bool check_initrd;
	uint8_t initrd_head[INITRD_HEAD_BYTES];
};

struct found { /* by the child */
	struct kernel_image kernel;
	struct profile profile;
	struct cpu_template cpu;
	int32_t missing;
};

/** open_initrd() - the user's own image, as it is. */
static int open_initrd(const char *path, struct gathered *g,
		       struct problem *why)
{
	struct stat st;

	g->initrd_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (g->initrd_fd < 0 || fstat(g->initrd_fd, &st) < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot open the initrd %s: %s", path,
				   error_text(errno));
	if (!S_ISREG(st.st_mode) || !st.st_size)
		return problem_set(
			why, EXIT_AMPOULE, "the initrd %s is %s", path,
			S_ISREG(st.st_mode) ? "empty" : "not a file");
	g->initrd_bytes = (uint64_t)st.st_size;
	return 0;
}

/** check_initrd() - in the child. */
static int check_initrd(const struct task *t, struct problem *why)
{
	const char *wrong =
		initrd_file_check(t->initrd_head, t->settings->cmdline);

	return wrong ? problem_set(why, EXIT_AMPOULE, "the initrd %s %s",
				   t->settings->initrd, wrong)
		     : 0;
}

static int open_archive(int *ret_fd, struct problem *why)
{
	*ret_fd = fd_memfd_sealable("initrd");
	return *ret_fd < 0 ? problem_set(why, EXIT_AMPOULE,
					 "cannot make an image in memory: %s",
					 error_text(*ret_fd))
			   : 0;
}

/** seal_archive() - nobody changes it any more. @ret_bytes: what there is. */
static int seal_archive(int fd, uint64_t *ret_bytes, struct problem *why)
{
	const int seals =
		F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct stat st;

	if (fcntl(fd, F_ADD_SEALS, seals) < 0 || fstat(fd, &st) < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot seal the image: %s",
				   error_text(errno));
	*ret_bytes = (uint64_t)st.st_size;
	return 0;
}

/** pack_for_image() - what the image's label leaves to say. */
static int pack_for_image(const struct task *t, struct problem *why)
{
	struct packed packed = {0};
	struct image_run run;
	int err = image_run_prepare(t->settings, t->argv, &run, why);

	if (!err)
		err = pack_program(&run.settings, run.argv, t->streams,
				   PARSER_OUTPUT, &packed, why);
	packed_done(&packed);
	image_run_done(&run);
	return err;
}

/** read_kernel() - in the child. */
static int read_kernel(const struct settings *s, struct kernel_image *ret,
		       struct problem *why)
{
	const char *name = s->kernel ? s->kernel : "mote", *wrong;

	if (kernel_elf_read(PARSER_INPUT, s->boot, ret, &wrong))
		return problem_set(why, EXIT_AMPOULE, "the kernel %s %s", name,
				   wrong);
	if (ret->pvh && s->kaslr)
		return problem_set(why, EXIT_AMPOULE,
				   "the kernel %s is started by PVH, where "
				   "--kaslr cannot be",
				   name);
	return 0;
}

/** read_texts() - what options name, beside what is to boot. */
static int read_texts(const struct settings *s, struct found *found,
		      struct problem *why)
{
	const char *profile = settings_profile_file(s);
	const char *cpu = cpu_template_file(s);
	int err = profile ? profile_read(profile, &found->profile, why) : 0;

	if (!err && cpu)
		err = cpu_template_read(cpu, &found->cpu, why);
	return err;
}

/** look_into() - in the child. */
static int look_into(const void *context, void *result, struct problem *why)
{
	const struct task *t = context;
	struct found *found = result;
	struct packed packed = {0};
	int err = t->kernel ? read_texts(t->settings, found, why) : 0;

	if (!err && t->kernel)
		err = read_kernel(t->settings, &found->kernel, why);
	if (!err && t->check_initrd)
		err = check_initrd(t, why);
	if (err || !t->pack)
		return err;
	if (t->settings->image)
		return pack_for_image(t, why);
	err = pack_program(t->settings, t->argv, t->streams, PARSER_OUTPUT,
			   &packed, why);
	if (!err)
		found->missing = pack_hint(&packed, t->settings, t->argv);
	packed_done(&packed);
	return err;
}

/** is_sane() - what plan_fill() relies on; the plan's checks do the rest. */
static bool is_sane(const struct kernel_image *k)
{
	return k->segment_count && k->segment_count < PLAN_SEGMENTS_MAX &&
	       k->end_gpa <= PLAN_GAP_START;
}

/** open_own_initrd() - and its first bytes, for the child. */
static int open_own_initrd(struct task *t, bool is_linux, struct gathered *g,
			   struct problem *why)
{
	const char *path = t->settings->initrd;
	int err = open_initrd(path, g, why);

	t->check_initrd = is_linux;
	if (!err &&
	    pread(g->initrd_fd, t->initrd_head, sizeof(t->initrd_head), 0) < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot read the initrd %s: %s", path,
				   error_text(errno));
	return err;
}

int gather(const struct settings *s, char *const *argv,
	   const struct streams *streams, uint32_t id, struct gathered *ret,
	   struct problem *why)
{
	struct kernel_file kernel = {.fd = -1};
	struct settings here = *s;
	struct task task = {
		.settings = &here,
		.argv = argv,
		.streams = streams,
		.kernel = true,
		.pack = (argv[0] || s->image) && !s->initrd,
	};
	struct parser parser = {.id = id, .output = -1};
	struct found found = {0};
	int err = kernel_file_open(s, id, &kernel, why);

	ret->kernel_fd = kernel.fd;
	if (!here.modules && *kernel.modules)
		here.modules = kernel.modules;
	if (!err && s->initrd)
		err = open_own_initrd(&task, kernel.is_linux, ret, why);
	if (!err && task.pack)
		err = open_archive(&ret->initrd_fd, why);
	if (err)
		return err;
	parser.input = ret->kernel_fd;
	if (task.pack)
		parser.output = ret->initrd_fd;
	err = parser_run(&parser, look_into, &task, &found, sizeof(found), why);
	if (!err && task.pack)
		err = seal_archive(ret->initrd_fd, &ret->initrd_bytes, why);
	if (err)
		return err;
	if (!is_sane(&found.kernel))
		return problem_set(why, EXIT_AMPOULE,
				   "the parser of files gave a kernel that "
				   "cannot be: please report it");
	if (!profile_is_sane(&found.profile))
		return problem_set(why, EXIT_AMPOULE,
				   "the parser of files gave a profile that "
				   "cannot be: please report it");
	if (!cpu_template_is_sane(&found.cpu))
		return problem_set(why, EXIT_AMPOULE,
				   "the parser of files gave a CPU template "
				   "that cannot be: please report it");
	ret->kernel = found.kernel;
	ret->profile = found.profile;
	ret->cpu = found.cpu;
	ret->profile_read = settings_profile_file(s) != NULL;
	for (int i = 1; task.pack && argv[0] && argv[i]; i++) {
		if (i == found.missing)
			ret->missing = i;
	}
	return 0;
}

void gathered_done(struct gathered *g)
{
	cleanup_fd_run(&g->kernel_fd);
	cleanup_fd_run(&g->initrd_fd);
}

int gather_archive(const struct settings *s, char *const *argv,
		   const struct streams *streams, uint32_t id,
		   struct gathered *ret, struct problem *why)
{
	const struct task task = {
		.settings = s,
		.argv = argv,
		.streams = streams,
		.pack = true,
	};
	struct parser parser = {.id = id, .input = -1};
	struct found found = {0};
	int err = open_archive(&ret->initrd_fd, why);

	if (err)
		return err;
	parser.output = ret->initrd_fd;
	err = parser_run(&parser, look_into, &task, &found, sizeof(found), why);
	return err ? err
		   : seal_archive(ret->initrd_fd, &ret->initrd_bytes, why);
}
