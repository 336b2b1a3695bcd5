/* SPDX-License-Identifier: Apache-2.0 */
/* requests.h - what reaches a running VM from outside: signals, its time
 * limit, the end of its control plane. All on the loop thread.
 *
 *   SIGTERM SIGINT   ask the guest; a second SIGTERM, or a guest kernel that
 *                    has not even looked after 2 s, ends the VM as if by that
 *                    signal. A system of its own (PLAN_FLAG_SYSTEM) is asked
 *                    by the power button
 *   SIGHUP SIGQUIT   ask the guest
 *   SIGURG           terminal size: sigqueue(3) value rows << 16 | cols. Not
 *                    SIGWINCH: the terminal sends that by itself, without a
 *                    size, and one that is pending swallows the next
 *   time limit       ends the VM, code 124
 *   report socket    closed by the other side: ends a foreground VM
 */
#pragma once
#include <signal.h>
#include <stdint.h>

#include "base/plan.h"
#include "runner/vmm/devices.h"
#include "runner/vmm/platform.h"
#include "runner/vmm/stop.h"

struct loop;
struct loop_source;

struct requests {
	struct stop *stop;
	struct platform *button; /* NULL: a program is asked, not a system */
	struct vdev *harness, *console; /* borrowed; NULL: the VM has none */
	uint64_t time_limit_ns, grace_ns;
	int signal_fd, limit_fd, grace_fd;
	int asked_signal; /* last SIGTERM or SIGINT passed on; 0: none */
	bool term_seen, grace_over;
};

/** requests_block_signals() - before the first thread starts: from then on
 * they arrive by signalfd only. Return: 0 or -errno. */
int requests_block_signals(void);

/** requests_start() - watch all of the above; the time limit starts now.
 * @r, @platform, @loop: live as long as the process. Return: 0 or -errno. */
int requests_start(struct requests *r, const struct plan *plan,
		   const struct devices *devices, struct platform *platform,
		   struct loop *loop);
