/* SPDX-License-Identifier: Apache-2.0 */
/* settings.h - what the command line of `run` and `pack` asks for. */
#pragma once
#include "base/log.h"
#include "runner/cli/options.h"
#include "runner/cli/strlist.h"

#include <stdbool.h>
#include <stdint.h>

#define SETTINGS_MEM_DEFAULT (128ull << 20)

struct settings {
	/* both commands */
	struct strlist env;   /* "K=V" */
	struct strlist files; /* "HOST" or "HOST:GUEST", as given */
	const char *cwd;      /* absolute path in the guest */
	/* run */
	const char *name; /* NULL: from the program's */
	uint64_t mem_bytes;
	uint32_t cpus;
	uint64_t time_limit_ns; /* 0: none */
	const char *kernel;     /* NULL: mote */
	const char *initrd;     /* NULL: pack one */
	const char *cmdline;
	const char *trace;
	const char *log;
	int log_level; /* enum log_level; -1: not given */
	bool json;
	const char *json_path; /* NULL: stderr */
	bool detach;           /* run in the background */
	bool remove;           /* its entry, when a VM in the background ends */
	uint64_t log_bytes;    /* bound on what is kept of its output */
	bool verbose;
	bool learn; /* `policy learn`: forbidden calls are only listed */
	/* pack */
	const char *output;
};

extern const struct option_spec settings_pack_options[];
extern const struct option_spec settings_run_options[];
extern const struct option_spec settings_output_options[];

/** settings_log_level() - as given, else info into a file, warn on stderr. */
enum log_level settings_log_level(const struct settings *s);

/** settings_init() - the defaults. */
void settings_init(struct settings *s);
void settings_done(struct settings *s);
#define cleanup_settings __attribute__((cleanup(settings_done)))
