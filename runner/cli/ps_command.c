/* SPDX-License-Identifier: Apache-2.0 */
/* ps_command.c - `ampoule ps`: the VMs of this user. */
#include "base/clock.h"
#include "base/error.h"
#include "runner/cli/commands.h"
#include "runner/cli/problem.h"
#include "runner/cli/ps_text.h"
#include "runner/cli/vm_each.h"
#include "runner/cli/vm_state.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

struct ps_settings {
	bool all, quiet, json;
};

struct ps_row {
	const struct vm_entry *vm;
	enum vm_state state;
	uint64_t age_s, mem_bytes;
	double cpu_s;
};

static const char *set_all(void *settings, const char *value)
{
	(void)value;
	((struct ps_settings *)settings)->all = true;
	return NULL;
}

static const char *set_quiet(void *settings, const char *value)
{
	(void)value;
	((struct ps_settings *)settings)->quiet = true;
	return NULL;
}

static const char *set_json(void *settings, const char *value)
{
	(void)value;
	((struct ps_settings *)settings)->json = true;
	return NULL;
}

static const struct option_spec options[] = {
	{"all", 'a', OPTION_FLAG, NULL, "those that have ended, too", set_all},
	{"quiet", 'q', OPTION_FLAG, NULL, "only the names, one a line",
	 set_quiet},
	{"json", 0, OPTION_FLAG, NULL, "an array of JSON objects", set_json},
	{0},
};
static const struct option_spec *const tables[] = {options, NULL};

static void fill_row(const struct vm_entry *vm, struct ps_row *row)
{
	struct process_stat stat;
	struct timespec now;

	row->vm = vm;
	row->state = vm_look(vm, &stat);
	clock_gettime(CLOCK_REALTIME, &now);
	row->age_s = vm->record.created_ns / NS_PER_SEC;
	row->age_s = (uint64_t)now.tv_sec > row->age_s
			     ? (uint64_t)now.tv_sec - row->age_s
			     : 0;
	row->mem_bytes = stat.rss_pages * (uint64_t)sysconf(_SC_PAGESIZE);
	row->cpu_s = (double)stat.cpu_ticks / (double)sysconf(_SC_CLK_TCK);
}

/** command_width() - what is left of a line for the command; 0: as long as it
 * is. */
static size_t command_width(size_t used)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return 0;
	return size.ws_col > used + 10 ? size.ws_col - used : 10;
}

static void print_head(void)
{
	(void)printf("%-20s %7s %-10s %5s %8s %9s %s\n", "NAME", "PID", "STATE",
		     "AGE", "MEMORY", "CPU", "COMMAND");
}

static void print_row(const struct ps_row *row)
{
	const struct vm_entry *vm = row->vm;
	bool alive = row->state == VM_RUNNING || row->state == VM_PAUSED;
	char state[24], age[16], mem[16] = "-", pid[16] = "-", cpu[16] = "-";
	char command[PS_COMMAND_BYTES];
	int used;

	if (alive) {
		(void)snprintf(pid, sizeof(pid), "%d", (int)vm->record.vm.pid);
		(void)snprintf(cpu, sizeof(cpu), "%.2fs", row->cpu_s);
		ps_size(row->mem_bytes, mem, sizeof(mem));
	}
	ps_age(row->age_s, age, sizeof(age));
	used = printf("%-20s %7s %-10s %5s %8s %9s ", vm->name, pid,
		      vm_state_text(vm, row->state, state), age, mem, cpu);
	ps_command_text(&vm->record.command,
			command_width(used < 0 ? 0 : (size_t)used), command);
	(void)printf("%s\n", command);
}

/** json_text() - JSON is UTF-8; file names need not be. */
static json_t *json_text(const char *text)
{
	json_t *json = json_string(text);
	char copy[PS_COMMAND_BYTES];

	if (json)
		return json;
	ps_plain(text, copy, sizeof(copy));
	return json_string(copy);
}

