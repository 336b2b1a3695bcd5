/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - `ampoule run` and `ampoule start`: pack, plan, start, stand by, tell
 * how it ended. In the background a monitor does it (presence.h). */
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/plan.h"
#include "runner/cli/background.h"
#include "runner/cli/cell.h"
#include "runner/cli/commands.h"
#include "runner/cli/cpu_template.h"
#include "runner/cli/device_set.h"
#include "runner/cli/gather.h"
#include "runner/cli/launch.h"
#include "runner/cli/locate.h"
#include "runner/cli/logfile.h"
#include "runner/cli/oomkill.h"
#include "runner/cli/plan_fill.h"
#include "runner/cli/policy_learn.h"
#include "runner/cli/presence.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"
#include "runner/cli/streams.h"
#include "runner/cli/supervise.h"
#include "runner/cli/trace.h"
#include "runner/cli/tty.h"
#include "runner/cli/verdict.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define BACKUP_NS (2 * NS_PER_SEC) /* our clock behind the VMM's own */

struct run {
	const struct command *command;
	struct settings settings;
	int argc; /* program and arguments */
	char **argv;
	struct streams streams;
	struct gathered files;
	struct device_set devices;
	int vmm_fd;
	int trace_fd, json_fd;
	struct plan plan;
	struct cell cell;
	struct logfile log;
	struct supervise supervise;
	struct presence presence;
	struct problem why;
};

/** open_outputs() - before the run, so that a wrong path costs no run. */
static int open_outputs(struct run *r)
{
	const struct settings *s = &r->settings;
	int err = logfile_open(&r->log, s->log, &r->why);

	if (!err && s->trace)
		err = trace_create("trace", s->trace, &r->trace_fd, &r->why);
	if (!err && s->json_path)
		err = trace_create("json", s->json_path, &r->json_fd, &r->why);
	return err;
}

/** named_after() - what gives the VM its name, unless the user does. */
static const char *named_after(const struct run *r)
{
	if (r->argc)
		return r->argv[0];
	if (r->settings.image)
		return r->settings.image;
	return r->settings.kernel ? r->settings.kernel : "mote";
}

static int prepare(struct run *r)
{
	const struct presence *p = &r->presence;
	/* From here on there are things to take back. */
	int err = supervise_block(&r->supervise.signal_fd);

	if (err)
		return problem_set(&r->why, EXIT_AMPOULE,
				   "cannot take over signals: %s",
				   error_text(err));
	/* A monitor has made its own streams. */
	err = streams_open(p->detached ? 0 : commands_closed_streams(),
			   &r->streams);
	if (err)
		return problem_set(&r->why, EXIT_AMPOULE,
				   "cannot open the standard streams: %s",
				   error_text(err));
	err = open_outputs(r);
	if (!err)
		err = device_set_open(&r->devices, &r->settings, &r->why);
	if (!err)
		err = cell_take(&r->cell, &r->why);
	if (!err)
		err = gather(&r->settings, r->argv, &r->streams, r->cell.id,
			     &r->files, &r->why);
	if (!err && r->files.profile_read)
		settings_resolve(&r->settings, &r->files.profile);
	if (!err)
		err = plan_fill(&r->settings, &r->files.kernel,
				r->files.initrd_bytes, &r->streams, &r->plan,
				&r->why);
	if (!err)
		cpu_template_fill(&r->settings, &r->files.cpu, &r->plan);
	if (!err)
		err = locate_open(PART_VMM, &r->vmm_fd, &r->why);
	if (p->claim.record_fd >= 0)
		plan_fill_name(p->claim.name, r->plan.name);
	else
		plan_fill_name(named_after(r), r->plan.name);
	if (p->detached)
		r->plan.flags |= PLAN_FLAG_CONFIRM;
	r->log.name = r->plan.name;
	r->log.level = settings_log_level(&r->settings);
	r->supervise.outcome.stamp_ns[STAMP_PACKED] = clock_now_ns();
	return err;
}

