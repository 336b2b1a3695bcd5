/* SPDX-License-Identifier: Apache-2.0 */
/* vdso.c - looks at the vDSO as a program finds it: by AT_SYSINFO_EHDR, its
 * dynamic section, and the version LINUX_2.6. Each mode prints lines that
 * cases/vdso.py compares.
 *
 * Usage: vdso calls | order [THREADS] | pages */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "kernels/mote/vdso/vvar.h"

#define ROUNDS  20000
#define TRAP    0x100 /* RFLAGS.TF */
#define NS      1000000000ll
#define THREADS 8

/* ------------------------------------------------------ finding functions */

struct object {
	const char *base, *strings, *soname;
	const Elf64_Sym *symbols;
	const Elf64_Half *versions;
	const Elf64_Verdef *definitions;
	const uint32_t *hash, *gnu_hash;
};

static void read_dynamic(struct object *o, const Elf64_Dyn *d)
{
	uint64_t soname = 0;

	for (; d->d_tag != DT_NULL; d++) {
		const char *at = o->base + d->d_un.d_ptr;

		if (d->d_tag == DT_STRTAB)
			o->strings = at;
		else if (d->d_tag == DT_SYMTAB)
			o->symbols = (const void *)at;
		else if (d->d_tag == DT_VERSYM)
			o->versions = (const void *)at;
		else if (d->d_tag == DT_VERDEF)
			o->definitions = (const void *)at;
		else if (d->d_tag == DT_HASH)
			o->hash = (const void *)at;
		else if (d->d_tag == DT_GNU_HASH)
			o->gnu_hash = (const void *)at;
		else if (d->d_tag == DT_SONAME)
			soname = d->d_un.d_val;
	}
	o->soname = o->strings + soname;
}

static struct object find_vdso(void)
{
	struct object o = {.base = (const char *)getauxval(AT_SYSINFO_EHDR)};
	const Elf64_Ehdr *e = (const void *)o.base;
	const Elf64_Phdr *p;

	if (!o.base || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0) {
		puts("no vDSO");
		exit(1);
	}
	p = (const void *)(o.base + e->e_phoff);
	for (int i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_DYNAMIC)
			read_dynamic(&o, (const void *)(o.base + p[i].p_vaddr));
	return o;
}

static const char *version_of(const struct object *o, uint32_t symbol)
{
	const Elf64_Verdef *d = o->definitions;
	unsigned wanted = o->versions[symbol] & 0x7fff;

	for (; d->vd_ndx != wanted;
	     d = (const void *)((const char *)d + d->vd_next))
		if (!d->vd_next)
			return "none";
	return o->strings +
	       ((const Elf64_Verdaux *)((const char *)d + d->vd_aux))->vda_name;
}

static uint32_t sysv_hash(const char *name)
{
	uint32_t h = 0;

	for (; *name; name++) {
		h = (h << 4) + (uint8_t)*name;
		h ^= (h & 0xf0000000) >> 24;
		h &= 0x0fffffff;
	}
	return h;
}

static uint32_t find_by_hash(const struct object *o, const char *name)
{
	uint32_t buckets = o->hash[0];
	uint32_t i = o->hash[2 + sysv_hash(name) % buckets];

	while (i && strcmp(o->strings + o->symbols[i].st_name, name) != 0)
		i = o->hash[2 + buckets + i];
	return i;
}

static uint32_t gnu_hash_of(const char *name)
{
	uint32_t h = 5381;

	for (; *name; name++)
		h = h * 33 + (uint8_t)*name;
	return h;
}

static uint32_t find_by_gnu_hash(const struct object *o, const char *name)
{
	uint32_t buckets = o->gnu_hash[0], first = o->gnu_hash[1];
	const uint32_t *bucket = o->gnu_hash + 4 + 2 * o->gnu_hash[2];
	const uint32_t *chain = bucket + buckets;
	uint32_t h = gnu_hash_of(name), i = bucket[h % buckets];

	for (; i; i++) {
		if ((chain[i - first] | 1) == (h | 1) &&
		    strcmp(o->strings + o->symbols[i].st_name, name) == 0)
			return i;
		if (chain[i - first] & 1)
			break;
	}
	return 0;
}

