/* SPDX-License-Identifier: Apache-2.0 */
/* test_log.c - one clean line an event; text from elsewhere made harmless. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/report.h"

static char last[LOG_LINE_BYTES];
static unsigned lines;
static enum log_level last_level;

static void sink(void *ctx, enum log_level level, const char *line)
{
	lines++;
	last_level = level;
	strcpy(last, line);
}

static void set_up(void)
{
	log_set_sink(sink, NULL);
	log_set_level(LOG_LEVEL_INFO);
}

TestSuite(log, .init = set_up);

Test(log, drops_what_is_less_severe)
{
	log_debug("no");
	log_trace("no");
	cr_expect_eq(lines, 0);
	log_info("yes %d", 1);
	log_error("yes %d", 2);
	cr_expect_eq(lines, 2);
	cr_expect_eq(last_level, LOG_LEVEL_ERROR);
	cr_expect_str_eq(last, "yes 2");
	cr_expect(log_enabled(LOG_LEVEL_INFO));
	cr_expect(!log_enabled(LOG_LEVEL_DEBUG));
}

Test(log, keeps_a_line_one_line)
{
	log_info("a\nb\tc\033[31m%s", "\r\x7f");
	cr_expect_str_eq(last, "a?b?c?[31m??");
}

Test(log, cuts_long_lines_and_keeps_errno)
{
	char text[2 * LOG_LINE_BYTES];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	errno = ENOTTY;
	log_info("%s", text);
	cr_expect_eq(errno, ENOTTY);
	cr_expect_eq(strlen(last), LOG_LINE_BYTES - 1);
}

Test(log, knows_its_levels_by_name)
{
	enum log_level level = LOG_LEVEL_WARN;

	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_TRACE; i++) {
		const char *name = log_level_name((enum log_level)i);

		cr_expect_eq(log_level_parse(name, &level), 0);
		cr_expect_eq((int)level, i);
	}
	cr_expect_eq(log_level_parse("loud", &level), -EINVAL);
	cr_expect_eq(level, LOG_LEVEL_TRACE, "untouched on failure");
	cr_expect_str_eq(log_level_name((enum log_level)99), "?");
}

Test(report, sends_a_message_whole)
{
	struct report_msg msg;
	int fd[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	report_error(fd[0], 125, "cannot open %s: %s", "x",
		     error_text(-ENOENT));
	cr_assert_eq(read(fd[1], &msg, sizeof(msg)), (ssize_t)sizeof(msg));
	cr_expect_eq(msg.version, REPORT_VERSION);
	cr_expect_eq(msg.type, REPORT_ERROR);
	cr_expect_eq(msg.value, 125);
	cr_expect_str_eq(msg.u.text,
			 "cannot open x: No such file or directory");
	close(fd[1]);
	cr_expect_eq(report_send(fd[0], &msg), -EPIPE, "and no SIGPIPE");
	close(fd[0]);
}

Test(report, makes_text_safe_for_a_terminal)
{
	char text[12] = "a\033]0;\n\x80z";
	char open_end[4] = {'a', 'b', 'c', 'd'};

	report_sanitize(text, sizeof(text));
	cr_expect_str_eq(text, "a?]0;??z");
	report_sanitize(open_end, sizeof(open_end));
	cr_expect_str_eq(open_end, "abc");
	report_sanitize(NULL, 0);
}

Test(fd, reads_and_writes_whole)
{
	char buf[6] = {0};
	int fd[2];

	cr_assert_eq(pipe(fd), 0);
	cr_expect_eq(fd_write_all(fd[1], "hello", 5), 0);
	cr_expect_eq(fd_read_all(fd[0], buf, 5), 0);
	cr_expect_str_eq(buf, "hello");
	cr_expect_eq(fd_write_all(fd[1], "hi", 2), 0);
	close(fd[1]);
	cr_expect_eq(fd_read_all(fd[0], buf, 5), -ENODATA);
	close(fd[0]);
	cr_expect_eq(fd_read_all(fd[0], buf, 1), -EBADF);
}
