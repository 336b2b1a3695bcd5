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
	memset(&msg.u, 0, sizeof(msg.u));
	msg.type = REPORT_NETWORK;
	if (stop->network && stop->network(stop->usage_ctx, &msg))
		report_send(stop->report_fd, &msg);
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
	struct report_msg msg;
	va_list ap;

	va_start(ap, fmt);
	report_fill_error(&msg, code, fmt, ap);
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

void stop_expect_file(struct stop *stop, const struct stop_file *file)
{
	if (stop->files < STOP_FILES_MAX)
		stop->file[stop->files++] = *file;
}

/** touch_ends() - where a file became shorter, this ends in on_sigbus(). */
static void touch_ends(const struct stop *stop)
{
	for (unsigned i = 0; i < stop->files; i++) {
		const volatile uint8_t *hva = stop->file[i].hva;

		(void)hva[stop->file[i].file_bytes - 1];
	}
}

void stop_lost_page(struct stop *stop, bool known, uint64_t gpa,
		    const char *how)
{
	bool file = false;

	touch_ends(stop);
	for (unsigned i = 0; i < stop->files; i++)
		file |= known && gpa - stop->file[i].gpa < stop->file[i].bytes;
	if (file || (!known && stop->files))
		stop_fail(stop, EXIT_FAILED,
			  "the host cannot read a file that --image or --pmem "
			  "gave to the VM%s (%s); look at the host's kernel "
			  "log",
			  file ? "" : ", or has no memory left for the guest",
			  how);
	stop_fail(stop, EXIT_FAILED,
		  "the host ran out of memory for the guest (%s): give it "
		  "less with --mem, or free memory on the host",
		  how);
}

static bool in_file(const struct stop *stop, const void *at)
{
	for (unsigned i = 0; i < stop->files; i++) {
		if ((uintptr_t)at - (uintptr_t)stop->file[i].hva <
		    stop->file[i].bytes)
			return true;
	}
	return false;
}

/** on_sigbus() - only async-signal-safe calls: the thread may have been
 * anywhere. */
static void on_sigbus(int signal, siginfo_t *si, void *context)
{
	static const char memory[] =
		"the host ran out of memory for the guest (SIGBUS): give it "
		"less with --mem, or free memory on the host";
	static const char file[] =
		"a file that --image or --pmem gave to the VM became shorter, "
		"or cannot be read any more (SIGBUS): replace such a file by a "
		"new one instead of changing it";
	bool is_file = in_file(sigbus_stop, si->si_addr);
	struct report_msg msg;

	(void)signal;
	(void)context;
	win(sigbus_stop);
	memset(&msg, 0, sizeof(msg));
	msg.version = REPORT_VERSION;
	msg.type = REPORT_ERROR;
	msg.value = EXIT_FAILED;
	memcpy(msg.u.text, is_file ? file : memory,
	       is_file ? sizeof(file) : sizeof(memory));
	report_send(sigbus_stop->report_fd, &msg);
	_exit(EXIT_FAILED);
}

int stop_catch_sigbus(struct stop *stop)
{
	struct sigaction sa = {.sa_sigaction = on_sigbus,
			       .sa_flags = SA_SIGINFO};

	sigbus_stop = stop;
	return sigaction(SIGBUS, &sa, NULL) < 0 ? -errno : 0;
}
