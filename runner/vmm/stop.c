/* SPDX-License-Identifier: Apache-2.0 */
/* stop.c - the one place that decides how a VM ended. */
#include "runner/vmm/stop.h"

#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define EXIT_FAILED 125 /* Ampoule itself failed (container convention) */

/** win() - true for the first thread that ends the VM; the others stay here
 * until the process is gone. */
static void win(struct stop *stop)
{
	static const uint32_t nothing;

	if (!atomic_flag_test_and_set(&stop->taken))
		return;
	for (;;) /* every role may wait for a futex */
		syscall(SYS_futex, &nothing, FUTEX_WAIT_PRIVATE, 0, NULL);
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
	struct report_msg msg = {
		.version = REPORT_VERSION,
		.type = REPORT_ERROR,
		.value = code,
	};
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(msg.u.text, sizeof(msg.u.text), fmt, ap);
	va_end(ap);
	win(stop);
	send_summary(stop);
	if (stop->report_fd < 0)
		report_error(-1, code, "%s", msg.u.text);
	else
		report_send(stop->report_fd, &msg);
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
	struct report_msg msg;

	(void)signal;
	win(sigbus_stop);
	memset(&msg, 0, sizeof(msg));
	msg.version = REPORT_VERSION;
	msg.type = REPORT_ERROR;
	msg.value = EXIT_FAILED;
	memcpy(msg.u.text, line, sizeof(line));
	report_send(sigbus_stop->report_fd, &msg);
	_exit(EXIT_FAILED);
}

int stop_catch_sigbus(struct stop *stop)
{
	struct sigaction sa = {.sa_handler = on_sigbus};

	sigbus_stop = stop;
	return sigaction(SIGBUS, &sa, NULL) < 0 ? -errno : 0;
}
