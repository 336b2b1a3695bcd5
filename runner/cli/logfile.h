/* SPDX-License-Identifier: Apache-2.0 */
/* logfile.h - where log lines go: JSON lines in the file of --log, else
 * stderr. */
#pragma once
#include "base/log.h"

struct problem;

struct logfile {
	int fd;               /* -1: stderr */
	const char *name;     /* the VM's, borrowed */
	enum log_level level; /* less severe lines are dropped */
};

/** logfile_open() - append to @path; NULL: stderr. */
int logfile_open(struct logfile *log, const char *path, struct problem *why);
void logfile_close(struct logfile *log);
#define cleanup_logfile __attribute__((cleanup(logfile_close)))

/** logfile_line() - @source: which process says it. */
__attribute__((format(printf, 4, 5))) void
logfile_line(const struct logfile *log, const char *source,
	     enum log_level level, const char *fmt, ...);
