/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - process 1 of a Linux guest: from the kernel's hands to the end of
 * one program, whose status the host gets. Trusts: the run block, which the
 * host wrote. Must not: outlive the program, or lose what it wrote.
 *
 *	mount, load modules, loopback | find the harness | connect the streams
 *	| start the program | move bytes, reap, pass signals on | exit
 *
 * Without a C library: it is a part of every initrd, and small. */
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/signalfd.h>
#include <linux/wait.h>

#include "base/abi/harness.h"
#include "base/abi/initrdindex.h"
#include "kernels/linux/init/init.h"
#include "kernels/linux/init/sys.h"

#define BLOCK_BYTES   (5u << 20) /* more than the host ever writes */
#define STRINGS_MAX   65536u
#define ENOENT        2
#define ENOTDIR       20
#define SIGNAL_BIT(n) (1ul << ((n)-1))

void start(const long *stack);

__asm__(".text\n.globl _start\n_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call start\n");

struct job { /* the run block, taken apart */
	struct runblock head;
	const char *program, *cwd;
	const char *argv[STRINGS_MAX], *envp[STRINGS_MAX];
};

static char block[BLOCK_BYTES];
static struct job job;
static struct streams streams;

/** next_string() - the string at *@at; *@at goes behind it. */
static const char *next_string(const char **at, const char *end)
{
	const char *s = *at;

	if (s >= end)
		fail("read", "/" RUNBLOCK_NAME ": it is damaged", 0);
	*at = s + text_len(s) + 1;
	return s;
}

static void read_block(void)
{
	long bytes = 0, n = 1;
	long fd = sys_open("/" RUNBLOCK_NAME, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail("open", "/" RUNBLOCK_NAME ", which says what to run", fd);
	/* The last byte stays 0: every string ends. */
	while (n > 0 && bytes < (long)sizeof(block) - 1) {
		n = sys_read((int)fd, block + bytes,
			     sizeof(block) - 1 - (size_t)bytes);
		bytes += n > 0 ? n : 0;
	}
	sys_close((int)fd);
	__builtin_memcpy(&job.head, block, sizeof(job.head));
	if (bytes < (long)sizeof(job.head) ||
	    job.head.magic != RUNBLOCK_MAGIC ||
	    job.head.version != RUNBLOCK_VERSION ||
	    job.head.argc >= STRINGS_MAX || job.head.envc >= STRINGS_MAX)
		fail("read", "/" RUNBLOCK_NAME ": it is of another version", 0);
	sys1(__NR_unlink, "/" RUNBLOCK_NAME);
	sys1(__NR_unlink, "/" INITRD_INDEX_NAME);
}

static void take_apart(void)
{
	const char *at = block + sizeof(job.head);
	const char *end = block + sizeof(block) - 1;

	job.program = next_string(&at, end);
	job.cwd = next_string(&at, end);
	for (uint32_t i = 0; i < job.head.argc; i++)
		job.argv[i] = next_string(&at, end);
	for (uint32_t i = 0; i < job.head.envc; i++)
		job.envp[i] = next_string(&at, end);
}

static void complain(const char *what, const char *name)
{
	char text[512];

	text_join(text, sizeof(text),
		  (const char *const[]){"init: cannot ", what, " ", name, "\n",
					NULL});
	sys_write(2, text, text_len(text));
}

/** become() - the user, the terminal, the directory of the program. */
static void become(void)
{
	const unsigned long none = 0;
	uint32_t group = job.head.gid;

	sys0(__NR_setsid);
	for (int n = 0; n < 3; n++) {
		if (streams.program[n] >= 0)
			sys2(__NR_dup2, streams.program[n], n);
		else
			sys_close(n);
	}
	for (int n = 0; streams.tty && n < 3; n++)
		sys3(__NR_ioctl, n, TIOCSCTTY, 0);
	sys4(__NR_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none));
	if (sys1(__NR_chdir, job.cwd) < 0) {
		complain("go to the directory", job.cwd);
		sys1(__NR_exit_group, EXIT_BROKEN);
	}
	sys2(__NR_setgroups, 1, &group);
	sys1(__NR_setgid, job.head.gid);
	sys1(__NR_setuid, job.head.uid);
}

/** has_slash() - else it is looked for along PATH. */
static bool has_slash(const char *s)
{
	while (*s && *s != '/')
		s++;
	return *s;
}