static int start(struct run *r)
{
	/* At the terminal the VMM has to stay in its foreground group. */
	struct launch launch = {
		.plan = &r->plan,
		.own_group = !isatty(STDIN_FILENO),
	};

	for (int i = 0; i < PLAN_FD_COUNT; i++)
		launch.fd[i] = -1;
	launch.fd[PLAN_FD_VMM] = r->vmm_fd;
	launch.fd[PLAN_FD_KERNEL] = r->files.kernel_fd;
	launch.fd[PLAN_FD_INITRD] = r->files.initrd_fd;
	launch.fd[PLAN_FD_STDIN] = r->streams.fd[0];
	launch.fd[PLAN_FD_STDOUT] = r->streams.fd[1];
	launch.fd[PLAN_FD_STDERR] = r->streams.fd[2];
	launch.fd[PLAN_FD_SLOT] = r->cell.slot_fd;
	for (int i = 0; i < PLAN_CGROUPS; i++)
		launch.fd[PLAN_FD_CGROUP + i] = r->cell.join_fd[i];
	if (device_set_fill(&r->devices, &r->plan, launch.fd, &r->why))
		return r->why.exit_code;
	r->supervise.own_group = launch.own_group;
	return launch_jailer(&launch, &r->supervise.child, &r->why);
}

/** log_jail() - which walls stand around the VM. */
static void log_jail(const struct run *r)
{
	char id[32] = "the caller's id";

	if (r->cell.owned)
		(void)snprintf(id, sizeof(id), "uid %u", r->cell.id);
	logfile_line(&r->log, "ampoule", LOG_LEVEL_INFO,
		     "the VMM has %s, %u cgroups and %s", id,
		     r->cell.cgroups_made,
		     r->supervise.child.spaces ? "namespaces of its own"
					       : "no namespaces of its own");
}

/** ran_out() - did the kernel kill in the VM's own cgroups? They go next. */
static bool ran_out(const struct cell *cell)
{
	for (unsigned i = 0; cell->owned && i < cell->cgroups.count; i++)
		if (oomkill_in(cell->cgroups.place[i].path))
			return true;
	return false;
}

/** listen_to_commands() - a VM that cannot be asked runs all the same. */
static void listen_to_commands(struct run *r)
{
	struct supervise *s = &r->supervise;
	int err =
		relay_start(&s->relay, &r->presence.claim, s->child.control_fd);

	if (err)
		logfile_line(&r->log, "ampoule", LOG_LEVEL_WARN,
			     "commands cannot ask this VM anything: %s",
			     error_text(err));
}

/** stand_by() - from the start of the child to its end. */
static int stand_by(struct run *r)
{
	cleanup_tty struct tty tty = {0};
	struct supervise *s = &r->supervise;
	struct cgroup_limits limits;
	const char *unlimited;
	int err;

	plan_fill_cgroup(&r->settings, &r->plan, &r->streams, &r->devices,
			 &limits);
	err = cell_enter(&r->cell, &limits, &r->plan, &r->why);
	if (err)
		return err;
	unlimited = r->cell.cgroups_made ? NULL
					 : settings_wants_cgroup(&r->settings);
	if (unlimited)
		say("note: --%s has no effect: it takes a cgroup, which only "
		    "root can make; see 'ampoule doctor'",
		    unlimited);
	if (r->streams.interactive)
		tty_raw(&tty);
	err = start(r);
	if (err)
		return err;
	presence_watch(&r->presence, s->child.pid);
	leader_start(&s->leader, s->child.pid, &r->cell.cgroups,
		     limits.cpu_weight);
	if (r->files.profile_read)
		presence_memory(&r->presence, r->plan.mem_bytes);
	streams_close(&r->streams);
	s->log = &r->log;
	s->tty = &tty;
	log_jail(r);
	if (r->cell.owned) /* now, when there is nothing else to do */
		cell_sweep();
	registry_sweep(&r->presence.registry);
	listen_to_commands(r);
	logfile_line(&r->log, "ampoule", LOG_LEVEL_INFO,
		     "started %s as pid %d with %llu MiB, %llu bytes of files",
		     r->argc ? r->argv[0] : "a kernel", (int)s->child.pid,
		     (unsigned long long)r->plan.mem_bytes >> 20,
		     (unsigned long long)r->files.initrd_bytes);
	s->interactive = r->streams.interactive;
	if (r->plan.time_limit_ns)
		s->kill_ns = clock_now_ns() + r->plan.time_limit_ns + BACKUP_NS;
	err = supervise_run(s);
	s->tty = NULL;
	s->oom_killed = ran_out(&r->cell);
	cell_leave(&r->cell);
	if (err)
		return problem_set(&r->why, EXIT_AMPOULE,
				   "cannot wait for the VM: %s",
				   error_text(err));
	s->outcome.stamp_ns[STAMP_PROCESS_END] = clock_now_ns();
	return 0;
}

