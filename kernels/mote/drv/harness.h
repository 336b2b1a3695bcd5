/* SPDX-License-Identifier: Apache-2.0 */
/* harness.h - the harness device from the guest's side (base/abi/harness.h),
 * and what to do on a VMM that has none. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct harness_missing;

int harness_init(void); /* 0, or -ENODEV: every call below still works */
bool harness_present(void);
void harness_ready(uint64_t tsc_since_entry);
/** harness_exit() - end the VM with a wait(2) status. Without the device:
 * powers off in the plainest way the platform has. */
_Noreturn void harness_exit(int status);
void harness_report_missing(const struct harness_missing *m, uint32_t count);
void harness_report_crash(int signal, int code, uint64_t addr, uint64_t rip,
			  const char *comm);
void harness_report_panic(const char *text, uint32_t bytes);
void harness_report_oom(uint64_t total, uint64_t free, const char *comm);
/** harness_pending() - read and clear what the host asked (HARNESS_REQ_*). */
uint32_t harness_pending(void);
