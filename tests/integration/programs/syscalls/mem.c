/* SPDX-License-Identifier: Apache-2.0 */
/* mem.c - cases of address spaces. */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE 4096l
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static sigjmp_buf back;
static volatile sig_atomic_t fault_signal, fault_code;

static void on_fault(int number, siginfo_t *info, void *context)
{
	fault_signal = number;
	fault_code = info->si_code;
	siglongjmp(back, 1);
}

static void catch_faults(void)
{
	struct sigaction act = {.sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
}

/* What happens to a read and to a write of one byte. */
static void touch(const char *what, void *p)
{
	volatile unsigned char *at = p, value = 0;

	if (sigsetjmp(back, 1) == 0) {
		value = *at;
		say("%s reads %d", what, value);
	} else {
		say("%s: signal %d code %d on reading", what, fault_signal,
		    fault_code);
	}
	if (sigsetjmp(back, 1) == 0) {
		*at = (unsigned char)(value + 1);
		say("%s written", what);
	} else {
		say("%s: signal %d code %d on writing", what, fault_signal,
		    fault_code);
	}
}

static char *map(long pages, int prot, int flags, int fd, long offset)
{
	return (char *)syscall(SYS_mmap, NULL, pages * PAGE, prot, flags, fd,
			       offset);
}

static void test_mmap(void)
{
	char *p = map(4, RW, ANON, -1, 0);

	catch_faults();
	touch("fresh page", p);
	touch("last byte", p + 4 * PAGE - 1);
	S(munmap, p + PAGE, PAGE);
	touch("hole", p + PAGE);
	touch("after the hole", p + 2 * PAGE);
	S(munmap, p + PAGE, PAGE);
	S(munmap, p + 1, PAGE);
	S(munmap, p, 0);
	OK(mmap, p + PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	touch("filled hole", p + PAGE);
	S(mmap, p + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	S(mmap, NULL, 0, RW, ANON, -1, 0);
	S(mmap, NULL, PAGE, RW, 0, 0, 0);
	S(mmap, NULL, PAGE, RW, MAP_PRIVATE, -1, 0);
	S(mmap, NULL, PAGE, RW, MAP_PRIVATE, 99, 0);
	S(mmap, p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	S(mmap, NULL, PAGE, RW, ANON, -1, 123);
	S(mmap, NULL, 1ul << 50, RW, ANON, -1, 0);
	S(mmap, KERNEL, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	OK(mmap, NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	OK(mmap, NULL, PAGE, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	OK(mmap, NULL, 1ul << 36, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	OK(munmap, p, 4 * PAGE);
}

static void test_mprotect(void)
{
	char *p = map(3, RW, ANON, -1, 0);
	static const unsigned char ret[] = {0xb8, 42, 0, 0, 0, 0xc3};
	int (*fn)(void);

	catch_faults();
	touch("page", p);
	S(mprotect, p, PAGE, PROT_READ);
	touch("read only", p);
	S(mprotect, p, PAGE, PROT_NONE);
	touch("none", p);
	S(mprotect, p, 3 * PAGE, RW);
	touch("again", p);
	S(mprotect, p + 1, PAGE, RW);
	S(mprotect, p, 0, RW);
	S(mprotect, (void *)PAGE, PAGE, RW);
	S(mprotect, p, PAGE, 0x1000);
	memcpy(p, ret, sizeof(ret));
	memcpy(&fn, &p, sizeof(fn));
	if (sigsetjmp(back, 1) == 0)
		say("ran %d", fn());
	else
		say("not executable: signal %d code %d", fault_signal,
		    fault_code);
	S(mprotect, p, PAGE, PROT_READ | PROT_EXEC);
	say("ran %d", fn());
	S(munmap, p + PAGE, PAGE);
	S(mprotect, p, 3 * PAGE, PROT_READ);
}

static void test_files(void)
{
	char *p, *q, text[16] = "";
	int fd;

	catch_faults();
	fd = open("f", O_RDWR | O_CREAT, 0600);
	S(ftruncate, 3, PAGE + 100);
	S(pwrite64, 3, "start", 5, 0);
	S(pwrite64, 3, "end", 3, PAGE + 97);
	p = map(3, RW, MAP_PRIVATE, fd, 0);
	say_bytes("private", p, 6);
	say_bytes("end", p + PAGE + 97, 5);
	touch("past the end in the page", p + PAGE + 200);
	touch("a page past the end", p + 2 * PAGE);
	p[0] = 'S';
	S(pread64, 3, text, 5, 0);
	say_bytes("file", text, 5);
	q = map(2, RW, MAP_SHARED, fd, 0);
	q[1] = 'T';
	S(pread64, 3, text, 5, 0);
	say_bytes("file", text, 5);
	S(pwrite64, 3, "U", 1, 2);
	say_bytes("shared sees", q, 5);
	S(msync, q, PAGE, MS_SYNC);
	S(msync, q + 1, PAGE, MS_SYNC);
	S(msync, q, PAGE, MS_SYNC | MS_ASYNC);
	q = map(1, RW, MAP_SHARED, fd, PAGE);
	say_bytes("offset", q + 97, 3);
	S(close, 3);
	say_bytes("after close", p + PAGE + 97, 3);
	fd = open("f", O_RDONLY);
	S(mmap, NULL, PAGE, RW, MAP_SHARED, fd, 0);
	OK(mmap, NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
	OK(mmap, NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	S(mmap, NULL, PAGE, RW, MAP_PRIVATE, fd, 5);
	fd = open("f", O_WRONLY);
	S(mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	fd = open(".", O_RDONLY);
	S(mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	fd = open("/dev/zero", O_RDWR);
	p = map(1, RW, MAP_PRIVATE, fd, 0);
	touch("zero device", p);
}

/* The kernel itself reads and writes what is mapped. */
static void test_calls_on_mappings(void)
{
	char *p = map(4, RW, ANON, -1, 0), *ro;

	S(open, "f", O_RDWR | O_CREAT, 0600);
	S(write, 3, p, 3 * PAGE);
	S(lseek, 3, 0, SEEK_SET);
	S(read, 3, p + PAGE, 2 * PAGE);
	S(munmap, p + 2 * PAGE, PAGE);
	S(lseek, 3, 0, SEEK_SET);
	S(write, 3, p + PAGE, 2 * PAGE);
	S(write, 3, p + 2 * PAGE, 1);
	S(lseek, 3, 0, SEEK_SET);
	S(read, 3, p + PAGE, 2 * PAGE);
	ro = map(1, PROT_READ, ANON, -1, 0);
	S(read, 3, ro, 1);
	S(write, 3, ro, 1);
	S(mprotect, p, PAGE, PROT_NONE);
	S(write, 3, p, 1);
}

static void test_mremap(void)
{
	char *p = map(2, RW, ANON, -1, 0), *q;

	catch_faults();
	strcpy(p, "first");
	strcpy(p + PAGE, "second");
	q = (char *)syscall(SYS_mremap, p, 2 * PAGE, 300 * PAGE, MREMAP_MAYMOVE,
			    0);
	say_bytes("grown", q, 5);
	say_bytes("grown", q + PAGE, 6);
	touch("new part", q + 200 * PAGE);
	OK(mremap, q, 300 * PAGE, PAGE, 0);
	touch("cut part", q + PAGE);
	say_bytes("kept", q, 5);
	S(mremap, q, PAGE, 0, 0);
	S(mremap, q + 1, PAGE, PAGE, 0);
	S(mremap, (void *)PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
	p = map(4, PROT_NONE, ANON, -1, 0);
	OK(mremap, q, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p);
	say_bytes("moved", p, 5);
	touch("old place", q);
	S(mremap, p, PAGE, PAGE, 77);
}

static void test_brk(void)
{
	char *now = (char *)syscall(SYS_brk, 0);

	catch_faults();
	say("grows %d",
	    (char *)syscall(SYS_brk, now + 10 * PAGE) == now + 10 * PAGE);
	touch("new", now + 9 * PAGE);
	say("shrinks %d", (char *)syscall(SYS_brk, now) == now);
	say("refused %d", (char *)syscall(SYS_brk, 1) == now);
	say("refused %d", (char *)syscall(SYS_brk, KERNEL) == now);
	say("grows %d", (char *)syscall(SYS_brk, now + PAGE) == now + PAGE);
	/* Memory that came back is fresh. */
	touch("again", now + PAGE - 8);
	OK(brk, now);
}

static void test_madvise(void)
{
	char *p = map(4, RW, ANON, -1, 0);
	unsigned char state[4] = {0};

	strcpy(p, "kept");
	strcpy(p + PAGE, "dropped");
	S(madvise, p + PAGE, PAGE, MADV_DONTNEED);
	say_bytes("first", p, 5);
	say_bytes("second", p + PAGE, 7);
	S(madvise, p, 4 * PAGE, MADV_WILLNEED);
	S(madvise, p, 4 * PAGE, MADV_NORMAL);
	S(madvise, p, 4 * PAGE, MADV_DONTDUMP);
	S(madvise, p, 4 * PAGE, MADV_FREE);
	S(madvise, p + 1, PAGE, MADV_NORMAL);
	S(madvise, p, PAGE, 9999);
	S(madvise, (void *)PAGE, PAGE, MADV_DONTNEED);
	S(mincore, p, 2 * PAGE, state);
	S(mincore, p + 1, PAGE, state);
	S(mlock, p, PAGE);
	S(munlock, p, PAGE);
	S(mlock2, p, PAGE, 0);
	S(mlock2, p, PAGE, 99);
	S(mlockall, MCL_CURRENT);
	S(mlockall, 0);
	S(munlockall);
	S(munmap, p + PAGE, PAGE);
	S(madvise, p, 2 * PAGE, MADV_DONTNEED);
}

static void test_memfd(void)
{
	char *p;

	S(memfd_create, "name", 0);
	S(write, 3, "memory", 6);
	S(ftruncate, 3, PAGE);
	p = map(1, RW, MAP_SHARED, 3, 0);
	say_bytes("mapped", p, 7);
	S(memfd_create, "name", 0x4000000);
	S(memfd_create, BAD, 0);
}

/* A big array that is touched here and there. */
static void test_sparse(void)
{
	char *p = map(1 << 14, RW, ANON | MAP_NORESERVE, -1, 0);
	unsigned sum = 0;

	for (long at = 0; at < (1 << 14) * PAGE; at += 511 * PAGE)
		p[at] = (char)(at >> 12);
	for (long at = 0; at < (1 << 14) * PAGE; at += 511 * PAGE)
		sum += (unsigned char)p[at];
	say("sum %u", sum);
	S(munmap, p, (1 << 14) * PAGE);
}

static void test_malloc(void)
{
	unsigned sum = 0;
	void *kept[64] = {0};

	for (unsigned i = 0; i < 4000; i++) {
		size_t size = (i * 7919) % 30000 + 1;
		unsigned slot = i % 64;

		free(kept[slot]);
		kept[slot] = malloc(size);
		memset(kept[slot], (int)i, size);
		sum += ((unsigned char *)kept[slot])[size - 1];
	}
	say("sum %u", sum);
}

const struct group mem_groups[] = {
	{"mmap", test_mmap},
	{"mprotect", test_mprotect},
	{"map_files", test_files},
	{"calls_on_mappings", test_calls_on_mappings},
	{"mremap", test_mremap},
	{"brk", test_brk},
	{"madvise", test_madvise},
	{"memfd", test_memfd},
	{"sparse", test_sparse},
	{"malloc", test_malloc},
	{NULL, NULL},
};
