/* SPDX-License-Identifier: Apache-2.0 */
/* requests.c - what reaches a running VM from outside. */
#include "runner/vmm/requests.h"

#include <errno.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "devices-virtio/console.h"
#include "devices-virtio/harness.h"

#define EXIT_TIME_LIMIT 124u
#define EXIT_FAILED     125u
#define GRACE_NS        (2 * NS_PER_SEC)

static const struct {
	int signal;
	uint32_t request;
} signals[] = {
	{SIGTERM, HARNESS_REQ_TERM},
	{SIGINT, HARNESS_REQ_INT},
	{SIGHUP, HARNESS_REQ_HUP},
	{SIGQUIT, HARNESS_REQ_QUIT},
	{SIGURG, 0}, /* resize() */
};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))

static void fill_set(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < SIGNALS; i++)
		sigaddset(set, signals[i].signal);
}

int requests_block_signals(void)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t set;

	fill_set(&set);
	/* A reader that went away, or a file at the user's size limit, is an
	 * errno, not the end of the VM. */
	if (sigaction(SIGPIPE, &ignore, NULL) < 0 ||
	    sigaction(SIGXFSZ, &ignore, NULL) < 0)
		return -errno;
	return -pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static int timer_arm(int fd, uint64_t ns)
{
	struct itimerspec at = {
		.it_value.tv_sec = (time_t)(ns / NS_PER_SEC),
		.it_value.tv_nsec = (long)(ns % NS_PER_SEC),
	};

	return timerfd_settime(fd, 0, &at, NULL) < 0 ? -errno : 0;
}

/** was_heard() - has the guest's kernel at least seen what was asked? */
static bool was_heard(const struct requests *r)
{
	const uint32_t ends = HARNESS_REQ_TERM | HARNESS_REQ_INT;

	if (!(harness_pending(r->harness) & ends))
		return true;
	return r->button && platform_button_noticed(r->button);
}

/** is_final() - does this signal end the VM without asking the guest (again)?
 * A guest that took the last request is at work on it, so only a second
 * SIGTERM overrides it; SIGINT may be an ordinary key to the program. */
static bool is_final(const struct requests *r, int signal)
{
	if (signal != SIGTERM && signal != SIGINT)
		return false;
	if (!r->harness || (signal == SIGTERM && r->term_seen))
		return true;
	return r->asked_signal && !was_heard(r);
}

/** first_grace() - the guest's kernel has GRACE_NS to see what was asked; what
 * the program may take after a SIGTERM can be less. */
static uint64_t first_grace(const struct requests *r)
{
	return r->term_seen && r->grace_ns && r->grace_ns < GRACE_NS
		       ? r->grace_ns
		       : GRACE_NS;
}

/** resize() - the driver of the console is told, and who reads its ports as
 * files, process 1 of a Linux guest. */
static void resize(const struct requests *r, uint32_t size)
{
	uint16_t rows = (uint16_t)(size >> 16), cols = (uint16_t)size;

	if (r->console)
		console_resize(r->console, rows, cols);
	if (r->harness)
		harness_resize(r->harness, rows, cols);
}

static void ask_guest(struct requests *r, const struct signalfd_siginfo *si)
{
	int signal = (int)si->ssi_signo;

	if (is_final(r, signal))
		stop_exit(r->stop, si->ssi_signo);
	if (signal == SIGURG && si->ssi_code == SI_QUEUE)
		resize(r, (uint32_t)si->ssi_int);
	for (size_t i = 0; i < SIGNALS && r->harness; i++) {
		if (signals[i].signal == signal && signals[i].request)
			harness_request(r->harness, signals[i].request);
	}
	if (signal == SIGTERM || signal == SIGINT) {
		r->term_seen |= signal == SIGTERM;
		r->asked_signal = signal;
		if (r->button)
			platform_press_button(r->button);
		timer_arm(r->grace_fd, first_grace(r));
	}
}

static void on_signal(void *arg, uint32_t events)
{
	struct requests *r = arg;
	struct signalfd_siginfo si;

	(void)events;
	while (read(r->signal_fd, &si, sizeof(si)) == sizeof(si))
		ask_guest(r, &si);
}

static void on_grace_end(void *arg, uint32_t events)
{
	struct requests *r = arg;
	uint64_t expired;

	(void)events;
	if (read(r->grace_fd, &expired, sizeof(expired)) < 0)
		return;
	if (!was_heard(r))
		stop_exit(r->stop, (uint32_t)r->asked_signal);
	if (!r->term_seen || !r->grace_ns)
		return;
	if (r->grace_over || r->grace_ns <= GRACE_NS)
		stop_exit(r->stop, SIGKILL);
	r->grace_over = true; /* with the next one */
	timer_arm(r->grace_fd, r->grace_ns - GRACE_NS);
}

static void on_time_limit(void *arg, uint32_t events)
{
	struct requests *r = arg;
	uint64_t ms = r->time_limit_ns / NS_PER_MS;

	(void)events;
	stop_fail(r->stop, EXIT_TIME_LIMIT,
		  "the time limit of %llu.%03llu s is over; raise it with "
		  "--time",
		  (unsigned long long)(ms / 1000),
		  (unsigned long long)(ms % 1000));
}

static void on_report_closed(void *arg, uint32_t events)
{
	struct requests *r = arg;

	(void)events;
	/* One way only: whatever comes in is the end, or a broken peer. */
	stop_fail(r->stop, EXIT_FAILED, "the ampoule command is gone");
}

static int start_limit(struct requests *r, struct loop *loop)
{
	struct loop_source *src;
	int err;

	if (!r->time_limit_ns)
		return 0;
	r->limit_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (r->limit_fd < 0)
		return -errno;
	err = timer_arm(r->limit_fd, r->time_limit_ns);
	if (err)
		return err;
	return loop_add(loop, r->limit_fd, EPOLLIN, on_time_limit, r, &src);
}

static int start_signals(struct requests *r, struct loop *loop)
{
	struct loop_source *src;
	sigset_t set;
	int err;

	fill_set(&set);
	r->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	r->grace_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (r->signal_fd < 0 || r->grace_fd < 0)
		return -errno;
	err = loop_add(loop, r->signal_fd, EPOLLIN, on_signal, r, &src);
	if (err)
		return err;
	return loop_add(loop, r->grace_fd, EPOLLIN, on_grace_end, r, &src);
}

int requests_start(struct requests *r, const struct plan *plan,
		   const struct devices *devices, struct platform *platform,
		   struct loop *loop)
{
	struct loop_source *src;
	int err;

	*r = (struct requests){
		.stop = platform->guest->stop,
		.button = plan->flags & PLAN_FLAG_SYSTEM ? platform : NULL,
		.harness = devices->harness,
		.console = devices->console,
		.time_limit_ns = plan->time_limit_ns,
		.grace_ns = plan->grace_ns,
		.signal_fd = -1,
		.limit_fd = -1,
		.grace_fd = -1,
	};
	err = start_signals(r, loop);
	if (!err)
		err = start_limit(r, loop);
	if (err || !(plan->flags & PLAN_FLAG_FOREGROUND) ||
	    r->stop->report_fd < 0)
		return err;
	return loop_add(loop, r->stop->report_fd, EPOLLIN | EPOLLRDHUP,
			on_report_closed, r, &src);
}