static void *function(const struct object *o, const char *name)
{
	uint32_t i = find_by_hash(o, name);

	if (!i || i != find_by_gnu_hash(o, name) ||
	    strcmp(version_of(o, i), "LINUX_2.6") != 0) {
		printf("%s: not found\n", name);
		exit(1);
	}
	return (void *)(uintptr_t)(o->base + o->symbols[i].st_value);
}

static const volatile struct vvar *vvar_of(const struct object *o)
{
	return (const volatile void *)(o->base - VVAR_BYTES);
}

/* ----------------------------------------------------------- single steps */

static volatile sig_atomic_t stepping, steps, calls;

static void on_step(int number, siginfo_t *info, void *context)
{
	greg_t *reg = ((ucontext_t *)context)->uc_mcontext.gregs;
	const uint8_t *code = (const uint8_t *)reg[REG_RIP];

	steps++;
	calls += code[0] == 0x0f && code[1] == 0x05; /* syscall is next */
	if (stepping)
		reg[REG_EFL] |= TRAP;
	else
		reg[REG_EFL] &= ~(greg_t)TRAP;
}

#define STEP(name, call)                                                       \
	do {                                                                   \
		steps = calls = 0;                                             \
		stepping = 1;                                                  \
		__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq" ::       \
					 : "memory", "cc");                    \
		call;                                                          \
		stepping = 0;                                                  \
		__asm__ volatile("nop" ::: "memory");                          \
		printf("%s: stepped %d, %d system calls\n", name, steps > 5,   \
		       calls);                                                 \
	} while (0)

static int show_calls(void)
{
	struct object o = find_vdso();
	int (*gettime)(clockid_t, struct timespec *) =
		function(&o, "__vdso_clock_gettime");
	int (*getres)(clockid_t, struct timespec *) =
		function(&o, "__vdso_clock_getres");
	int (*timeofday)(struct timeval *, struct timezone *) =
		function(&o, "__vdso_gettimeofday");
	time_t (*seconds)(time_t *) = function(&o, "__vdso_time");
	long (*getcpu_)(unsigned *, unsigned *, void *) =
		function(&o, "__vdso_getcpu");
	struct sigaction act = {.sa_sigaction = on_step,
				.sa_flags = SA_SIGINFO};
	struct timezone zone = {1, 1};
	unsigned cpu = 99, node = 99;
	struct timespec ts = {0};
	struct timeval tv;

	printf("%s, one clock for all CPUs %d\n", o.soname,
	       vvar_of(&o)->clock != VVAR_KVM ||
		       vvar_of(&o)->kvm.flags & KVM_TIME_STABLE);
	gettime(CLOCK_REALTIME, &ts); /* the first asks the kernel */
	sigaction(SIGTRAP, &act, NULL);
	STEP("realtime", gettime(CLOCK_REALTIME, &ts));
	STEP("monotonic", gettime(CLOCK_MONOTONIC, &ts));
	STEP("coarse", gettime(CLOCK_MONOTONIC_COARSE, &ts));
	STEP("boottime", gettime(CLOCK_BOOTTIME, &ts));
	STEP("tai", gettime(CLOCK_TAI, &ts));
	STEP("cpu time", gettime(CLOCK_PROCESS_CPUTIME_ID, &ts));
	STEP("libc's clock_gettime", clock_gettime(CLOCK_MONOTONIC, &ts));
	STEP("libc's gettimeofday", gettimeofday(&tv, NULL));
	STEP("libc's time", time(NULL));
	STEP("getres", getres(CLOCK_MONOTONIC, &ts));
	printf("resolution %lld %ld\n", (long long)ts.tv_sec, ts.tv_nsec);
	STEP("gettimeofday", timeofday(&tv, &zone));
	printf("zone %d %d\n", zone.tz_minuteswest, zone.tz_dsttime);
	STEP("time", seconds(NULL));
	STEP("getcpu", getcpu_(&cpu, &node, NULL));
	printf("cpu exists %d, node %u\n", cpu < vvar_of(&o)->cpus, node);
	printf("no such clock %d\n", gettime(1000, &ts));
	return 0;
}

/* ------------------------------------------------------------------ order */

static _Atomic int64_t latest;
static _Atomic int backwards;
static int (*vdso_gettime)(clockid_t, struct timespec *);

static int64_t read_ns(clockid_t id, int by_call)
{
	struct timespec ts;

	if (by_call)
		syscall(SYS_clock_gettime, id, &ts);
	else
		vdso_gettime(id, &ts);
	return ts.tv_sec * NS + ts.tv_nsec;
}

/* Nobody may read less than what somebody knew before. */
static void *watch(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		int64_t before = atomic_load(&latest);
		int64_t now = read_ns(CLOCK_MONOTONIC, i % 16 == 0);

		if (now < before)
			atomic_fetch_add(&backwards, 1);
		while (now > before &&
		       !atomic_compare_exchange_weak(&latest, &before, now))
			;
	}
	return NULL;
}

