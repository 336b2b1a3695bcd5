/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - messages to the control plane. */
#include "base/report.h"

#include "base/fd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

int report_send(int fd, const struct report_msg *msg)
{
	struct report_msg copy = *msg;
	const struct iovec iov = {&copy, sizeof(copy)};
	ssize_t n;

	/* Sockets of this type have no SIGPIPE. */
	do {
		n = fd_writev(fd, &iov, 1);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

void report_fill_error(struct report_msg *ret, uint32_t code, const char *fmt,
		       va_list ap)
{
	*ret = (struct report_msg){
		.version = REPORT_VERSION,
		.type = REPORT_ERROR,
		.value = code,
	};
	(void)vsnprintf(ret->u.text, sizeof(ret->u.text), fmt, ap);
}

void report_error(int fd, uint32_t code, const char *fmt, ...)
{
	struct report_msg msg;
	va_list ap;

	va_start(ap, fmt);
	report_fill_error(&msg, code, fmt, ap);
	va_end(ap);
	if (fd >= 0 && report_send(fd, &msg) == 0)
		return;
	report_sanitize(msg.u.text, sizeof(msg.u.text));
	(void)dprintf(STDERR_FILENO, "ampoule: %s\n", msg.u.text);
}

void report_sanitize(char *text, uint32_t cap)
{
	if (!cap)
		return;
	text[cap - 1] = '\0';
	for (; *text; text++) {
		if (*text < 0x20 || *text > 0x7e)
			*text = '?';
	}
}
