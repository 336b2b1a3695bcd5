/* SPDX-License-Identifier: Apache-2.0 */
/* pack_command.c - `ampoule pack`: the image that `run` would boot, as a file.
 */
#include "base/abi/runblock.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "runner/cli/cell.h"
#include "runner/cli/commands.h"
#include "runner/cli/gather.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"
#include "runner/cli/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

/** copy_out() - the image into @fd, inside the kernel. */
static int copy_out(const struct gathered *made, int fd)
{
	off_t offset = 0;

	while ((uint64_t)offset < made->initrd_bytes) {
		ssize_t n = sendfile(fd, made->initrd_fd, &offset,
				     made->initrd_bytes - (uint64_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
	}
	return 0;
}

static int write_file(const struct gathered *made, const char *path,
		      struct problem *why)
{
	cleanup_fd int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY,
		     0644);
	int err = fd < 0 ? -errno : copy_out(made, fd);

	return err ? problem_set(why, EXIT_AMPOULE, "cannot write %s: %s", path,
				 error_text(err))
		   : 0;
}

static int pack(const struct settings *s, int argc, char **argv,
		struct problem *why)
{
	/* Whoever boots the image connects the streams. */
	const struct streams streams = {
		.fd = {-1, -1, -1},
		.guest = {RUNBLOCK_STREAM_PIPE, RUNBLOCK_STREAM_PIPE,
			  RUNBLOCK_STREAM_PIPE},
	};
	struct cell cell = CELL_NONE; /* an id for the child that reads */
	struct gathered made = GATHERED_NONE;
	int err;

	if (!s->output)
		return problem_set(why, EXIT_AMPOULE,
				   "pack: no output file; give one with -o");
	if (!argc)
		return problem_set(why, EXIT_AMPOULE, "pack: no program given");
	err = cell_take(&cell, why);
	if (!err)
		err = gather_archive(s, argv, &streams, cell.id, &made, why);
	cell_leave(&cell);
	if (!err)
		err = write_file(&made, s->output, why);
	gathered_done(&made);
	return err;
}

static const struct option_spec *const tables[] = {
	settings_output_options,
	settings_pack_options,
	NULL,
};

static int pack_command(int argc, char **argv)
{
	cleanup_settings struct settings s;
	struct problem why;
	int first, err;

	settings_init(&s);
	err = options_parse(&command_pack, &s, argc, argv, &first, &why);
	if (err == OPTIONS_HELP) {
		options_help(&command_pack);
		return 0;
	}
	if (!err)
		err = pack(&s, argc - first, argv + first, &why);
	return err ? problem_say(&why) : 0;
}

const struct command command_pack = {
	.name = "pack",
	.synopsis = "-o FILE [OPTION...] [--] PROGRAM [ARGUMENT...]",
	.summary = "write the image that run would boot to a file",
	.about = "Packs PROGRAM, its interpreter, its libraries and what "
		 "--file brings along\ninto an initrd image (cpio, format "
		 "newc). mote boots it on any\nVMM; cpio lists it.",
	.notes = "examples:\n"
		 "  ampoule pack -o hello.img ./hello\n"
		 "  cpio -itv < hello.img\n"
		 "  ampoule run --initrd hello.img\n\n"
		 "exit codes: 0, 125 (failed), 126 (PROGRAM cannot be run), "
		 "127 (not found)\n",
	.tables = tables,
	.run = pack_command,
};
