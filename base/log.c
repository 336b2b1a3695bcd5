/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - one line an event, to a sink. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct {
	log_sink_fn *sink;
	void *ctx;
	enum log_level level;
} log_state = {.level = LOG_LEVEL_WARN};

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
	[LOG_LEVEL_TRACE] = "trace",
};
#define LEVELS (sizeof(level_names) / sizeof(level_names[0]))

void log_set_sink(log_sink_fn *fn, void *ctx)
{
	log_state.sink = fn;
	log_state.ctx = ctx;
}

void log_set_level(enum log_level level)
{
	log_state.level = level;
}

bool log_enabled(enum log_level level)
{
	return level <= log_state.level;
}

const char *log_level_name(enum log_level level)
{
	return (size_t)level < LEVELS ? level_names[level] : "?";
}

int log_level_parse(const char *name, enum log_level *ret)
{
	for (size_t i = 0; i < LEVELS; i++) {
		if (strcmp(name, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/** to_stderr() - the whole line in one write(2): lines of several threads and
 * processes do not mix. */
static void to_stderr(enum log_level level, const char *line)
{
	char buf[LOG_LINE_BYTES + 32];
	int n = snprintf(buf, sizeof(buf), "ampoule: %s: %s\n",
			 log_level_name(level), line);

	if (n > 0 && write(STDERR_FILENO, buf, (size_t)n) < 0)
		return; /* nobody left to tell */
}

__attribute__((format(printf, 2, 0))) static void
log_vline(enum log_level level, const char *fmt, va_list ap)
{
	char line[LOG_LINE_BYTES];
	int saved = errno;

	if (!log_enabled(level))
		return;
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	for (char *p = line; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	if (log_state.sink)
		log_state.sink(log_state.ctx, level, line);
	else
		to_stderr(level, line);
	errno = saved;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(level, fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(LOG_LEVEL_ERROR, fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(LOG_LEVEL_WARN, fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(LOG_LEVEL_INFO, fmt, ap);
	va_end(ap);
}

void log_debug(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(LOG_LEVEL_DEBUG, fmt, ap);
	va_end(ap);
}

void log_trace(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vline(LOG_LEVEL_TRACE, fmt, ap);
	va_end(ap);
}