/** write_outputs() - the files of --trace and --json. */
static int write_outputs(struct run *r, const struct result *result)
{
	const struct settings *s = &r->settings;
	int err = 0;

	if (s->trace)
		err = trace_write(result, r->trace_fd);
	if (!err && s->json)
		err = trace_write_json(result, s->json_path ? r->json_fd
							    : STDERR_FILENO);
	return err ? problem_set(&r->why, EXIT_AMPOULE,
				 "cannot write the result: %s", error_text(err))
		   : 0;
}

/** hint() - the most likely reason for a failure: a file left outside. */
static void hint(const struct run *r, int exit_code)
{
	const char *missing = r->argv[r->files.missing];

	if (exit_code && exit_code != EXIT_TIME_LIMIT && r->files.missing)
		say("note: %s is not in the VM; add --file %s", missing,
		    missing);
}

/** tell() - all that has to be said about the end. Return: the exit code. */
static int tell(struct run *r)
{
	const struct verdict_input input = {
		.supervise = &r->supervise,
		.settings = &r->settings,
		.program = r->argc ? r->argv[0] : r->plan.name,
		.killed = presence_was_killed(&r->presence),
	};
	struct result result = {
		.outcome = &r->supervise.outcome,
		.name = r->plan.name,
		.mem_bytes = r->plan.mem_bytes,
		.initrd_bytes = r->files.initrd_bytes,
		.usage = r->supervise.usage,
	};
	struct problem line;

	result.exit_code = verdict(&input, &line);
	result.error = line.text[0] ? line.text : NULL;
	if (r->presence.ready_fd >= 0) { /* it was never up */
		line.exit_code = result.exit_code;
		return presence_fail(&r->presence, &line);
	}
	if (result.error)
		say("%s", line.text);
	if (result.error && r->log.fd >= 0)
		logfile_line(&r->log, "ampoule", LOG_LEVEL_ERROR, "%s",
			     line.text);
	logfile_line(&r->log, "ampoule", LOG_LEVEL_INFO, "ended with code %d",
		     result.exit_code);
	hint(r, result.exit_code);
	if (r->settings.verbose)
		trace_print(&result);
	if (r->settings.learn)
		policy_learn_tell(&r->supervise.outcome);
	if (write_outputs(r, &result))
		result.exit_code = problem_say(&r->why);
	presence_end(&r->presence, result.exit_code, result.error);
	return result.exit_code;
}

static void run_done(struct run *r)
{
	settings_done(&r->settings);
	cell_leave(&r->cell);
	streams_close(&r->streams);
	gathered_done(&r->files);
	device_set_done(&r->devices);
	logfile_close(&r->log);
	cleanup_fd_run(&r->vmm_fd);
	cleanup_fd_run(&r->trace_fd);
	cleanup_fd_run(&r->json_fd);
	cleanup_fd_run(&r->supervise.signal_fd);
	cleanup_fd_run(&r->supervise.child.control_fd);
}

/** claim_name() - the VM's place among those of this user. */
static int claim_name(struct run *r)
{
	char base[PLAN_NAME_BYTES];

	plan_fill_name(named_after(r), base);
	return presence_claim(&r->presence, &r->settings, r->argv, base,
			      &r->why);
}

static int run_program(struct run *r)
{
	const struct settings *s = &r->settings;

	if (s->image_rw && !s->image) {
		say("--rw is for an image: give it with --image FILE");
		return EXIT_AMPOULE;
	}
	if (s->image && s->initrd) {
		say("--image and --initrd exclude each other: what is to run "
		    "is said in the one or in the other");
		return EXIT_AMPOULE;
	}
	if (!r->argc && !s->kernel && !s->initrd && !s->image) {
		say("%s: no program given; for example 'ampoule %s "
		    "/bin/busybox date'",
		    r->command->name, r->command->name);
		return EXIT_AMPOULE;
	}
	if (claim_name(r))
		return presence_fail(&r->presence, &r->why);
	if (r->settings.detach) {
		int code, monitor;

		monitor = presence_detach(&r->presence, &code, &r->why);
		if (monitor < 0)
			return presence_fail(&r->presence, &r->why);
		if (!monitor)
			return code;
	}
	if (prepare(r) || stand_by(r))
		return presence_fail(&r->presence, &r->why);
	return tell(r);
}

