/* SPDX-License-Identifier: Apache-2.0 */
/* panic.c - the end of a kernel that found itself broken: one line to whoever
 * listens, then the VM ends. It must not return, must not wait for anything,
 * and must not trust the state it is called in: a second panic on the way
 * (a fault in the console driver, say) goes straight to the power switch. */
#include <stdbool.h>

#include "kernels/mote/drv/console.h"
#include "kernels/mote/drv/harness.h"
#include "kernels/mote/drv/poweroff.h"
#include "kernels/mote/lib/lib.h"

void panic(const char *fmt, ...)
{
	static bool panicking;
	static char line[256];
	va_list ap;
	size_t n;

	if (panicking)
		poweroff();
	panicking = true;
	n = ksnprintf(line, sizeof(line), "mote: panic: ");
	va_start(ap, fmt);
	n += kvsnprintf(line + n, sizeof(line) - n - 1, fmt, ap);
	va_end(ap);
	if (harness_present()) {
		harness_report_panic(line, (uint32_t)n);
	} else {
		line[n++] = '\n';
		console_puts(line, n);
	}
	poweroff();
}
