/* SPDX-License-Identifier: Apache-2.0 */
/* harness.c - rings the harness device's doorbells: one 8-byte store each,
 * done when the next instruction runs. */
#include "kernels/mote/drv/harness.h"

#include <linux/errno.h>
#include <signal.h>
#include <stddef.h>

#include "base/abi/harness.h"
#include "kernels/mote/drv/balloon.h"
#include "kernels/mote/drv/poweroff.h"
#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/signal.h"

#define CONFIG 0x100u /* of the registers' page */

static struct virtio_device *device;

static void ring(uint32_t reg, uint64_t value)
{
	__asm__ volatile("" ::: "memory");
	*(volatile uint64_t *)(device->regs + CONFIG + reg) = value;
	__asm__ volatile("" ::: "memory");
}

uint32_t harness_pending(void)
{
	if (!device)
		return 0;
	return *(volatile uint32_t *)(device->regs + CONFIG +
				      HARNESS_REG_PENDING);
}

/* The host asks for something: what a signal to ampoule means inside. */
static void interrupt(void)
{
	uint32_t asked;

	virtio_ack(device);
	asked = harness_pending();
	if (asked & HARNESS_REQ_TERM)
		signal_send_init(SIGTERM);
	if (asked & HARNESS_REQ_INT)
		signal_send_init(SIGINT);
	if (asked & HARNESS_REQ_HUP)
		signal_send_init(SIGHUP);
	if (asked & HARNESS_REQ_QUIT)
		signal_send_init(SIGQUIT);
	if (asked & HARNESS_REQ_BALLOON)
		balloon_adjust();
}

/* The doorbells would do without this; its interrupt does not. */
int harness_init(void)
{
	struct virtio_device *d = virtio_find(HARNESS_DEVICE_ID);

	if (!d || virtio_negotiate(d, 0))
		return -ENODEV;
	device = d;
	d->interrupt = interrupt;
	virtio_run(d);
	return 0;
}

bool harness_present(void)
{
	return device;
}

void harness_ready(uint64_t tsc_since_entry)
{
	if (device)
		ring(HARNESS_REG_READY, tsc_since_entry);
}

void harness_exit(int status)
{
	if (device)
		ring(HARNESS_REG_EXIT, (uint32_t)status);
	poweroff_platform();
}

void poweroff(void)
{
	if (device)
		ring(HARNESS_REG_POWEROFF, 1);
	poweroff_platform();
}

static void report(uint32_t type, const void *payload, uint32_t bytes)
{
	static struct harness_report r;

	if (!device)
		return;
	r.type = type;
	r.bytes = MIN(bytes, HARNESS_REPORT_MAX);
	memcpy(r.payload, payload, r.bytes);
	ring(HARNESS_REG_REPORT, kva_to_pa(&r));
}

void harness_report_missing(const struct harness_missing *m, uint32_t count)
{
	const uint32_t most = HARNESS_REPORT_MAX / sizeof(*m);

	for (; count; m += MIN(count, most), count -= MIN(count, most))
		report(HARNESS_REPORT_MISSING, m,
		       MIN(count, most) * (uint32_t)sizeof(*m));
}

void harness_report_crash(int signal, int code, uint64_t addr, uint64_t rip,
			  const char *comm)
{
	struct harness_crash c = {
		.signal = (uint32_t)signal,
		.si_code = code,
		.address = addr,
		.rip = rip,
	};

	strscpy(c.comm, comm, sizeof(c.comm));
	report(HARNESS_REPORT_CRASH, &c, sizeof(c));
}

void harness_report_panic(const char *text, uint32_t bytes)
{
	report(HARNESS_REPORT_PANIC, text, bytes);
}

void harness_report_oom(uint64_t total, uint64_t free, const char *comm)
{
	struct harness_oom o = {.pages_total = total, .pages_free = free};

	strscpy(o.comm, comm, sizeof(o.comm));
	report(HARNESS_REPORT_OOM, &o, sizeof(o));
}