static const char *path_of_env(void)
{
	for (uint32_t i = 0; i < job.head.envc; i++) {
		const char *e = job.envp[i];

		if (e[0] == 'P' && e[1] == 'A' && e[2] == 'T' && e[3] == 'H' &&
		    e[4] == '=')
			return e + 5;
	}
	return "";
}

/** run_program() - Return: why not, -errno. */
static long run_program(void)
{
	const char *at = path_of_env();
	char path[1024];

	if (has_slash(job.program))
		return sys3(__NR_execve, job.program, job.argv, job.envp);
	while (*at) {
		char folder[512];
		size_t n = 0;

		for (; *at && *at != ':'; at++) {
			if (n + 1 < sizeof(folder))
				folder[n++] = *at;
		}
		folder[n] = '\0';
		at += *at == ':';
		text_join(
			path, sizeof(path),
			(const char *const[]){folder, "/", job.program, NULL});
		if (!sys2(__NR_access, path, 0))
			return sys3(__NR_execve, path, job.argv, job.envp);
	}
	return -ENOENT;
}

static long start_program(void)
{
	long pid = sys0(__NR_fork), err;

	if (pid < 0)
		fail("start", job.program, pid);
	if (pid)
		return pid;
	become();
	err = run_program();
	complain("run", job.program);
	sys1(__NR_exit_group,
	     err == -ENOENT || err == -ENOTDIR ? EXIT_NOT_THERE : EXIT_NOT_RUN);
	__builtin_unreachable();
}

/** pass_on() - what the host asks: signals for the program, its terminal's
 * size. */
static void pass_on(long pid)
{
	static const struct {
		uint32_t request;
		int signal;
	} table[] = {
		{HARNESS_REQ_TERM, SIGTERM},
		{HARNESS_REQ_INT, SIGINT},
		{HARNESS_REQ_HUP, SIGHUP},
		{HARNESS_REQ_QUIT, SIGQUIT},
	};
	uint32_t requests = doorbell_requests();

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (requests & table[i].request)
			sys2(__NR_kill, pid, table[i].signal);
	}
	if (requests & HARNESS_REQ_WINCH)
		streams_resize(&streams, doorbell_terminal());
}

/** reap() - all that ended. Return: is @pid among them? */
static bool reap(long pid, int *ret_status)
{
	bool found = false;
	int status = 0;
	long who;

	while ((who = sys4(__NR_wait4, -1, &status, WNOHANG, NULL)) > 0) {
		if (who != pid)
			continue;
		*ret_status = status;
		found = true;
	}
	return found;
}

static int watch_signals(void)
{
	const unsigned long set =
		SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(REQUEST_SIGNAL);
	long fd;

	sys4(__NR_rt_sigprocmask, SIG_BLOCK, &set, NULL, sizeof(set));
	fd = sys4(__NR_signalfd4, -1, &set, sizeof(set),
		  O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		fail("watch", "signals", fd);
	return (int)fd;
}

/** stand_by() - until the program ends. Return: its status. */
static int stand_by(long pid, int signal_fd)
{
	struct signalfd_siginfo si = {0};
	int status = 0, ms = doorbell_look_ms();
	bool asked = true; /* before the program was there */

	while (!reap(pid, &status)) {
		if (asked || ms >= 0)
			pass_on(pid);
		asked = false;
		streams_wait(&streams, signal_fd, ms);
		while (sys_read(signal_fd, &si, sizeof(si)) == sizeof(si))
			asked |= si.ssi_signo == REQUEST_SIGNAL;
	}
	return status;
}

__attribute__((used)) void start(const long *stack)
{
	int signal_fd = watch_signals(), status;
	long pid;

	(void)stack;
	machine_mount();
	/* Modules first: without them there may be nobody to complain to. */
	(void)doorbell_find();
	machine_load_modules();
	machine_raise_loopback();
	read_block();
	take_apart();
	if (job.head.flags & RUNBLOCK_FLAG_ROOT_IMAGE)
		root_from_image(job.head.flags & RUNBLOCK_FLAG_OVERLAY);
	streams_open(&streams, &job.head);
	doorbell_ready();
	pid = start_program();
	streams_close_program(&streams);
	status = stand_by(pid, signal_fd);
	streams_drain(&streams);
	doorbell_exit((uint32_t)status);
}
