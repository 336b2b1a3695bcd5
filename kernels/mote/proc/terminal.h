/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.h - job control: what processes have to do with a terminal, whatever
 * moves its bytes. A session has at most one; of its process groups one is in
 * the foreground: it gets what is typed, and the keys' signals. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/lib/list.h"

struct process;

/* Lies in the terminal's own struct; zeroed, then terminal_init(). */
struct terminal {
	int sid;        /* the session it controls; 0: none */
	int foreground; /* process group; 0: none */
	struct list in_all;
};

void terminal_init(struct terminal *t);
/** terminal_done() - it goes away; its session has none afterwards. */
void terminal_done(struct terminal *t);
/** terminal_of() - the terminal that controls @p's session; NULL: none. */
struct terminal *terminal_of(const struct process *p);
/** terminal_opened() - a session's leader that has none gets @t, unless
 * another session has it. */
void terminal_opened(struct terminal *t);

/** terminal_may_read() - may the current process read now? 0; -EINTR: SIGTTIN
 * was sent to its group; -EIO: nobody could continue it. */
int terminal_may_read(struct terminal *t);
/** terminal_may_change() - the same for settings, and for writing with TOSTOP:
 * SIGTTOU. Blocking or ignoring that is leave to go on. */
int terminal_may_change(struct terminal *t);
/** terminal_may_request() - the same for a request of ioctl_tty(2), as far as
 * it changes something. */
int terminal_may_request(struct terminal *t, uint64_t cmd);

/** terminal_signal() - @signal to the foreground group. */
void terminal_signal(struct terminal *t, int signal);
/** terminal_hangup() - the line is gone: SIGHUP, SIGCONT to the session's
 * leader. */
void terminal_hangup(struct terminal *t);

/** terminal_ioctl() - TIOCGPGRP, TIOCSPGRP, TIOCGSID, TIOCSCTTY, TIOCNOTTY.
 * TERMINAL_NOT_MINE: another request. */
#define TERMINAL_NOT_MINE (-515)
long terminal_ioctl(struct terminal *t, uint64_t cmd, uint64_t arg);

/** terminal_leader_ended() - @p ends: if it leads a session, the foreground
 * group is hung up and the terminal is free. */
void terminal_leader_ended(const struct process *p);
