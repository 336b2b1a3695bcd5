/* SPDX-License-Identifier: Apache-2.0 */
/* guest.c - what the guest kernel tells the host. */
#include "runner/vmm/guest.h"

#include <string.h>

#include "base/clock.h"
#include "devices-virtio/console.h"

static struct report_msg message(enum report_type type, uint32_t value)
{
	return (struct report_msg){
		.version = REPORT_VERSION,
		.type = type,
		.value = value,
	};
}

static void on_drained(void *ctx)
{
	const struct guest *g = ctx;

	stop_exit(g->stop, g->status);
}

/** on_exit_status() - Linux takes a program's output as written when it is on
 * its way; a reader that is slow must not lose it. */
static void on_exit_status(void *ctx, uint32_t status)
{
	struct guest *g = ctx;

	g->status = status;
	if (!g->console || console_drain(g->console, on_drained, g))
		stop_exit(g->stop, status);
}

/** on_ready() - the guest counted TSC ticks since its first instruction, which
 * gives us that moment without an exit there. */
static void on_ready(void *ctx, uint64_t ticks)
{
	struct guest *g = ctx;
	uint64_t now = timeline_now_ns(g->timeline);
	uint64_t since_entry;

	atomic_store(&g->ready, true);
	timeline_mark_at(g->timeline, STAMP_PROGRAM_START, now);
	if (!g->tsc_khz || ticks > UINT64_MAX / NS_PER_MS)
		return;
	since_entry = ticks * NS_PER_MS / g->tsc_khz;
	if (since_entry < now)
		timeline_mark_at(g->timeline, STAMP_KERNEL_ENTRY,
				 now - since_entry);
}

static void on_crash(void *ctx, const struct harness_crash *crash)
{
	struct guest *g = ctx;
	struct report_msg msg = message(REPORT_CRASH, 0);

	msg.u.crash.signal = crash->signal;
	msg.u.crash.si_code = crash->si_code;
	msg.u.crash.address = crash->address;
	msg.u.crash.rip = crash->rip;
	memcpy(msg.u.crash.comm, crash->comm, sizeof(msg.u.crash.comm));
	report_send(g->stop->report_fd, &msg);
}

static void on_missing(void *ctx, const struct harness_missing *missing,
		       uint32_t count)
{
	const uint32_t room = sizeof(((struct report_msg *)0)->u.missing) /
			      sizeof(((struct report_msg *)0)->u.missing[0]);
	struct guest *g = ctx;

	for (uint32_t done = 0; done < count;) {
		uint32_t n = count - done < room ? count - done : room;
		struct report_msg msg = message(REPORT_MISSING, n);

		for (uint32_t i = 0; i < n; i++) {
			msg.u.missing[i].number = missing[done + i].number;
			msg.u.missing[i].count = missing[done + i].count;
		}
		report_send(g->stop->report_fd, &msg);
		done += n;
	}
}

static void on_panic(void *ctx, const char *text, uint32_t bytes)
{
	struct guest *g = ctx;
	char line[256];

	if (bytes > sizeof(line) - 1)
		bytes = sizeof(line) - 1;
	memcpy(line, text, bytes);
	line[bytes] = '\0';
	report_sanitize(line, sizeof(line));
	stop_fail(g->stop, 125, "the guest kernel stopped: %s", line);
}

static void on_oom(void *ctx, const struct harness_oom *oom)
{
	struct guest *g = ctx;
	struct report_msg msg = message(REPORT_OOM, 0);

	msg.u.oom.pages_total = oom->pages_total;
	msg.u.oom.pages_free = oom->pages_free;
	memcpy(msg.u.oom.comm, oom->comm, sizeof(msg.u.oom.comm));
	report_send(g->stop->report_fd, &msg);
}

static void on_poweroff(void *ctx)
{
	guest_powered_off(ctx, true);
}

void guest_callbacks(struct harness_callbacks *ret)
{
	*ret = (struct harness_callbacks){
		.exit = on_exit_status,
		.ready = on_ready,
		.crash = on_crash,
		.missing = on_missing,
		.panic = on_panic,
		.oom = on_oom,
		.poweroff = on_poweroff,
	};
}

void guest_powered_off(struct guest *guest, bool has_harness)
{
	if (!has_harness)
		stop_exit(guest->stop, 0);
	stop_fail(guest->stop, 125,
		  "the guest kernel powered off before the program had a "
		  "result; look at its messages on stderr");
}

void guest_shut_down(struct guest *guest)
{
	guest_powered_off(guest, atomic_load(&guest->ready));
}

void guest_rebooted(struct guest *guest)
{
	stop_fail(guest->stop, 125,
		  "the guest kernel reset the machine: a reboot, or a panic it "
		  "could not tell; its messages (--serial) say which");
}
