/* SPDX-License-Identifier: Apache-2.0 */
/* guard.h - each thread's system calls: put its policy on (policies/), and
 * report a call that none of its lines allows.
 *
 * The kernel does not make such a call; it sends SIGSYS instead, whose handler
 * reports thread, call and instruction pointer, and ends the process. Whoever
 * has taken the process over may try to keep the handler from that. So it is
 * good for one signal (SA_RESETHAND), no policy lets a running VM set it again,
 * and a second forbidden call, on any thread, is the end by the kernel's hand.
 *
 * With PLAN_FLAG_LEARN the handler makes the call itself and goes on. */
#pragma once
#include "policies/policy_role.h"

/** guard_start() - the handler, and the policy for all that comes before the
 * guest runs. First of all, while there is one thread. Return: 0 or -errno. */
int guard_start(void);

/** guard_thread() - the calling thread's policy from now on, on top of that of
 * the start. @name: for the report, as in top -H. Return: 0 or -errno. */
int guard_thread(enum policy_role role, const char *name);
