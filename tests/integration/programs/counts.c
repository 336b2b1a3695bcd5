/* SPDX-License-Identifier: Apache-2.0 */
/* counts.c - the commonest ways into the kernel, each between two marks that
 * who watches this program's instructions can see (cases/counts.py).
 *
 * Usage: counts       walk every path
 *        counts -l    their names, in order */
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 4
#define BYTES  4096u
#define SPAN   ((size_t)64 << 12) /* more than one fault maps at once */

static char buffer[BYTES];
static int file, ask[2], answer[2];
static volatile char *fresh;
static volatile unsigned word;

__attribute__((noinline)) void mark_begin(void);
__attribute__((noinline)) void mark_end(void);
void mark_begin(void)
{
	__asm__ volatile("" ::: "memory");
}
void mark_end(void)
{
	__asm__ volatile("nop" ::: "memory");
}

static void null_call(void)
{
	syscall(SYS_getppid);
}

static void page_fault(void)
{
	*fresh = 1;
	fresh += SPAN;
}

static void read_4k(void)
{
	(void)!pread(file, buffer, BYTES, 0);
}

static void write_4k(void)
{
	(void)!pwrite(file, buffer, BYTES, 0);
}

static void open_close(void)
{
	close(open("/tmp/counts", O_RDONLY | O_CLOEXEC));
}

static void wake_nobody(void)
{
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* The other thread answers a wake-up with one. */
static void wake_wait(void)
{
	word = 1;
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	while (word == 1)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 1, NULL, NULL, 0);
}

static void *partner(void *arg)
{
	for (;;) {
		while (word == 0)
			syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL,
				NULL, 0);
		word = 0;
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	}
	return NULL;
}

static void pipe_switch(void)
{
	(void)!write(ask[1], buffer, 1);
	(void)!read(answer[0], buffer, 1);
}

static void echo(void)
{
	while (read(ask[0], buffer, 1) == 1)
		(void)!write(answer[1], buffer, 1);
}

static void map_unmap(void)
{
	munmap(mmap(NULL, SPAN, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	       SPAN);
}

static void fork_exec_wait(void)
{
	static char name[] = "counts", list[] = "-q";
	char *argv[] = {name, list, NULL};

	if (fork() == 0) {
		execv("/proc/self/exe", argv);
		_exit(1);
	}
	wait(NULL);
}

static const struct {
	const char *name;
	void (*walk)(void);
} path[] = {
	{"null call", null_call},
	{"page fault", page_fault},
	{"read 4 KiB", read_4k},
	{"write 4 KiB", write_4k},
	{"open and close", open_close},
	{"mmap and munmap", map_unmap},
	{"futex wake, nobody waits", wake_nobody},
	{"futex wake and wait, two switches", wake_wait},
	{"pipe to a process and back, two switches", pipe_switch},
	{"fork, exec, wait", fork_exec_wait},
};
#define PATHS (sizeof(path) / sizeof(path[0]))

static int prepare(void)
{
	pthread_t thread;

	file = open("/tmp/counts", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	fresh = mmap(NULL, SPAN * (ROUNDS + 1), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	madvise((void *)(size_t)fresh, SPAN * (ROUNDS + 1), MADV_NOHUGEPAGE);
	fresh += SPAN / 2;
	if (file < 0 || fresh == MAP_FAILED || pipe(ask) || pipe(answer))
		return -1;
	if (fork() == 0) {
		close(ask[1]);
		echo();
		_exit(0);
	}
	return pthread_create(&thread, NULL, partner, NULL) ? -1 : 0;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "-l") == 0) {
		for (size_t i = 0; i < PATHS; i++)
			puts(path[i].name);
		return 0;
	}
	if (argc > 1)
		return 0;
	if (prepare() != 0)
		return 1;
	for (size_t i = 0; i < PATHS; i++) {
		path[i].walk();
		for (int k = 1; k < ROUNDS; k++) {
			mark_begin();
			path[i].walk();
			mark_end();
		}
	}
	return 0;
}
