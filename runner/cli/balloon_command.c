/* SPDX-License-Identifier: Apache-2.0 */
/* balloon_command.c - `ampoule balloon`: what a VM gives back to the host, and
 * how much it is asked to. Trusts: nothing in the answers, which are numbers
 * and printed as such. */
#include "base/control.h"
#include "base/error.h"
#include "runner/cli/commands.h"
#include "runner/cli/parse.h"
#include "runner/cli/problem.h"
#include "runner/cli/relay.h"
#include "runner/cli/vm_each.h"
#include "runner/cli/vm_state.h"

#include <errno.h>
#include <jansson.h>
#include <linux/virtio_balloon.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define PAGE_BYTES 4096u
#define ANSWER_MS  2000
#define STATS_MS   500 /* for the guest to send statistics */
#define LOOK_MS    5

struct balloon_settings {
	bool set, json;
	uint64_t target_bytes;
};

static const char *set_target(void *settings, const char *value)
{
	struct balloon_settings *s = settings;

	if (!strcmp(value, "0"))
		s->target_bytes = 0;
	else if (parse_size(value, &s->target_bytes))
		return "is not a size like 64M";
	s->target_bytes &= ~(uint64_t)(PAGE_BYTES - 1);
	s->set = true;
	return NULL;
}

static const char *set_json(void *settings, const char *value)
{
	(void)value;
	((struct balloon_settings *)settings)->json = true;
	return NULL;
}

static const struct option_spec options[] = {
	{"target", 0, OPTION_REQUIRED, "SIZE",
	 "ask the guest to do without so much of its memory", set_target},
	{"json", 0, OPTION_FLAG, NULL, "one JSON object a VM, one a line",
	 set_json},
	{0},
};
static const struct option_spec *const tables[] = {options, NULL};

static int explain(const struct vm_entry *vm, int err, struct problem *why)
{
	const char *text = error_text(err);

	if (err == -ENODEV)
		text = "it has none; its profile's 'devices' leaves it out";
	else if (err == -ETIME)
		text = "the VM does not answer; is it paused? See 'ampoule ps'";
	else if (err == -ECONNREFUSED || err == -ENOENT)
		text = "nobody listens; the VM starts or ends just now";
	return problem_set(why, EXIT_AMPOULE,
			   "cannot ask for the balloon of '%s': %s", vm->name,
			   text);
}

static int ask(const struct vm_entry *vm, enum control_type type,
	       struct control_msg *msg)
{
	msg->type = type;
	return relay_ask(vm->dir_fd, msg, ANSWER_MS);
}

/** look() - with statistics of now, if the guest sends them in time. */
static int look(const struct vm_entry *vm, struct control_balloon *ret)
{
	struct control_msg msg = {0};
	uint32_t before;
	int err = ask(vm, CONTROL_BALLOON_LOOK, &msg);

	before = msg.u.balloon.stats_serial;
	if (!err)
		err = ask(vm, CONTROL_BALLOON_STATS, &msg);
	for (int ms = 0; !err; ms += LOOK_MS) {
		const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

		err = ask(vm, CONTROL_BALLOON_LOOK, &msg);
		if (err || msg.u.balloon.stats_serial != before ||
		    ms >= STATS_MS)
			break;
		(void)nanosleep(&pause, NULL);
	}
	if (!err)
		*ret = msg.u.balloon;
	return err;
}

static const struct {
	unsigned tag;
	const char *label, *key;
} stats[] = {
	{VIRTIO_BALLOON_S_MEMTOT, "guest total", "total_bytes"},
	{VIRTIO_BALLOON_S_MEMFREE, "guest free", "free_bytes"},
	{VIRTIO_BALLOON_S_AVAIL, "guest available", "available_bytes"},
	{VIRTIO_BALLOON_S_CACHES, "guest caches", "cache_bytes"},
	{VIRTIO_BALLOON_S_MAJFLT, NULL, "major_faults"},
	{VIRTIO_BALLOON_S_MINFLT, NULL, "minor_faults"},
};
#define STATS (sizeof(stats) / sizeof(stats[0]))

static bool has(const struct control_balloon *b, unsigned tag)
{
	return b->stats_mask & 1u << tag;
}

