/* SPDX-License-Identifier: Apache-2.0 */
/* attack_memory.c - memory that is written and then executed, by every road. */
#include "tests/hostile/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#define BYTES    4096
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define RW       (PROT_READ | PROT_WRITE)
#define RX       (PROT_READ | PROT_EXEC)
#define PRIVATE  (MAP_PRIVATE | MAP_ANONYMOUS)
/* Where the kernel has no PR_SET_MDWE, policies are the only wall. */
#define REFUSED " EACCES "

static long map(long prot, long flags, long fd)
{
	return call(SYS_mmap, 0, BYTES, prot, flags, fd, 0);
}

static long at_once(const struct plan *plan, long arg)
{
	return map(RW | PROT_EXEC, PRIVATE, -1);
}

/** later() - written first, then made executable; @nr: by which call. */
static long later(const struct plan *plan, long nr)
{
	long at = map(RW, PRIVATE, -1);

	if (at < 0)
		return at;
	return call(nr, at, BYTES, RX, -1);
}

static long later_and_writable(const struct plan *plan, long arg)
{
	long at = map(RW, PRIVATE, -1);

	return at < 0 ? at : call(SYS_mprotect, at, BYTES, RW | PROT_EXEC);
}

/** own_text() - the program's own code made writable. */
static long own_text(const struct plan *plan, long arg)
{
	const long page = (long)own_text & ~(BYTES - 1);

	return call(SYS_mprotect, page, BYTES, RW | PROT_EXEC);
}

static long twice(const struct plan *plan, long arg)
{
	long fd = call(SYS_memfd_create, "x", MFD_CLOEXEC), at;

	if (fd < 0)
		return fd;
	at = call(SYS_ftruncate, fd, BYTES);
	if (at >= 0)
		at = map(RW, MAP_SHARED, fd);
	return at < 0 ? at : map(RX, MAP_SHARED, fd);
}

static long shared(const struct plan *plan, long arg)
{
	long id = call(SYS_shmget, IPC_PRIVATE, BYTES, IPC_CREAT | 0700);
	long at = id < 0 ? id : call(SYS_shmat, id, 0, 0);

	return at < 0 ? at : call(SYS_shmat, id, 0, SHM_EXEC);
}

/** readable_is_executable() - a process of that personality needs no
 * PROT_EXEC. */
static long readable_is_executable(const struct plan *plan, long arg)
{
	long before = call(SYS_personality, 0xffffffff), at;

	if (before < 0)
		return before;
	at = call(SYS_personality, before | READ_IMPLIES_EXEC);
	if (at < 0)
		return at;
	at = map(RW, PRIVATE, -1);
	call(SYS_personality, before);
	return at;
}

static long run_memfd(const struct plan *plan, long arg)
{
	static const char script[] = "#!/bin/sh\n";
	const char *argv[] = {"x", NULL};
	long fd = call(SYS_memfd_create, "x", 0);

	if (fd < 0)
		return fd;
	call(SYS_write, fd, script, sizeof(script) - 1);
	return call(SYS_execveat, fd, "", argv, argv + 1, AT_EMPTY_PATH);
}

static const struct attack memory[] = {
	{"mmap rwx", at_once, 0, REFUSED, NULL},
	{"mmap rw, mprotect rx", later, SYS_mprotect, REFUSED, NULL},
	{"mmap rw, pkey_mprotect rx", later, SYS_pkey_mprotect, REFUSED, NULL},
	{"mmap rw, mprotect rwx", later_and_writable, 0, REFUSED, NULL},
	{"mprotect own code rwx", own_text, 0, REFUSED, NULL},
	{"personality READ_IMPLIES_EXEC", readable_is_executable, 0, REFUSED,
	 NULL},
	{"memfd mapped rw and rx", twice, 0, NULL, NULL},
	{"shmat rw and rx", shared, 0, NULL, NULL},
	{"exec a memfd", run_memfd, 0, NULL, NULL},
};

const struct attack_table attack_memory = {"memory", memory, COUNT(memory)};
