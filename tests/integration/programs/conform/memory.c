/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c - mappings: of nothing, of files, shared and private. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	RW = PROT_READ | PROT_WRITE
};

static char *map(size_t pages, int flags)
{
	return mmap(NULL, pages * PAGE, RW, flags | MAP_ANONYMOUS, -1, 0);
}

static sigjmp_buf jump;
static volatile int code;
static void on_fault(int number, siginfo_t *info, void *context)
{
	code = info->si_code;
	siglongjmp(jump, number);
}

/* The signal that touching a byte brings, or 0. */
static int touch(volatile char *at, bool write)
{
	struct sigaction act = {.sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO};
	int number;

	code = 0;
	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGBUS, &act, NULL);
	number = sigsetjmp(jump, 1);
	if (number)
		return number;
	if (write)
		*at = 'w';
	else
		(void)*at;
	return 0;
}

static void look(const char *what, char *at)
{
	int r = touch(at, false), rcode = code;
	int w = touch(at, true);

	say("%s: read %d/%d write %d/%d", what, r, rcode, w, code);
}

static void test_protection(void)
{
	char *p = PTR(map(3, MAP_PRIVATE));

	look("fresh", p);
	T(mprotect(p, PAGE, PROT_READ));
	look("read only", p);
	T(mprotect(p, PAGE, PROT_NONE));
	look("none", p);
	T(mprotect(p, PAGE, RW));
	look("again", p);
	T(munmap(p + PAGE, PAGE));
	look("hole", p + PAGE);
	T(mprotect(p, 3 * PAGE, PROT_READ));
	look("before the hole", p);
	T(mprotect(p + 1, PAGE, RW));
	T(mprotect(p, 0, RW));
	T(mprotect(p, PAGE, 0x100));
	look("null", NULL);
	look("noncanonical", (char *)(1ul << 63));
}

