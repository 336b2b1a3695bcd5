/* SPDX-License-Identifier: Apache-2.0 */
/* apic.c - registers of the local APIC (Intel SDM 3A, chapter 11). */
#include "kernels/mote/arch/apic.h"

#include <stdbool.h>

#include "kernels/mote/arch/clock.h"
#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/mm/page.h"

#define APIC_BASE_X2APIC (1ul << 10)
#define APIC_BASE_ENABLE (1ul << 11)
#define X2APIC_MSR       0x800u

/* Register numbers: the MSR is X2APIC_MSR + n, the window's offset n * 16. */
#define REG_EOI           0x0bu
#define REG_SPURIOUS      0x0fu
#define REG_ICR           0x30u /* x2APIC: 64 bits; else 0x31 is the rest */
#define REG_LVT_TIMER     0x32u
#define REG_INITIAL_COUNT 0x38u
#define REG_CURRENT_COUNT 0x39u
#define REG_DIVIDE        0x3eu

#define ICR_ASSERT       0x4000u
#define ICR_INIT         0x500u
#define ICR_STARTUP      0x600u
#define SPURIOUS_ENABLE  0x100u
#define LVT_MASKED       0x10000u
#define LVT_TSC_DEADLINE (2u << 17)
#define DIVIDE_BY_1      0xbu

static volatile uint8_t *window; /* NULL: x2APIC */

static void reg_write(uint32_t reg, uint32_t value)
{
	if (window)
		*(volatile uint32_t *)(window + reg * 16ul) = value;
	else
		wrmsr(X2APIC_MSR + reg, value);
}

static uint32_t reg_read(uint32_t reg)
{
	if (window)
		return *(volatile uint32_t *)(window + reg * 16ul);
	return (uint32_t)rdmsr(X2APIC_MSR + reg);
}

/* Where the kernel runs at CPL 3 a write to memory is cheaper than one to a
 * register that only CPL 0 may write. */
static bool use_x2apic(void)
{
	return cpuid(1, 0).ecx & (1u << 21) && !cpu_info.emulated;
}

static void start(void)
{
	reg_write(REG_SPURIOUS, SPURIOUS_ENABLE | APIC_SPURIOUS_VECTOR);
	if (cpu_info.tsc_deadline) {
		reg_write(REG_LVT_TIMER, LVT_TSC_DEADLINE | APIC_TIMER_VECTOR);
	} else {
		reg_write(REG_DIVIDE, DIVIDE_BY_1);
		reg_write(REG_LVT_TIMER, APIC_TIMER_VECTOR);
	}
}

void apic_init(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;

	if (use_x2apic())
		base |= APIC_BASE_X2APIC;
	else
		window = pa_to_va(base & 0xffffff000ull);
	wrmsr(MSR_APIC_BASE, base);
	start();
}

void apic_enable(void)
{
	if (!window)
		wrmsr(MSR_APIC_BASE, rdmsr(MSR_APIC_BASE) | APIC_BASE_X2APIC);
	start();
}

static void icr_write(uint32_t id, uint32_t command)
{
	if (window) {
		reg_write(REG_ICR + 1, id << 24);
		reg_write(REG_ICR, command);
	} else {
		wrmsr(X2APIC_MSR + REG_ICR, (uint64_t)id << 32 | command);
	}
}

void apic_send(uint32_t id, uint32_t vector)
{
	icr_write(id, ICR_ASSERT | vector);
}

void apic_start_cpu(uint32_t id, uint32_t page)
{
	icr_write(id, ICR_ASSERT | ICR_INIT);
	icr_write(id, ICR_ASSERT | ICR_STARTUP | page);
}

void apic_eoi(void)
{
	reg_write(REG_EOI, 0);
}

/* A one-shot count of 0 means "off", and one count holds four seconds: a
 * longer wait is interrupted on the way, which whoever waits checks anyway. */
static uint32_t one_shot_count(uint64_t deadline_ns)
{
	uint64_t now = clock_monotonic_ns();

	if (deadline_ns == TIMER_NEVER)
		return 0;
	if (deadline_ns <= now)
		return 1;
	if (deadline_ns - now > UINT32_MAX)
		return UINT32_MAX;
	return (uint32_t)(deadline_ns - now);
}

void apic_timer_set(uint64_t deadline_ns)
{
	if (!cpu_info.tsc_deadline)
		reg_write(REG_INITIAL_COUNT, one_shot_count(deadline_ns));
	else if (deadline_ns == TIMER_NEVER)
		wrmsr(MSR_TSC_DEADLINE, 0);
	else
		wrmsr(MSR_TSC_DEADLINE, clock_tsc_at(deadline_ns));
}

void apic_timer_count_start(void)
{
	reg_write(REG_LVT_TIMER, LVT_MASKED | APIC_TIMER_VECTOR);
	reg_write(REG_DIVIDE, DIVIDE_BY_1);
	reg_write(REG_INITIAL_COUNT, UINT32_MAX);
}

uint32_t apic_timer_count_ns(void)
{
	return UINT32_MAX - reg_read(REG_CURRENT_COUNT);
}