/* Both clocks, and both ways to ask, in turns. */
static int compare_with_calls(void)
{
	static const clockid_t ids[] = {CLOCK_REALTIME, CLOCK_MONOTONIC};
	int wrong = 0;

	for (int k = 0; k < 2; k++) {
		int64_t last = read_ns(ids[k], 1);

		for (int i = 0; i < 2000; i++) {
			int64_t now = read_ns(ids[k], i & 1);

			wrong += now < last;
			last = now;
		}
	}
	return wrong;
}

static int show_order(int threads)
{
	struct object o = find_vdso();
	pthread_t thread[THREADS];

	vdso_gettime = function(&o, "__vdso_clock_gettime");
	printf("against calls: %d wrong\n", compare_with_calls());
	for (int i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, watch, NULL) != 0)
			return 1;
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("threads: %d wrong\n", backwards);
	return 0;
}

/* ------------------------------------------------------------------ pages */

static sigjmp_buf back;

static void on_fault(int number)
{
	siglongjmp(back, number);
}

static int write_faults(const volatile void *at)
{
	int number = sigsetjmp(back, 1);

	if (number == 0)
		*(volatile char *)(uintptr_t)at = 1;
	return number;
}

static int show_pages(void)
{
	struct object o = find_vdso();
	char *vvar = (char *)(uintptr_t)vvar_of(&o);
	char *image = (char *)(uintptr_t)o.base;
	struct timespec ts;
	int status = -1;
	ssize_t got;

	signal(SIGSEGV, on_fault);
	printf("write: %d %d\n", write_faults(vvar), write_faults(image));
	for (int i = 0; i < 2; i++)
		printf("mprotect: %d\n", mprotect(i ? image : vvar, VVAR_BYTES,
						  PROT_READ | PROT_WRITE) == 0);
	got = read(open("/dev/zero", O_RDONLY | O_CLOEXEC), image, 1);
	printf("read into: %zd %d\n", got, errno == EFAULT);
	fflush(stdout);
	if (fork() == 0)
		_exit(clock_gettime(CLOCK_MONOTONIC, &ts) == 0 ? 7 : 1);
	wait(&status);
	printf("child: %d\n", WEXITSTATUS(status));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "calls") == 0)
		return show_calls();
	if (argc > 2 && strcmp(argv[1], "order") == 0)
		return show_order(atoi(argv[2]));
	if (argc > 1 && strcmp(argv[1], "pages") == 0)
		return show_pages();
	fputs("usage: vdso calls | order THREADS | pages\n", stderr);
	return 2;
}