static json_t *json_command(const struct strlist *command)
{
	json_t *list = json_array();

	for (size_t i = 0; i < command->count; i++)
		json_array_append_new(list, json_text(command->item[i]));
	return list;
}

static json_t *json_row(const struct ps_row *row)
{
	const struct record *r = &row->vm->record;
	bool alive = row->state == VM_RUNNING || row->state == VM_PAUSED;
	char buf[24];
	const char *state = row->state == VM_EXITED
				    ? "exited"
				    : vm_state_text(row->vm, row->state, buf);
	json_t *json =
		json_pack("{s:s, s:s, s:I, s:f, s:I, s:I, s:I, s:b, s:o}",
			  "name", row->vm->name, "state", state, "created_ns",
			  (json_int_t)r->created_ns, "cpu_seconds", row->cpu_s,
			  "age_seconds", (json_int_t)row->age_s, "memory_bytes",
			  (json_int_t)row->mem_bytes, "memory_limit_bytes",
			  (json_int_t)r->mem_bytes, "detached", r->detached,
			  "command", json_command(&r->command));

	json_object_set_new(json, "pid",
			    alive ? json_integer(r->vm.pid) : json_null());
	json_object_set_new(json, "exit_code",
			    r->exited ? json_integer(r->exit_code)
				      : json_null());
	json_object_set_new(json, "error",
			    r->error ? json_text(r->error) : json_null());
	return json;
}

static void show(const struct ps_settings *s, const struct vm_entry *vm,
		 json_t *list)
{
	struct ps_row row;

	fill_row(vm, &row);
	if (row.state == VM_LOST || (row.state == VM_EXITED && !s->all))
		return;
	if (list)
		json_array_append_new(list, json_row(&row));
	else if (s->quiet)
		(void)puts(vm->name);
	else
		print_row(&row);
}

static int list_all(const struct ps_settings *s, struct registry *reg,
		    const struct strlist *names)
{
	json_t *list = s->json ? json_array() : NULL;
	int code = 0;

	if (!list && !s->quiet)
		print_head();
	for (size_t i = 0; i < names->count; i++) {
		cleanup_vm_entry struct vm_entry vm;
		unsigned line;
		int err = registry_read(reg, names->item[i], &vm, &line);

		if (!err) {
			show(s, &vm, list);
		} else if (line) {
			say("%s/%s/" REGISTRY_RECORD ":%u: this line is "
			    "damaged; 'ampoule rm %s' removes the entry",
			    reg->path, names->item[i], line, names->item[i]);
			code = EXIT_AMPOULE;
		}
	}
	if (list) {
		json_dumpf(list, stdout,
			   JSON_INDENT(2) | JSON_SORT_KEYS |
				   JSON_REAL_PRECISION(9));
		(void)putchar('\n');
		json_decref(list);
	}
	return fflush(stdout) ? EXIT_AMPOULE : code;
}

static int ps_command(int argc, char **argv)
{
	cleanup_registry struct registry reg = {.dir_fd = -1};
	cleanup_strlist struct strlist names = {0};
	struct ps_settings s = {0};
	struct problem why;
	int first, code;

	if (vm_options(&command_ps, &s, argc, argv, &first, &code))
		return code;
	if (first < argc) {
		say("ps: '%s' is no option; see 'ampoule ps --help'",
		    argv[first]);
		return EXIT_AMPOULE;
	}
	if (vm_registry(&reg, &why))
		return problem_say(&why);
	code = registry_names(&reg, &names);
	if (code) {
		say("cannot list %s: %s", reg.path, error_text(code));
		return EXIT_AMPOULE;
	}
	return list_all(&s, &reg, &names);
}

const struct command command_ps = {
	.name = "ps",
	.synopsis = "[-a] [-q | --json]",
	.summary = "list the VMs of this user",
	.about = "Lists the VMs of this user, in the foreground and in the "
		 "background: name,\nprocess id of the VMM, state, age, memory "
		 "in use, processor time, command.",
	.notes = "states: starting, running, paused, ending, exited STATUS\n",
	.tables = tables,
	.run = ps_command,
};
