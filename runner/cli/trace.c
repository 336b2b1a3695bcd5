/* SPDX-License-Identifier: Apache-2.0 */
/* trace.c - a run described. */
#include "runner/cli/trace.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "policies/syscall_names.h"
#include "runner/cli/outcome.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static const struct {
	const char *key;   /* in JSON */
	const char *what;  /* for people: this moment */
	const char *phase; /* what ended at it, in a trace */
} stamps[] = {
	[STAMP_PROCESS_START] = {"process_start", "process start", NULL},
	[STAMP_PACKED] = {"packed", "files packed", "pack"},
	[STAMP_JAILER_START] = {"jailer_start", "jailer start", "spawn"},
	[STAMP_JAILER_DONE] = {"jailer_done", "jailer done", "jailer"},
	[STAMP_VMM_START] = {"vmm_start", "VMM start", "exec VMM"},
	[STAMP_VM_CREATED] = {"vm_created", "VM created", "create VM"},
	[STAMP_KERNEL_PLACED] = {"kernel_placed", "kernel placed", "build VM"},
	[STAMP_FIRST_RUN] = {"first_kvm_run", "first KVM_RUN", "set up vCPU"},
	[STAMP_KERNEL_ENTRY] = {"kernel_entry", "kernel entry",
				"enter the guest"},
	[STAMP_PROGRAM_START] = {"program_start", "program's first instruction",
				 "boot the kernel"},
	[STAMP_PROGRAM_EXIT] = {"program_exit", "program exit", "program"},
	[STAMP_VMM_END] = {"vmm_end", "VMM's last step", "report"},
	[STAMP_RESULT] = {"result", "result", "receive the result"},
	[STAMP_PROCESS_END] = {"process_end", "process end", "tear down"},
};

static double ms_since_start(const struct outcome *o, unsigned id)
{
	uint64_t start = o->stamp_ns[STAMP_PROCESS_START];
	uint64_t ns = o->stamp_ns[id];

	return ns > start ? (double)(ns - start) / 1e6 : 0.0;
}

/** next_stamp() - the id of the first stamp reached after @after; 0: none. */
static unsigned next_stamp(const struct outcome *o, unsigned after)
{
	for (unsigned id = after + 1; id < OUTCOME_STAMPS; id++) {
		if (o->stamp_ns[id])
			return id;
	}
	return 0;
}

/** missing_name() - of a system call; a number without a name as it is. */
static const char *missing_name(uint32_t number, char buf[32])
{
	const char *name = syscall_name(number);

	if (!name)
		(void)snprintf(buf, 32, "syscall_%u", number);
	return name ? name : buf;
}

/** process_of() - which process a phase ran in, as a trace's thread id. */
static int process_of(unsigned id)
{
	if (id <= STAMP_JAILER_START || id >= STAMP_RESULT)
		return 1; /* ampoule */
	if (id == STAMP_JAILER_DONE)
		return 2;
	if (id >= STAMP_KERNEL_ENTRY && id <= STAMP_PROGRAM_EXIT)
		return 4; /* the guest */
	return 3;         /* the VMM */
}

static json_t *trace_events(const struct result *r)
{
	static const char *const process[] = {"ampoule", "ampoule-jailer",
					      "ampoule-vmm", "guest"};
	const struct outcome *o = r->outcome;
	unsigned before = STAMP_PROCESS_START, id;
	json_t *events = json_array();

	for (int i = 0; i < 4; i++)
		json_array_append_new(events,
				      json_pack("{s:s, s:s, s:i, s:i, s:{s:s}}",
						"name", "thread_name", "ph",
						"M", "pid", 1, "tid", i + 1,
						"args", "name", process[i]));
	for (id = before; id; id = next_stamp(o, id)) {
		double at = ms_since_start(o, id) * 1000;
		double from = ms_since_start(o, before) * 1000;

		if (stamps[id].phase && at >= from)
			json_array_append_new(
				events,
				json_pack("{s:s, s:s, s:f, s:f, s:i, s:i}",
					  "name", stamps[id].phase, "ph", "X",
					  "ts", from, "dur", at - from, "pid",
					  1, "tid", process_of(id)));
		json_array_append_new(
			events,
			json_pack("{s:s, s:s, s:s, s:f, s:i, s:i}", "name",
				  stamps[id].what, "ph", "i", "s", "p", "ts",
				  at, "pid", 1, "tid", process_of(id)));
		before = id;
	}
	return events;
}

int trace_create(const char *what, const char *path, int *ret_fd,
		 struct problem *why)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY,
		      0644);

	if (fd < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "--%s: cannot create %s: "
				   "%s",
				   what, path, error_text(errno));
	*ret_fd = fd;
	return 0;
}

/** write_json() - takes @json. */
static int write_json(json_t *json, int fd)
{
	cleanup_free char *text = json_dumps(json, JSON_COMPACT);
	cleanup_free char *row = NULL;

	json_decref(json);
	if (!text || asprintf(&row, "%s\n", text) < 0)
		return -ENOMEM;
	return fd_write_all(fd, row, strlen(row));
}

int trace_write(const struct result *r, int fd)
{
	json_t *json =
		json_pack("{s:o, s:s, s:{s:s, s:i}}", "traceEvents",
			  trace_events(r), "displayTimeUnit", "ms", "otherData",
			  "vm", r->name, "exit_code", r->exit_code);

	return write_json(json, fd);
}

static json_t *json_timeline(const struct outcome *o)
{
	json_t *timeline = json_object();

	for (unsigned id = STAMP_PROCESS_START; id; id = next_stamp(o, id))
		json_object_set_new(timeline, stamps[id].key,
				    json_real(ms_since_start(o, id)));
	return timeline;
}

