/* SPDX-License-Identifier: Apache-2.0 */
/* bootmark.c - process 1 of a guest whose boot is counted: says that it runs
 * by CPUID, which every KVM host traps and traces whatever the guest's kernel
 * is, tells its clock in the same way, and resets the machine. Anywhere else it
 * ends at once: its first instruction is what tests/bench/insncount.c waits
 * for. No libc, whose start would be part of what is measured. */
#include <asm/unistd.h>
#include <linux/reboot.h>
#include <stdint.h>
#include <time.h>

#include "bootmark.h"
#include "kernels/linux/init/sys.h"

#define NS_PER_US 1000

/** tell() - @value arrives as the subleaf of @leaf in kvm:kvm_cpuid. */
static void tell(uint32_t leaf, uint32_t value)
{
	uint32_t eax = leaf, ebx, ecx = value, edx;

	__asm__ volatile("cpuid"
			 : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx)
			 :
			 : "memory");
}

static uint32_t clock_us(void)
{
	struct timespec now = {0};

	sys2(__NR_clock_gettime, CLOCK_MONOTONIC, &now);
	return (uint32_t)(now.tv_sec * 1000000 + now.tv_nsec / NS_PER_US);
}

/* The first instruction touches no memory: one that faults is executed twice.
 */
__asm__(".globl first_instruction\n"
	"first_instruction:\n"
	"\txor %ebp, %ebp\n"
	"\tand $-16, %rsp\n"
	"\tcall mark\n");

void mark(void);

__attribute__((noreturn)) void mark(void)
{
	if (sys0(__NR_getpid) == 1) {
		tell(BOOTMARK_INIT, 0);
		tell(BOOTMARK_CLOCK, clock_us());
		sys4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		     LINUX_REBOOT_CMD_RESTART, 0);
	}
	for (;;)
		sys1(__NR_exit_group, 0);
}