static void print_json(const struct vm_entry *vm,
		       const struct control_balloon *b)
{
	json_t *guest = json_object();
	json_t *all =
		json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "name",
			  vm->name, "driver", b->live == 1, "target_bytes",
			  (json_int_t)b->target_bytes, "actual_bytes",
			  (json_int_t)b->actual_bytes, "inflated_bytes",
			  (json_int_t)b->inflated_bytes, "reported_bytes",
			  (json_int_t)b->reported_bytes, "failures",
			  (json_int_t)b->failures, "guest", guest);

	for (size_t i = 0; i < STATS; i++) {
		json_int_t value = (json_int_t)b->stat[stats[i].tag];

		if (has(b, stats[i].tag))
			json_object_set_new(guest, stats[i].key,
					    json_integer(value));
	}
	json_dumpf(all, stdout, JSON_SORT_KEYS);
	(void)putchar('\n');
	json_decref(all);
}

static void print_size(const char *label, uint64_t bytes)
{
	(void)printf("  %-16s %10.1f MiB\n", label,
		     (double)bytes / (1024 * 1024));
}

static void print_text(const struct vm_entry *vm,
		       const struct control_balloon *b)
{
	(void)printf("%s%s\n", vm->name,
		     b->live ? "" : ": the guest has no driver for it (yet)");
	print_size("target", b->target_bytes);
	print_size("actual", b->actual_bytes);
	print_size("given back", b->inflated_bytes + b->reported_bytes);
	for (size_t i = 0; i < STATS; i++) {
		if (stats[i].label && has(b, stats[i].tag))
			print_size(stats[i].label, b->stat[stats[i].tag]);
	}
}

static int check_target(const struct vm_entry *vm,
			const struct balloon_settings *s, struct problem *why)
{
	char text[32];

	if (!s->set || s->target_bytes < vm->record.mem_bytes)
		return 0;
	return problem_set(why, EXIT_AMPOULE,
			   "'%s' has %s of memory; the balloon must leave "
			   "some of it, so --target has to be less",
			   vm->name, size_text(vm->record.mem_bytes, text));
}

static int balloon_one(struct registry *reg, struct vm_entry *vm,
		       void *settings, struct problem *why)
{
	const struct balloon_settings *s = settings;
	struct control_msg msg = {
		.u.balloon.target_bytes = s->target_bytes,
	};
	struct control_balloon now;
	struct process_stat stat;
	int err;

	(void)reg;
	if (vm_look(vm, &stat) >= VM_ENDING) {
		problem_set(why, EXIT_AMPOULE, "the VM '%s' has ended",
			    vm->name);
		return EXIT_AMPOULE;
	}
	if (check_target(vm, s, why))
		return EXIT_AMPOULE;
	err = vm_await_start(vm);
	if (!err && s->set)
		err = ask(vm, CONTROL_BALLOON_SET, &msg);
	if (!err)
		err = look(vm, &now);
	if (err) {
		explain(vm, err, why);
		return EXIT_AMPOULE;
	}
	if (s->json)
		print_json(vm, &now);
	else
		print_text(vm, &now);
	return fflush(stdout) ? EXIT_AMPOULE : 0;
}

static int balloon_command(int argc, char **argv)
{
	struct balloon_settings s = {0};
	int first, code;

	if (vm_options(&command_balloon, &s, argc, argv, &first, &code))
		return code;
	return vm_each(&command_balloon, &s, argc - first, argv + first,
		       balloon_one);
}

const struct command command_balloon = {
	.name = "balloon",
	.synopsis = "[--target SIZE] [--json] VM...",
	.summary = "show or change how much memory a VM does without",
	.about =
		"Shows how much memory each VM has given back to the host, "
		"and what its guest\nsays of its memory. With --target the "
		"guest is asked to do without so much of\nit; it comes as near "
		"to that as its programs allow, and takes memory back\nbefore "
		"it runs short. 0 gives all of it back to the guest.",
	.notes = "Memory that the guest has freed goes back to the host by "
		 "itself, without this.\n\nexample:\n"
		 "  ampoule balloon --target 64M web\n",
	.tables = tables,
	.run = balloon_command,
};
