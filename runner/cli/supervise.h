/* SPDX-License-Identifier: Apache-2.0 */
/* supervise.h - stand by while the VMM works: collect what it reports, pass
 * signals on, keep the clock, reap it. */
#pragma once
#include "runner/cli/launch.h"
#include "runner/cli/leader.h"
#include "runner/cli/outcome.h"
#include "runner/cli/relay.h"

#include <signal.h>
#include <sys/resource.h>

struct logfile;
struct presence;
struct tty;

struct supervise {
	struct child child;
	int signal_fd;
	bool own_group;   /* the child does not get the terminal's signals */
	bool interactive; /* pass on the terminal's size */
	struct tty *tty; /* raw while the program has it, put back in between */
	uint64_t kill_ns; /* deadline of ours; 0: none */
	struct logfile *log;
	struct presence *presence; /* whom to tell, and where output goes */
	struct leader leader;      /* started by the caller */
	struct relay relay;        /* the same */
	struct outcome outcome;
	int child_status; /* of waitid(2), once it is reaped */
	struct rusage usage;
	uint32_t forwarded; /* bit n: signal n was passed on */
	bool timed_out;     /* our own clock had to end it */
	bool oom_killed;    /* the kernel killed in the VM's cgroups */
};

/** supervise_block() - take over the signals that concern a run, before the
 * child is started. @ret_fd: a signalfd. Return: 0 or -errno. */
int supervise_block(int *ret_fd);

/** supervise_run() - until the child has ended and is reaped; closes its
 * report fd. Return: 0 or -errno. */
int supervise_run(struct supervise *s);
