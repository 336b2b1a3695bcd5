/* SPDX-License-Identifier: Apache-2.0 */
/* logfile.c - where log lines go. One write(2) a line: several runs may append
 * to one file. */
#include "runner/cli/logfile.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/problem.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int logfile_open(struct logfile *log, const char *path, struct problem *why)
{
	log->fd = -1;
	if (!path)
		return 0;
	log->fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY,
		     0644);
	if (log->fd < 0)
		return problem_set(why, EXIT_AMPOULE,
				   "cannot open the log file %s: %s", path,
				   error_text(errno));
	return 0;
}

void logfile_close(struct logfile *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}

static void time_text(char *dst, size_t cap)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(dst, cap, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(dst + n, cap - n, ".%06ldZ", now.tv_nsec / 1000);
}

/** write_json() - one line of the log file; a full disk loses it. */
static void write_json(const struct logfile *log, const char *source,
		       enum log_level level, const char *text)
{
	cleanup_free char *json = NULL, *row = NULL;
	char when[64];
	json_t *entry;

	time_text(when, sizeof(when));
	entry = json_pack("{s:s, s:s, s:s, s:s, s:s}", "time", when, "level",
			  log_level_name(level), "vm", log->name, "source",
			  source, "message", text);
	json = json_dumps(entry, JSON_COMPACT);
	json_decref(entry);
	if (json && asprintf(&row, "%s\n", json) >= 0)
		fd_write_all(log->fd, row, strlen(row));
}

void logfile_line(const struct logfile *log, const char *source,
		  enum log_level level, const char *fmt, ...)
{
	char text[PROBLEM_TEXT_BYTES];
	va_list ap;

	if (level > log->level)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (log->fd >= 0)
		write_json(log, source, level, text);
	else
		say("%s: %s", log_level_name(level), text);
}
