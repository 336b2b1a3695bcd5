/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c - the one place that decides how a VM ended. */
#include "runner/vmm/stop.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXIT_FAILED 125 /* Ampoule itself failed (container convention) */

/** win() - true for the first thread that ends the VM; the others stay here
 * until the process is gone. */
static void win(struct stop *stop)
{
	if (!atomic_flag_test_and_set(&stop->taken))
		return;
	for (;;)
		pause();
}

static void send_summary(struct stop *stop)
{
	struct report_msg msg = {
		.version = REPORT_VERSION,
		.type = REPORT_USAGE,
	};

	if (stop->usage) {
		stop->usage(stop->usage_ctx, &msg);
		report_send(stop->report_fd, &msg);
	}
	if (!stop->trace)
		return;
	timeline_mark(stop->timeline, STAMP_VMM_END);
	timeline_fill(stop->timeline, &msg);
	report_send(stop->report_fd, &msg);
}

/** exit_code() - of the VMM process itself, for whoever watches only that. */
static int exit_code(uint32_t status)
{
	uint32_t signal = status & 0x7f;

	return signal ? (int)(128 + signal) : (int)((status >> 8) & 0xff);
}

void stop_exit(struct stop *stop, uint32_t status)
{
	struct report_msg msg = {
		.version = REPORT_VERSION,
		.type = REPORT_EXIT,
		.value = status,
	};

	win(stop);
	timeline_mark(stop->timeline, STAMP_PROGRAM_EXIT);
	send_summary(stop);
	report_send(stop->report_fd, &msg);
	_exit(exit_code(status));
}

void stop_fail(struct stop *stop, uint32_t code, const char *fmt, ...)
{
	char line[REPORT_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	win(stop);
	send_summary(stop);
	report_error(stop->report_fd, code, "%s", line);
	_exit((int)code);
}

static struct stop *sigbus_stop; /* a signal handler has no argument */

/** on_sigbus() - only async-signal-safe calls: the thread may have been
 * anywhere. */
static void on_sigbus(int signal)
{
	static const char line[] =
		"the host ran out of memory for the guest (SIGBUS): give it "
		"less with --mem, or free memory on the host";
	static const char newline = '\n';
	struct report_msg msg;

	(void)signal;
	win(sigbus_stop);
	memset(&msg, 0, sizeof(msg));
	msg.version = REPORT_VERSION;
	msg.type = REPORT_ERROR;
	msg.value = EXIT_FAILED;
	memcpy(msg.u.text, line, sizeof(line));
	if (report_send(sigbus_stop->report_fd, &msg) < 0 &&
	    write(STDERR_FILENO, line, sizeof(line) - 1) > 0)
		(void)!write(STDERR_FILENO, &newline, 1);
	_exit(EXIT_FAILED);
}

int stop_catch_sigbus(struct stop *stop)
{
	struct sigaction sa = {.sa_handler = on_sigbus};

	sigbus_stop = stop;
	return sigaction(SIGBUS, &sa, NULL) < 0 ? -errno : 0;
}