static const struct option_spec *const run_tables[] = {
	settings_limit_options,
	settings_device_options,
	detach_options,
	background_options,
	settings_run_options,
	settings_pack_options,
	NULL,
};

static const struct option_spec *const start_tables[] = {
	settings_limit_options, settings_device_options, background_options,
	settings_run_options,   settings_pack_options,   NULL,
};

/** run_with() - @mode: what the command itself decides. */
static int run_with(const struct command *command, const struct settings *mode,
		    int argc, char **argv)
{
	static struct run r = {
		.files = GATHERED_NONE,
		.vmm_fd = -1,
		.trace_fd = -1,
		.json_fd = -1,
		.streams = {.fd = {-1, -1, -1}},
		.cell = CELL_NONE,
		.log = {.fd = -1},
		.supervise = {.signal_fd = -1,
			      .child = {.report_fd = -1, .control_fd = -1}},
		.presence = PRESENCE_NONE,
	};
	int first, err, code;

	settings_init(&r.settings);
	r.command = command;
	r.settings.learn = mode->learn;
	r.settings.detach = mode->detach;
	r.supervise.presence = &r.presence;
	r.supervise.outcome.stamp_ns[STAMP_PROCESS_START] =
		commands_started_ns();
	err = options_parse(command, &r.settings, argc, argv, &first, &r.why);
	if (err == OPTIONS_HELP) {
		options_help(command);
		code = 0;
	} else if (err) {
		code = problem_say(&r.why);
	} else {
		r.argc = argc - first;
		r.argv = argv + first;
		settings_resolve(&r.settings, NULL);
		code = run_program(&r);
	}
	run_done(&r);
	return code;
}

static int run_command(int argc, char **argv)
{
	const struct settings here = {0};

	return run_with(&command_run, &here, argc, argv);
}

static int start_command(int argc, char **argv)
{
	const struct settings background = {.detach = true};

	return run_with(&command_start, &background, argc, argv);
}

int run_learning(int argc, char **argv)
{
	const struct settings learning = {.learn = true};

	return run_with(&command_run, &learning, argc, argv);
}

const struct command command_run = {
	.name = "run",
	.synopsis = "[OPTION...] [--] PROGRAM [ARGUMENT...]",
	.summary = "run a program in a VM of its own",
	.about = "Runs PROGRAM in a new virtual machine and ends as it ends. "
		 "The VM has the\nprogram, its interpreter, its libraries and "
		 "what --file brings along, and\nnothing else of this host. "
		 "Standard input, output and error are connected;\n"
		 "a terminal works as one.",
	.notes =
		"examples:\n"
		"  ampoule run /bin/busybox uname -a\n"
		"  ampoule run --file /etc/os-release -- /bin/busybox "
		"sha256sum /etc/os-release\n"
		"  ampoule run --time 10 --mem 64M ./untrusted < input > "
		"output\n"
		"  ampoule run --file ./data:/data --cwd /data -- jq . a.json\n"
		"  ampoule run -v ./prog          # where the time went, what "
		"was missing\n\n"
		"exit codes:\n"
		"  the program's own; 128+N when signal N ended it\n"
		"  124  the time limit was reached\n"
		"  125  Ampoule itself failed; one line says why\n"
		"  126  PROGRAM is there but cannot be run\n"
		"  127  PROGRAM was not found\n\n"
		"signals:\n"
		"  SIGTERM, SIGINT, SIGHUP and SIGQUIT go to the program; a "
		"second\n"
		"  SIGTERM ends the VM. SIGKILL of this command ends it too.\n",
	.tables = run_tables,
	.run = run_command,
};

const struct command command_start = {
	.name = "start",
	.synopsis = "[OPTION...] [--] PROGRAM [ARGUMENT...]",
	.summary = "run a program in a VM in the background",
	.about = "Starts a VM as 'ampoule run' does, prints its name when it "
		 "runs, and ends.\nA monitor, one small process, waits for it. "
		 "Standard input is empty; output\nand error are kept for "
		 "'ampoule logs'.",
	.notes = "examples:\n"
		 "  ampoule start --name web ./server\n"
		 "  ampoule ps\n"
		 "  ampoule logs -f web\n"
		 "  ampoule kill web && ampoule wait web && ampoule rm web\n\n"
		 "exit codes: 0 when the VM runs, else as of 'ampoule run'\n",
	.tables = start_tables,
	.run = start_command,
};
