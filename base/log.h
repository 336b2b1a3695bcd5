/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - what a program tells about its own work: one line an event.
 *
 * Library code logs at debug and trace only; errors travel as -errno to the
 * main.c that reports them once, with context. Lines go to a sink, stderr
 * ("ampoule: LEVEL: LINE") unless set. The sink and the level are process-wide
 * and set before any thread starts. Control characters in a line become '?'.
 * Must not be called from a signal handler. */
#pragma once
#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR = 0,
	LOG_LEVEL_WARN = 1,
	LOG_LEVEL_INFO = 2,
	LOG_LEVEL_DEBUG = 3,
	LOG_LEVEL_TRACE = 4,
};
#define LOG_LINE_BYTES 400u /* longer lines are cut */

/** log_sink_fn - @line: without newline, NUL-terminated, borrowed. Called on
 * any thread, possibly on several at a time. */
typedef void log_sink_fn(void *ctx, enum log_level level, const char *line);

/** log_set_sink() - NULL: stderr. */
void log_set_sink(log_sink_fn *fn, void *ctx);
/** log_set_level() - drop what is less severe than @level (default WARN). */
void log_set_level(enum log_level level);
/** log_enabled() - would a line of @level be written? For costly arguments. */
bool log_enabled(enum log_level level);

/** log_level_name() - "error".."trace"; "?" for other values. */
const char *log_level_name(enum log_level level);
/** log_level_parse() - the level named @name. Return: 0 or -EINVAL. */
int log_level_parse(const char *name, enum log_level *ret);

__attribute__((format(printf, 2, 3))) void log_line(enum log_level level,
						    const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_error(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_warn(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_info(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_debug(const char *fmt, ...);
__attribute__((format(printf, 1, 2))) void log_trace(const char *fmt, ...);
