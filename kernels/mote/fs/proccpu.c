/* SPDX-License-Identifier: Apache-2.0 */
/* proccpu.c - /proc/cpuinfo and the lists of CPUs in /sys. */
#include "kernels/mote/arch/clock.h"
#include "kernels/mote/arch/smp.h"
#include "kernels/mote/fs/proctext.h"
#include "kernels/mote/lib/lib.h"

#define FAMILY(version) (((version) >> 8 & 15) + ((version) >> 20 & 255))
#define MODEL(version)  (((version) >> 4 & 15) | ((version) >> 12 & 0xf0))

uint32_t proctext_cpus(void)
{
	return smp_possible();
}

/* "0-3", or "0" */
void proctext_cpulist(struct text *t)
{
	uint32_t last = proctext_cpus() - 1;

	if (last)
		text_add(t, "0-%u\n", last);
	else
		text_add(t, "0\n");
}

void proctext_softirqs(struct text *t)
{
	text_add(t, "                    CPU0\n");
}

/* The brand string, as the processor tells it; cpuid is not privileged. */
/* NOLINTNEXTLINE(readability-non-const-parameter): written by the assembler */
static void cpu_leaf(uint32_t leaf, uint32_t out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]),
			   "=d"(out[3])
			 : "a"(leaf), "c"(0));
}

/* What programs look for in the flags; the rest they ask cpuid. */
static const struct flag {
	uint32_t leaf, word, bit; /* word: eax, ebx, ecx, edx */
	const char *name;
} flags[] = {
	{1, 3, 0, "fpu"},
	{1, 3, 4, "tsc"},
	{1, 3, 5, "msr"},
	{1, 3, 6, "pae"},
	{1, 3, 8, "cx8"},
	{1, 3, 9, "apic"},
	{1, 3, 15, "cmov"},
	{1, 3, 19, "clflush"},
	{1, 3, 23, "mmx"},
	{1, 3, 24, "fxsr"},
	{1, 3, 25, "sse"},
	{1, 3, 26, "sse2"},
	{1, 3, 28, "ht"},
	{1, 2, 0, "pni"},
	{1, 2, 1, "pclmulqdq"},
	{1, 2, 9, "ssse3"},
	{1, 2, 12, "fma"},
	{1, 2, 13, "cx16"},
	{1, 2, 19, "sse4_1"},
	{1, 2, 20, "sse4_2"},
	{1, 2, 22, "movbe"},
	{1, 2, 23, "popcnt"},
	{1, 2, 25, "aes"},
	{1, 2, 26, "xsave"},
	{1, 2, 28, "avx"},
	{1, 2, 29, "f16c"},
	{1, 2, 30, "rdrand"},
	{1, 2, 31, "hypervisor"},
	{7, 1, 3, "bmi1"},
	{7, 1, 5, "avx2"},
	{7, 1, 8, "bmi2"},
	{7, 1, 9, "erms"},
	{7, 1, 16, "avx512f"},
	{7, 1, 17, "avx512dq"},
	{7, 1, 18, "rdseed"},
	{7, 1, 19, "adx"},
	{7, 1, 23, "clflushopt"},
	{7, 1, 29, "sha_ni"},
	{7, 1, 30, "avx512bw"},
	{7, 1, 31, "avx512vl"},
	{0x80000001, 3, 11, "syscall"},
	{0x80000001, 3, 20, "nx"},
	{0x80000001, 3, 29, "lm"},
	{0x80000001, 2, 0, "lahf_lm"},
	{0x80000001, 2, 5, "abm"},
};

static void add_flags(struct text *t)
{
	text_add(t, "flags\t\t:");
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		uint32_t out[4];

		cpu_leaf(flags[i].leaf, out);
		if (out[flags[i].word] >> flags[i].bit & 1)
			text_add(t, " %s", flags[i].name);
	}
	text_add(t, " constant_tsc\nbugs\t\t:\n");
}

static void add_names(struct text *t)
{
	uint32_t id[4], version[4], brand[13] = {0};

	cpu_leaf(0, id);
	cpu_leaf(1, version);
	for (uint32_t i = 0; i < 3; i++)
		cpu_leaf(0x80000002 + i, &brand[4ul * i]);
	text_add(t, "vendor_id\t: ");
	text_raw(t, (char *)&id[1], 4);
	text_raw(t, (char *)&id[3], 4);
	text_raw(t, (char *)&id[2], 4);
	text_add(t, "\ncpu family\t: %u\nmodel\t\t: %u\n", FAMILY(version[0]),
		 MODEL(version[0]));
	if (brand[0]) /* not every host shows it to the kernel */
		text_add(t, "model name\t: %s\n", (char *)brand);
	text_add(t, "stepping\t: %u\nmicrocode\t: 0x0\n", version[0] & 15);
}

void proctext_cpuinfo(struct text *t)
{
	uint32_t cpus = proctext_cpus();
	uint64_t second = 1000000000;
	uint64_t ticks = clock_tsc_at(2 * second) - clock_tsc_at(second);
	uint32_t mhz = (uint32_t)(ticks / 1000000);

	for (uint32_t i = 0; i < cpus; i++) {
		text_add(t, "processor\t: %u\n", i);
		add_names(t);
		text_add(t, "cpu MHz\t\t: %u.000\n", mhz);
		text_add(t,
			 "physical id\t: 0\nsiblings\t: %u\n"
			 "core id\t\t: %u\ncpu cores\t: %u\napicid\t\t: %u\n",
			 cpus, i, cpus, i);
		text_add(t, "fpu\t\t: yes\nfpu_exception\t: yes\n"
			    "wp\t\t: yes\n");
		add_flags(t);
		text_add(t,
			 "bogomips\t: %u.00\nclflush size\t: 64\n"
			 "cache_alignment\t: 64\n\n",
			 2 * mhz);
	}
}