static void test_execute(void)
{
	char *p = PTR(map(1, MAP_PRIVATE));
	struct sigaction act = {.sa_sigaction = on_fault,
				.sa_flags = SA_SIGINFO};
	int number;

	memcpy(p, "\xb8\x2a\0\0\0\xc3", 6);
	sigaction(SIGSEGV, &act, NULL);
	number = sigsetjmp(jump, 1);
	if (!number)
		((int (*)(void))(uintptr_t)p)();
	say("signal %d code %d", number, code);
	T(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
	T(((int (*)(void))(uintptr_t)p)());
}

static void test_arguments(void)
{
	make("f", "x");
	int fd = (int)DO(open("f", O_RDONLY));

	PTR(mmap(NULL, 0, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	PTR(mmap(NULL, PAGE, RW, MAP_ANONYMOUS, -1, 0));
	PTR(mmap(NULL, PAGE, RW, MAP_PRIVATE, -1, 0));
	PTR(mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 1));
	PTR(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
	PTR(mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0));
	PTR(mmap((void *)1, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
		 -1, 0));
	PTR(mmap(NULL, 1ul << 50, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	PTR(mmap(NULL, PAGE, RW, MAP_PRIVATE, (int)DO(open(".", O_RDONLY)), 0));
	PTR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE,
		 (int)DO(open("f", O_WRONLY)), 0));
	T(munmap((void *)1, PAGE));
	T(munmap((void *)PAGE, 0));
	T(munmap((void *)0x10000000, PAGE));
	T(munmap((void *)(1ul << 60), PAGE));
}

static void test_fixed(void)
{
	char *p = PTR(map(3, MAP_PRIVATE));

	p[PAGE] = 'x';
	T(mmap(p + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
	       0) == p + PAGE);
	say("%d", p[PAGE]);
	PTR(mmap(p, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		 -1, 0));
	munmap(p + PAGE, PAGE);
	T(mmap(p + PAGE, PAGE, RW,
	       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
	       0) == p + PAGE);
	munmap(p + PAGE, PAGE);
	T(mmap(p + PAGE, PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	  p + PAGE);
}

static void test_file_private(void)
{
	char *p;
	int fd;

	make("f", "hello");
	fd = (int)DO(open("f", O_RDWR));
	p = PTR(mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0));
	say("%s", p);
	p[0] = 'J';
	content("f");
	pwrite(fd, "HELLO", 5, 0);
	say("%s", p);
}

static void test_file_shared(void)
{
	char *p;
	int fd;

	make("f", "hello");
	fd = (int)DO(open("f", O_RDWR));
	p = PTR(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
	p[0] = 'J';
	content("f");
	pwrite(fd, "LL", 2, 2);
	say("%s", p);
	T(msync(p, PAGE, MS_SYNC));
	T(msync(p, PAGE, MS_SYNC | MS_ASYNC));
	T(msync(p + 1, PAGE, MS_SYNC));
	close(fd);
	p[1] = 'u';
	content("f");
	p[10] = 'x';
	content("f");
}

static void test_beyond_the_end(void)
{
	char *p;
	int fd;

	make("f", "hello");
	fd = (int)DO(open("f", O_RDWR));
	p = PTR(mmap(NULL, 3 * PAGE, RW, MAP_SHARED, fd, 0));
	look("end of page", p + PAGE - 1);
	look("next page", p + PAGE);
	T(ftruncate(fd, PAGE + 1));
	look("next page", p + PAGE);
	T(ftruncate(fd, 0));
	look("first page", p);
}

static void test_shared_anonymous(void)
{
	char *p = PTR(map(2, MAP_SHARED));

	if (fork() == 0) {
		p[PAGE] = 'c';
		_exit(0);
	}
	reap(-1);
	say("%c", p[PAGE]);
}

static void test_shared_file_fork(void)
{
	char *p, *q;
	int fd = (int)DO(open("f", O_RDWR | O_CREAT, 0600));

	DO(ftruncate(fd, PAGE));
	p = PTR(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
	q = PTR(mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0));
	if (fork() == 0) {
		p[0] = 'p';
		q[1] = 'q';
		_exit(0);
	}
	reap(-1);
	say("%c %d %c", p[0], q[1], q[0]);
}

static void test_memfd(void)
{
	char *p;
	int fd = (int)T(memfd_create("name", MFD_ALLOW_SEALING));

	T(ftruncate(fd, PAGE));
	p = PTR(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
	strcpy(p, "text");
	T(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	T(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
	T(ftruncate(fd, 0));
	T(ftruncate(fd, 2 * PAGE));
	T(munmap(p, PAGE));
	T(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL));
	T(fcntl(fd, F_GET_SEALS));
	T(write(fd, "x", 1));
	PTR(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
	PTR(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0));
	T(memfd_create("x", 0x100));
	T(memfd_create(BAD, 0));
}

static void test_shm(void)
{
	char *p;
	int fd = (int)T(shm_open("/conform-shm", O_RDWR | O_CREAT, 0600));

	T(ftruncate(fd, PAGE));
	p = PTR(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
	if (fork() == 0) {
		int other = shm_open("/conform-shm", O_RDWR, 0);

		_exit(pwrite(other, "hi", 2, 0) != 2);
	}
	reap(-1);
	say("%s", p);
	T(shm_unlink("/conform-shm"));
	T(shm_unlink("/conform-shm"));
}

static void test_remap(void)
{
	char *p = PTR(map(4, MAP_PRIVATE)), *q;

	p[0] = 'a';
	p[3 * PAGE] = 'd';
	T(mremap(p, 4 * PAGE, 2 * PAGE, 0) == p);
	look("cut", p + 3 * PAGE);
	q = PTR(mremap(p, 2 * PAGE, 100 * PAGE, MREMAP_MAYMOVE));
	say("%c %d", q[0], q[99 * PAGE]);
	p = PTR(map(2, MAP_PRIVATE));
	T(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p) == p);
	say("%c", p[0]);
	look("old place", q);
	PTR(mremap(p + 1, PAGE, PAGE, 0));
	PTR(mremap(p, PAGE, 0, 0));
	PTR(mremap(BAD, PAGE, PAGE, 0));
	PTR(mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
}

static void test_advice(void)
{
	char *p = PTR(map(2, MAP_PRIVATE));

	p[0] = 'x';
	T(madvise(p, PAGE, MADV_DONTNEED));
	say("%d", p[0]);
	T(madvise(p, PAGE, MADV_WILLNEED));
	T(madvise(p, PAGE, MADV_FREE));
	T(madvise(p, PAGE, MADV_HUGEPAGE) == 0 || errno == EINVAL);
	T(madvise(p + 1, PAGE, MADV_DONTNEED));
	T(madvise(p, PAGE, 9999));
	munmap(p + PAGE, PAGE);
	T(madvise(p, 2 * PAGE, MADV_DONTNEED));
	p = PTR(map(2, MAP_PRIVATE));
	p[0] = 'x';
	T(madvise(p, PAGE, MADV_DONTFORK));
	T(madvise(p + PAGE, PAGE, MADV_WIPEONFORK));
	p[PAGE] = 'y';
	if (fork() == 0) {
		say("%d", p[PAGE]);
		_exit(touch(p, false));
	}
	reap(-1);
}

static void test_heap(void)
{
	char *begin = sbrk(0);

	T(sbrk(3 * PAGE) == begin);
	begin[2 * PAGE] = 'x';
	T(brk(begin) == 0);
	T(sbrk(PAGE) == begin);
	T(brk(begin + 3 * PAGE));
	say("%d", begin[2 * PAGE]);
	T(brk((void *)(1ul << 60)));
}

static void test_lock(void)
{
	char *p = PTR(map(2, MAP_PRIVATE));
	unsigned char vec[2] = {9, 9};

	T(mlock(p, PAGE));
	T(munlock(p, PAGE));
	T(mlock(BAD, PAGE));
	T(mincore(p, PAGE, vec));
	say("%d", vec[0] & 1);
	T(mincore(p + 1, PAGE, vec));
	T(mincore(p, PAGE, BAD));
	munmap(p, PAGE);
	T(mincore(p, PAGE, vec));
	T(mlockall(0));
	T(munlockall());
}

static void test_grows_down(void)
{
	volatile char big[2 << 20];

	for (size_t i = sizeof(big); i > 0; i -= PAGE)
		big[i - 1] = 1;
	say("%d", big[PAGE - 1]);
}

static void test_large(void)
{
	size_t bytes = 64ul << 20;
	char *p = PTR(mmap(NULL, bytes, RW,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	long sum = 0;

	for (size_t i = 0; i < bytes; i += 1 << 20)
		p[i] = 1;
	for (size_t i = 0; i < bytes; i += 1 << 19)
		sum += p[i];
	say("%ld", sum);
	T(munmap(p, bytes));
}

static void test_many_mappings(void)
{
	char *p[300];

	for (int i = 0; i < 300; i++) {
		p[i] = map(1, i & 1 ? MAP_PRIVATE : MAP_SHARED);
		p[i][5] = (char)i;
	}
	for (int i = 0; i < 300; i += 3)
		munmap(p[i], PAGE);
	for (int i = 1; i < 300; i += 3)
		if (p[i][5] != (char)i)
			say("wrong %d", i);
	say("done");
}

static void test_calls_on_bad_memory(void)
{
	char *p = PTR(map(2, MAP_PRIVATE));
	int fd[2];

	munmap(p + PAGE, PAGE);
	DO(pipe2(fd, O_NONBLOCK));
	memset(p, 'x', PAGE);
	T(write(fd[1], p + PAGE - 5, 10));
	T(write(fd[1], p + PAGE, 10));
	T(read(fd[0], p + PAGE, 3));
	T(open(p + PAGE - 3, O_RDONLY));
	T(mprotect(p, PAGE, PROT_READ));
	T(write(fd[1], p, 10));
	T(read(fd[0], p, 3));
}

static void test_process_vm(void)
{
	struct {
		void *base;
		size_t len;
	} l = {NULL, 4}, r;
	char here[5] = "";
	static char there[5] = "abcd";

	l.base = here;
	r.base = there;
	r.len = 4;
	T(syscall(SYS_process_vm_readv, getpid(), &l, 1, &r, 1, 0));
	say("%s", here);
}

const struct test memory_tests[] = {
	{"protection", test_protection},
	{"execute", test_execute},
	{"arguments", test_arguments},
	{"fixed", test_fixed},
	{"file_private", test_file_private},
	{"file_shared", test_file_shared},
	{"beyond_the_end", test_beyond_the_end},
	{"shared_anonymous", test_shared_anonymous},
	{"shared_file_fork", test_shared_file_fork},
	{"memfd", test_memfd},
	{"shm", test_shm},
	{"remap", test_remap},
	{"advice", test_advice},
	{"heap", test_heap},
	{"lock", test_lock},
	{"grows_down", test_grows_down},
	{"large", test_large},
	{"many_mappings", test_many_mappings},
	{"calls_on_bad_memory", test_calls_on_bad_memory},
	{"process_vm", test_process_vm},
	{NULL, NULL},
};
