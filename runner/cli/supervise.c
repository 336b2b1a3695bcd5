/* SPDX-License-Identifier: Apache-2.0 */
/* supervise.c - stand by while the VMM works. One thread, one poll(2): the
 * report socket, our signals, a deadline. The end of the report socket is the
 * end of the child, or nearly so: it is reaped then. */
#include "runner/cli/supervise.h"

#include "base/clock.h"
#include "base/fd.h"
#include "runner/cli/logfile.h"
#include "runner/cli/presence.h"
#include "runner/cli/tty.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const int signals[] = {SIGTERM, SIGINT,   SIGHUP, SIGQUIT,
			      SIGTSTP, SIGWINCH, SIGCONT};

int supervise_block(int *ret_fd)
{
	sigset_t set;
	int fd, err;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	err = pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (err)
		return -err;
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static void send_size(const struct supervise *s)
{
	union sigval size = {.sival_int = (int)tty_size()};

	if (s->interactive && size.sival_int)
		sigqueue(s->child.pid, SIGURG, size);
}

/** freeze() - SIGTSTP: the VM stops with us and goes on with us; the terminal
 * is the shell's in between. In the background, taking it back waits. */
static void freeze(const struct supervise *s)
{
	bool raw = s->tty->raw;

	kill(s->child.pid, SIGSTOP);
	tty_restore(s->tty);
	(void)raise(SIGSTOP);
	if (raw)
		(void)tty_raw(s->tty);
	kill(s->child.pid, SIGCONT);
	send_size(s);
}

static void on_signal(struct supervise *s, const struct signalfd_siginfo *si)
{
	int signal = (int)si->ssi_signo;

	switch (signal) {
	case SIGWINCH:
		send_size(s);
		return;
	case SIGTSTP:
		freeze(s);
		return;
	case SIGCONT:
		return;
	default:
		break;
	}
	s->forwarded |= 1u << signal;
	/* A key at the terminal reaches the whole process group by itself. */
	if (s->own_group || si->ssi_code != SI_KERNEL)
		kill(s->child.pid, signal);
}

static void take_signals(struct supervise *s)
{
	struct signalfd_siginfo si;

	while (read(s->signal_fd, &si, sizeof(si)) == sizeof(si))
		on_signal(s, &si);
}

/** on_started() - a VM that nobody has heard of does not go on. */
static void on_started(const struct supervise *s)
{
	if (presence_confirm(s->presence))
		kill(s->child.pid, SIGKILL);
}

/** print_serial() - to where the program's stderr goes; nobody misses what
 * cannot be written. */
static void print_serial(struct supervise *s, struct report_msg *msg)
{
	if (s->presence->detached)
		vmlog_add(&s->presence->log, VMLOG_STDERR, msg->u.text,
			  msg->value);
	else
		(void)fd_write_all(STDERR_FILENO, msg->u.text, msg->value);
}

/** take_reports() - all that is there. Return: false at the end. */
static bool take_reports(struct supervise *s)
{
	struct report_msg msg;

	for (;;) {
		ssize_t n = recv(s->child.report_fd, &msg, sizeof(msg),
				 MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0)
			return false;
		if (outcome_take(&s->outcome, &msg, (size_t)n) < 0)
			continue;
		if (msg.type == REPORT_EXIT || msg.type == REPORT_ERROR)
			s->outcome.stamp_ns[STAMP_RESULT] = clock_now_ns();
		if (msg.type == REPORT_STARTED)
			on_started(s);
		if (msg.type == REPORT_LOG)
			logfile_line(s->log, "vmm", (enum log_level)msg.value,
				     "%s", msg.u.text);
		if (msg.type == REPORT_SERIAL)
			print_serial(s, &msg);
	}
}

static int time_left_ms(struct supervise *s)
{
	uint64_t now;

	if (!s->kill_ns)
		return -1;
	now = clock_now_ns();
	if (now < s->kill_ns) {
		uint64_t ms = (s->kill_ns - now) / NS_PER_MS + 1;

		return ms > 1000000 ? 1000000 : (int)ms;
	}
	s->timed_out = true;
	s->kill_ns = 0;
	kill(s->child.pid, SIGKILL);
	return -1;
}

/** timeout_ms() - until our own deadline, or the next look at the VM's pid. */
static int timeout_ms(struct supervise *s)
{
	int left = time_left_ms(s);

	return left < 0 || left > LEADER_LOOK_MS ? LEADER_LOOK_MS : left;
}

static int reap(struct supervise *s)
{
	while (wait4(s->child.pid, &s->child_status, 0, &s->usage) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return 0;
}

int supervise_run(struct supervise *s)
{
	struct pollfd fds[4 + RELAY_POLLS] = {
		{.fd = s->child.report_fd, .events = POLLIN},
		{.fd = s->signal_fd, .events = POLLIN},
		{.fd = s->presence->log.pipe_fd[0], .events = POLLIN},
		{.fd = s->presence->log.pipe_fd[1], .events = POLLIN},
	};

	for (;;) {
		int n;

		relay_fill(&s->relay, &fds[4]);
		n = poll(fds, 4 + RELAY_POLLS, timeout_ms(s));

		if (n < 0 && errno != EINTR)
			return -errno;
		leader_look(&s->leader);
		if (n <= 0)
			continue;
		if (fds[1].revents)
			take_signals(s);
		for (int i = 0; i < 2; i++) {
			if (fds[2 + i].revents)
				vmlog_take(&s->presence->log, i);
		}
		relay_serve(&s->relay, &fds[4]);
		if (fds[0].revents && !take_reports(s))
			break;
	}
	relay_stop(&s->relay);
	close(s->child.report_fd);
	s->child.report_fd = -1;
	return reap(s);
}
