/* SPDX-License-Identifier: Apache-2.0 */
/* process_timers.h - the timers of a process that send signals. */
#pragma once

struct process;
struct signal_info;

/** itimers_free() - @p ends: no alarm any more. */
void itimers_free(struct process *p);

/** posix_timers_free() - @p ends, or another program takes its place: the
 * timers of timer_create(2) are gone. */
void posix_timers_free(struct process *p);
/** posix_timer_taken() - the signal @info (SI_TIMER) of @p is about to be
 * delivered: its timer goes on, and how many expirations it stands for is
 * filled in. */
void posix_timer_taken(struct process *p, struct signal_info *info);
