/* SPDX-License-Identifier: Apache-2.0 */
/* vdso.c - system calls that need no kernel: they run in the program, as a
 * shared object that is mapped into every one (proc/vdso.c) and that C
 * libraries and Go know from Linux, vdso(7). The page below it, read-only, has
 * all they need (vvar.h); what it cannot answer is a system call after all.
 *
 * No data, no relocations, nothing but these functions: it has to fit a
 * page. */
#include <linux/time.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "kernels/mote/vdso/vvar.h"

#define PUBLIC      __attribute__((visibility("default")))
#define WEAK(of)    __attribute__((weak, visibility("default"), alias(#of)))
#define NS          1000000000u
#define BIT(id)     (1u << (id))
#define TSC_AUX_CPU 0xfffu

/* Clocks whose number is below 32; all have the resolution of the TSC. */
#define WORLD                                                                  \
	(BIT(CLOCK_REALTIME) | BIT(CLOCK_REALTIME_COARSE) |                    \
	 BIT(CLOCK_REALTIME_ALARM) | BIT(CLOCK_TAI))
#define MACHINE                                                                \
	(BIT(CLOCK_MONOTONIC) | BIT(CLOCK_MONOTONIC_RAW) |                     \
	 BIT(CLOCK_MONOTONIC_COARSE) | BIT(CLOCK_BOOTTIME) |                   \
	 BIT(CLOCK_BOOTTIME_ALARM))

struct timespec64 {
	int64_t sec, nsec;
};
struct timeval64 {
	int64_t sec, usec;
};
struct zone {
	int32_t minutes_west, dst;
};

/* vdso.ld: the page below. */
extern const volatile struct vvar vvar __attribute__((visibility("hidden")));

static long call(long number, long a, void *b)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(number), "D"(a), "S"(b), "d"(0)
			 : "rcx", "r11", "memory");
	return r;
}

static bool is_one_of(uint32_t clocks, int32_t id)
{
	return (uint32_t)id < 32 && clocks & BIT(id);
}

/* False: ask the kernel. */
static bool read_clock(int32_t id, uint64_t *ret_ns)
{
	uint64_t wall = 0;

	if (!is_one_of(WORLD | MACHINE, id))
		return false;
	if (is_one_of(WORLD, id)) {
		wall = vvar.wall_ns;
		if (!wall)
			return false;
	}
	if (!vvar_monotonic(&vvar, ret_ns))
		return false;
	*ret_ns += wall;
	return true;
}

PUBLIC int __vdso_clock_gettime(int32_t id, struct timespec64 *ts);
int __vdso_clock_gettime(int32_t id, struct timespec64 *ts)
{
	uint64_t ns;

	if (!read_clock(id, &ns))
		return (int)call(SYS_clock_gettime, id, ts);
	ts->sec = (int64_t)(ns / NS);
	ts->nsec = (int64_t)(ns % NS);
	return 0;
}

PUBLIC int __vdso_gettimeofday(struct timeval64 *tv, struct zone *zone);
int __vdso_gettimeofday(struct timeval64 *tv, struct zone *zone)
{
	uint64_t ns = 0;

	if (tv && !read_clock(CLOCK_REALTIME, &ns))
		return (int)call(SYS_gettimeofday, (long)tv, zone);
	if (tv) {
		tv->sec = (int64_t)(ns / NS);
		tv->usec = (int64_t)(ns % NS / 1000);
	}
	if (zone)
		*zone = (struct zone){0, 0};
	return 0;
}

PUBLIC int64_t __vdso_time(int64_t *ret);
int64_t __vdso_time(int64_t *ret)
{
	uint64_t ns;
	int64_t sec;

	if (!read_clock(CLOCK_REALTIME, &ns))
		return call(SYS_time, (long)ret, NULL);
	sec = (int64_t)(ns / NS);
	if (ret)
		*ret = sec;
	return sec;
}

PUBLIC int __vdso_clock_getres(int32_t id, struct timespec64 *ret);
int __vdso_clock_getres(int32_t id, struct timespec64 *ret)
{
	if (!is_one_of(WORLD | MACHINE, id))
		return (int)call(SYS_clock_getres, id, ret);
	if (ret)
		*ret = (struct timespec64){0, 1};
	return 0;
}

static uint32_t cpu_from_aux(void)
{
	uint32_t aux;

	__asm__ volatile("rdtscp" : "=c"(aux)::"rax", "rdx");
	return aux & TSC_AUX_CPU;
}

PUBLIC long __vdso_getcpu(uint32_t *cpu, uint32_t *node, void *unused);
long __vdso_getcpu(uint32_t *cpu, uint32_t *node, void *unused)
{
	if (vvar.cpus != 1 && !vvar.cpu_in_aux)
		return call(SYS_getcpu, (long)cpu, node);
	if (cpu)
		*cpu = vvar.cpus == 1 ? 0 : cpu_from_aux();
	if (node)
		*node = 0;
	return 0;
}

/* Linux exports both names. */
WEAK(__vdso_clock_gettime)
int clock_gettime(int32_t id, struct timespec64 *ts);
WEAK(__vdso_gettimeofday)
int gettimeofday(struct timeval64 *tv, struct zone *zone);
WEAK(__vdso_time) int64_t time(int64_t *ret);
WEAK(__vdso_clock_getres) int clock_getres(int32_t id, struct timespec64 *ret);
WEAK(__vdso_getcpu) long getcpu(uint32_t *cpu, uint32_t *node, void *unused);