static json_t *json_missing(const struct outcome *o)
{
	json_t *missing = json_array();
	char buf[32];

	for (uint32_t i = 0; i < OUTCOME_SYSCALLS; i++) {
		if (!o->missing[i])
			continue;
		json_array_append_new(missing,
				      json_pack("{s:s, s:i, s:I}", "name",
						missing_name(i, buf), "number",
						(int)i, "count",
						(json_int_t)o->missing[i]));
	}
	return missing;
}

static json_t *json_usage(const struct result *r)
{
	const struct outcome *o = r->outcome;
	const struct rusage *u = &r->usage;

	return json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:I, s:I}",
		"exits_mmio", (json_int_t)o->exits_mmio, "exits_io",
		(json_int_t)o->exits_io, "exits_hlt", (json_int_t)o->exits_hlt,
		"exits_other", (json_int_t)o->exits_other, "bytes_in",
		(json_int_t)o->bytes_in, "bytes_out", (json_int_t)o->bytes_out,
		"vmm_max_rss_bytes", (json_int_t)u->ru_maxrss * 1024,
		"vmm_user_ms",
		(double)u->ru_utime.tv_sec * 1e3 +
			(double)u->ru_utime.tv_usec / 1e3,
		"vmm_system_ms",
		(double)u->ru_stime.tv_sec * 1e3 +
			(double)u->ru_stime.tv_usec / 1e3,
		"mem_bytes", (json_int_t)r->mem_bytes, "initrd_bytes",
		(json_int_t)r->initrd_bytes);
}

/** json_network() - packets and bytes both ways; what was dropped, by reason.
 */
static json_t *json_network(const struct net_usage *n)
{
	json_t *dropped = json_object();

	for (uint32_t i = NET_PASS + 1; i < NET_VERDICTS; i++) {
		if (n->dropped[i])
			json_object_set_new(
				dropped, net_verdict_name(i),
				json_integer((json_int_t)n->dropped[i]));
	}
	return json_pack("{s:I, s:I, s:I, s:I, s:o}", "packets_in",
			 (json_int_t)n->packets_in, "bytes_in",
			 (json_int_t)n->bytes_in, "packets_out",
			 (json_int_t)n->packets_out, "bytes_out",
			 (json_int_t)n->bytes_out, "dropped", dropped);
}

int trace_write_json(const struct result *r, int fd)
{
	const struct outcome *o = r->outcome;
	unsigned last = o->stamp_ns[STAMP_PROCESS_END] ? STAMP_PROCESS_END
						       : STAMP_RESULT;
	json_t *json =
		json_pack("{s:s, s:i, s:f, s:o, s:o, s:o}", "vm", r->name,
			  "exit_code", r->exit_code, "wall_ms",
			  ms_since_start(o, last), "timeline", json_timeline(o),
			  "missing", json_missing(o), "usage", json_usage(r));

	if (o->ended && WIFSIGNALED(o->wait_status))
		json_object_set_new(json, "signal",
				    json_integer(WTERMSIG(o->wait_status)));
	else if (o->ended)
		json_object_set_new(json, "status",
				    json_integer(WEXITSTATUS(o->wait_status)));
	if (o->has_network)
		json_object_set_new(json, "network", json_network(&o->network));
	if (r->error)
		json_object_set_new(json, "error", json_string(r->error));
	return write_json(json, fd);
}

static void print_missing(const struct outcome *o)
{
	char buf[32];

	if (!o->missing_kinds)
		return;
	(void)dprintf(STDERR_FILENO, "\n  %-28s %9s\n", "missing system call",
		      "calls");
	for (uint32_t i = 0; i < OUTCOME_SYSCALLS; i++) {
		if (o->missing[i])
			(void)dprintf(STDERR_FILENO, "  %-28s %9u\n",
				      missing_name(i, buf), o->missing[i]);
	}
}

static void print_usage(const struct result *r)
{
	const struct outcome *o = r->outcome;

	if (!o->has_usage)
		return;
	(void)dprintf(STDERR_FILENO,
		      "\n  exits: %llu mmio, %llu port, %llu halt, %llu other; "
		      "%llu bytes in, %llu out\n",
		      (unsigned long long)o->exits_mmio,
		      (unsigned long long)o->exits_io,
		      (unsigned long long)o->exits_hlt,
		      (unsigned long long)o->exits_other,
		      (unsigned long long)o->bytes_in,
		      (unsigned long long)o->bytes_out);
}

static void print_network(const struct net_usage *n)
{
	(void)dprintf(STDERR_FILENO,
		      "  network: %llu packets in, %llu out; %llu bytes in, "
		      "%llu out; dropped:",
		      (unsigned long long)n->packets_in,
		      (unsigned long long)n->packets_out,
		      (unsigned long long)n->bytes_in,
		      (unsigned long long)n->bytes_out);
	for (uint32_t i = NET_PASS + 1; i < NET_VERDICTS; i++) {
		if (n->dropped[i])
			(void)dprintf(STDERR_FILENO, " %s %llu",
				      net_verdict_name(i),
				      (unsigned long long)n->dropped[i]);
	}
	(void)dprintf(STDERR_FILENO, "\n");
}

void trace_print(const struct result *r)
{
	const struct outcome *o = r->outcome;
	double before = 0;

	(void)dprintf(STDERR_FILENO, "  %-28s %9s %9s\n", r->name, "ms", "+ms");
	for (unsigned id = STAMP_PROCESS_START; id; id = next_stamp(o, id)) {
		double at = ms_since_start(o, id);

		(void)dprintf(STDERR_FILENO, "  %-28s %9.3f %9.3f\n",
			      stamps[id].what, at, at - before);
		before = at;
	}
	print_missing(o);
	print_usage(r);
	if (o->has_network)
		print_network(&o->network);
}
