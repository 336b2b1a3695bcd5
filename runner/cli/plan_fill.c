/* SPDX-License-Identifier: Apache-2.0 */
/* plan_fill.c - the plan of a VM from what the command line asks for.
 *
 *	0          kernel    ...free...    initrd | top of low memory
 *
 * The initrd goes as high as it can: what lies below stays one piece. */
#include "runner/cli/plan_fill.h"

#include "base/plan.h"
#include "runner/cli/kernel_elf.h"
#include "runner/cli/parse.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"
#include "runner/cli/streams.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#define PAGE_BYTES  4096ull
#define HUGE_BYTES  (2ull << 20)
#define SPARE_BYTES (2ull << 20) /* least room for the program itself */

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) & ~(unit - 1);
}

static int too_small(const struct settings *s, uint64_t need,
		     struct problem *why)
{
	char have_text[32], need_text[32];

	need = round_up(need, 1ull << 20);
	if (need > PLAN_GAP_START)
		return problem_set(why, EXIT_AMPOULE,
				   "the files for the VM take %s; at most 3G "
				   "fit",
				   size_text(need, need_text));
	return problem_set(
		why, EXIT_AMPOULE,
		"%s of memory is too small: kernel and files alone "
		"take %s; use --mem %s or more",
		size_text(s->mem_bytes, have_text), size_text(need, need_text),
		size_text(round_up(need + need / 4, 16ull << 20), have_text));
}

static int place_initrd(struct plan *plan, const struct settings *s,
			const struct kernel_image *kernel, uint64_t bytes,
			struct problem *why)
{
	uint64_t top =
		s->mem_bytes < PLAN_GAP_START ? s->mem_bytes : PLAN_GAP_START;
	uint64_t floor = round_up(kernel->end_gpa, PAGE_BYTES);
	uint64_t whole = round_up(bytes, PAGE_BYTES), gpa;

	if (whole > PLAN_GAP_START || floor + whole + SPARE_BYTES > top)
		return too_small(s, floor + whole + SPARE_BYTES, why);
	if (!bytes)
		return 0;
	gpa = top - whole;
	/* Aligned, the rest can be mapped by large pages. */
	if ((gpa & ~(HUGE_BYTES - 1)) >= floor + SPARE_BYTES)
		gpa &= ~(HUGE_BYTES - 1);
	plan->initrd_gpa = gpa;
	plan->initrd_bytes = bytes;
	plan->segment[plan->segment_count++] = (struct plan_segment){
		.gpa = gpa,
		.file_bytes = bytes,
		.mem_bytes = bytes,
		.fd = PLAN_FD_INITRD,
	};
	return 0;
}

void plan_fill_name(const char *path, char *ret)
{
	const char *slash = strrchr(path, '/');
	size_t i;

	if (slash)
		path = slash + 1;
	for (i = 0; i < PLAN_NAME_BYTES - 1 && path[i]; i++)
		ret[i] = isalnum((unsigned char)path[i]) ||
					 strchr("._-", path[i])
				 ? path[i]
				 : '_';
	ret[i] = '\0';
	if (!i)
		memcpy(ret, "vm", sizeof("vm"));
}

static void fill_devices(struct plan *plan)
{
	plan->device[plan->device_count++] = PLAN_DEVICE_HARNESS;
	plan->device[plan->device_count++] = PLAN_DEVICE_CONSOLE;
	plan->device[plan->device_count++] = PLAN_DEVICE_RNG;
}

int plan_fill(const struct settings *s, const struct kernel_image *kernel,
	      uint64_t initrd_bytes, const struct streams *streams,
	      struct plan *ret, struct problem *why)
{
	*ret = (struct plan){
		.magic = PLAN_MAGIC,
		.version = PLAN_VERSION,
		.total_bytes = sizeof(*ret),
		.flags = PLAN_FLAG_FOREGROUND,
		.log_level = settings_log_level(s),
		.mem_bytes = s->mem_bytes,
		.cpus = s->cpus,
		.time_limit_ns = s->time_limit_ns,
		.segment_count = kernel->segment_count,
		.entry_gpa = kernel->entry_gpa,
		.tty_rows = streams->rows,
		.tty_cols = streams->cols,
	};
	if (s->trace || s->json || s->verbose)
		ret->flags |= PLAN_FLAG_TRACE;
	if (s->learn)
		ret->flags |= PLAN_FLAG_LEARN;
	memcpy(ret->segment, kernel->segment, sizeof(kernel->segment));
	memcpy(ret->stream_kind, streams->kind, sizeof(streams->kind));
	for (int i = 0; i < PLAN_FD_COUNT; i++)
		ret->fd[i] = -1;
	if (s->cmdline) { /* shorter than PLAN_CMDLINE_BYTES: settings.c */
		ret->cmdline_bytes = (uint32_t)strlen(s->cmdline);
		memcpy(ret->cmdline, s->cmdline, ret->cmdline_bytes);
	}
	fill_devices(ret);
	return place_initrd(ret, s, kernel, initrd_bytes, why);
}
