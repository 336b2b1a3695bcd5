/* SPDX-License-Identifier: Apache-2.0 */
/* sysfuzz_call.c - one random system call. Most have arguments of the right
 * kind, so that they get somewhere; some are nonsense from end to end. Every
 * wait is short, and no signal goes to the first process. */
#include "tests/integration/programs/sysfuzz.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ARENA_PAGES 64u
#define POOL_BYTES  65536u
#define PAGE        4096u
#define NUMBERS     470u

static uint8_t *arena, *pool;
static struct sigaction caught;

static const char *const paths[] = {
	"a",
	"b",
	"c",
	"dir",
	"dir/a",
	"dir/b",
	"dir/sub",
	"dir/../a",
	".",
	"..",
	"link",
	"fifo",
	"",
	"/",
	"/tmp",
	"/dev/null",
	"/dev/zero",
	"/dev/tty",
	"/dev/full",
	"/dev/shm/x",
	"/dev/ptmx",
	"/dev/pts/0",
	"/proc/self",
	"/proc/self/fd",
	"/proc/self/fd/3",
	"/proc/self/maps",
	"/proc/self/exe",
	"/proc/self/status",
	"/proc/self/stat",
	"/proc/meminfo",
	"/proc/mounts",
	"/proc/2/stat",
	"/proc/self/task",
	"/proc/self/environ",
	"/proc/self/mem",
	"/proc/sys/kernel/pid_max",
	"/proc/cpuinfo",
	"/sys",
	"no/such",
	"a/b",
	"dir/sub/deep/deeper",
	"/proc/self/fdinfo/4",
	"tmpfs",
	"proc",
};

/* The kernel's sigaction, not the C library's. */
struct kernel_action {
	uint64_t handler, flags, restorer, mask;
};

/* Signals that have a handler. */
static const uint8_t mild[] = {0,       SIGUSR1, SIGUSR2, SIGCHLD,
			       SIGCONT, SIGALRM, SIGURG,  SIGWINCH,
			       SIGIO,   35,      40};

static void on_signal(int signal)
{
	(void)signal;
}

void call_setup(struct dice *d)
{
	struct sigaction a = {.sa_handler = on_signal};

	/* What calls do to the arena's end reaches into the same again. */
	arena = mmap(NULL, 2 * ARENA_PAGES * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* The page behind is not there. */
	pool = mmap(NULL, POOL_BYTES + PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	munmap(pool + POOL_BYTES, PAGE);
	for (uint32_t i = 0; i < POOL_BYTES; i += 4) {
		uint32_t v = roll(d);

		memcpy(pool + i, &(uint32_t){v & 1 ? v : v >> 28}, 4);
	}
	for (size_t i = 1; i < sizeof(mild); i++)
		sigaction(mild[i], &a, NULL);
	syscall(SYS_rt_sigaction, SIGUSR1, NULL, &caught, 8);
}

static uint64_t any(struct dice *d)
{
	switch (below(d, 8)) {
	case 0:
		return 0;
	case 1:
		return ~0ull;
	case 2:
		return 1ull << below(d, 64);
	case 3:
		return 0x7ffffffff000ull - below(d, 2) * 8;
	case 4:
		return 0xffff888000000000ull + roll(d);
	case 5:
		return 0xffffffff80000000ull + roll(d) % 0x200000;
	case 6:
		return below(d, 64);
	default:
		return (uint64_t)roll(d) << 32 | roll(d);
	}
}

static void *slot(struct dice *d, size_t bytes)
{
	uint32_t at = below(d, POOL_BYTES - 1024) & ~7u;

	memset(pool + at, 0, bytes);
	return pool + at;
}

static uint64_t memory(struct dice *d)
{
	uint32_t how = below(d, 20);

	if (how == 0)
		return any(d);
	if (how == 1)
		return 0;
	if (how == 2)
		return (uint64_t)pool + POOL_BYTES - below(d, 64);
	if (how == 3)
		return (uint64_t)arena + below(d, ARENA_PAGES * PAGE);
	return (uint64_t)pool + (below(d, POOL_BYTES) & ~7u);
}

static uint64_t size(struct dice *d)
{
	switch (below(d, 8)) {
	case 0:
		return 0;
	case 1:
		return PAGE << below(d, 5);
	case 2:
		return below(d, 70000);
	case 3:
		return below(d, 10) ? below(d, 64) : any(d);
	default:
		return below(d, 200);
	}
}

static uint64_t flags(struct dice *d)
{
	uint64_t f = 0;

	for (uint32_t n = below(d, 4); n; n--)
		f |= 1ull << below(d, below(d, 4) ? 20 : 40);
	return f;
}

/* Never the first process, nor all. */
static uint64_t process(struct dice *d)
{
	switch (below(d, 6)) {
	case 0:
		return 99999;
	case 1:
		return (uint64_t)syscall(SYS_gettid);
	case 2:
		return (uint64_t)-getpgrp();
	default:
		return (uint64_t)getpid() + below(d, 3);
	}
}

/* Both a timespec and an itimerspec or timeval: up to 2 ms. */
static uint64_t moment(struct dice *d)
{
	uint64_t *t = slot(d, 32);

	t[1] = below(d, 2000000);
	t[3] = below(d, 2000000);
	if (!below(d, 20))
		t[below(d, 4)] = any(d);
	return below(d, 20) ? (uint64_t)t : memory(d);
}

static uint64_t vectors(struct dice *d)
{
	uint64_t *v = slot(d, 8 * 16);

	for (unsigned i = 0; i < 8; i++) {
		v[2 * i] = memory(d);
		v[2 * i + 1] = size(d);
	}
	return (uint64_t)v;
}

static uint64_t address(struct dice *d)
{
	struct sockaddr_un *u = slot(d, sizeof(*u));
	struct sockaddr_in *in = (struct sockaddr_in *)u;

	if (below(d, 2)) {
		u->sun_family = AF_UNIX;
		u->sun_path[0] = below(d, 2) ? 's' : '\0';
		u->sun_path[1] = (char)('0' + below(d, 4));
	} else {
		in->sin_family =
			(sa_family_t)(below(d, 4) ? AF_INET : AF_INET6);
		in->sin_port = (in_port_t)(5000 + below(d, 4));
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
	return (uint64_t)u;
}

static uint64_t message(struct dice *d)
{
	struct msghdr *m = slot(d, sizeof(*m) + 64);
	struct cmsghdr *c = slot(d, 64);

	m->msg_iov = (struct iovec *)vectors(d);
	m->msg_iovlen = below(d, 9);
	if (below(d, 2)) {
		m->msg_name = (void *)address(d);
		m->msg_namelen = below(d, 120);
	}
	if (below(d, 2)) {
		c->cmsg_len = CMSG_LEN(below(d, 4) * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = below(d, 3) ? SCM_RIGHTS : SCM_CREDENTIALS;
		for (unsigned i = 0; i < 4; i++)
			((int *)(void *)CMSG_DATA(c))[i] = (int)below(d, 12);
		m->msg_control = c;
		m->msg_controllen = below(d, 64);
	}
	return (uint64_t)m;
}

/* SIGALRM ends what waits for too long: mostly left alone. */
static uint64_t signal_set(struct dice *d)
{
	uint64_t *set = slot(d, 8);

	*set = flags(d) | flags(d) << 20;
	if (below(d, 8))
		*set &= ~(1ull << (SIGALRM - 1));
	return below(d, 10) ? (uint64_t)set : 0;
}

static uint64_t action(struct dice *d)
{
	struct kernel_action *a = slot(d, sizeof(*a));

	memcpy(a, &caught, sizeof(*a));
	if (!below(d, 3))
		a->handler = below(d, 2);
	a->mask = flags(d);
	a->flags |= flags(d) &
		    (SA_NODEFER | SA_RESTART | SA_NOCLDSTOP | SA_NOCLDWAIT);
	return below(d, 8) ? (uint64_t)a : 0;
}

static uint64_t event(struct dice *d)
{
	struct epoll_event *e = slot(d, sizeof(*e));

	e->events = below(d, 32) | (below(d, 2) ? EPOLLET : 0) |
		    (below(d, 4) ? 0 : EPOLLONESHOT) |
		    (below(d, 8) ? 0 : EPOLLEXCLUSIVE);
	return (uint64_t)e;
}

static uint64_t descriptor(struct dice *d)
{
	return below(d, 20) ? below(d, 24) : any(d);
}

/* What calls returned last: tries on the right kind of file get further. */
static int epolls[4], timerfds[4], sockets[8];

static void remember(struct dice *d, long number, long result)
{
	if (result < 0)
		return;
	if (number == SYS_epoll_create1)
		epolls[below(d, 4)] = (int)result;
	else if (number == SYS_timerfd_create)
		timerfds[below(d, 4)] = (int)result;
	else if (number == SYS_socket || number == SYS_accept ||
		 number == SYS_accept4)
		sockets[below(d, 8)] = (int)result;
}

static uint64_t recent(struct dice *d, const int *known, uint32_t count)
{
	return below(d, 8) ? (uint64_t)known[below(d, count)] : descriptor(d);
}

static uint64_t polls(struct dice *d)
{
	struct pollfd *p = slot(d, 8 * sizeof(*p));

	for (unsigned i = 0; i < 8; i++) {
		p[i].fd = (int)descriptor(d);
		p[i].events = (short)below(d, 256);
	}
	return (uint64_t)p;
}

static uint64_t notification(struct dice *d)
{
	int32_t *e = slot(d, 64); /* struct sigevent */

	e[2] = (int32_t)below(d, 66);
	e[3] = (int32_t)(below(d, 3) ? SIGEV_SIGNAL : below(d, 5));
	e[4] = (int32_t)process(d);
	return below(d, 6) ? (uint64_t)e : 0;
}

static uint64_t path(struct dice *d)
{
	if (!below(d, 20))
		return memory(d);
	return (uint64_t)paths[below(d, sizeof(paths) / sizeof(*paths))];
}

/* Signals that end a process come by chance often enough. */
static uint64_t signal_number(struct dice *d)
{
	return below(d, 40) ? mild[below(d, sizeof(mild))] : below(d, 70);
}

static const uint8_t families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
static const uint8_t types[] = {SOCK_STREAM, SOCK_STREAM, SOCK_DGRAM,
				SOCK_SEQPACKET};

static uint64_t argument(struct dice *d, char kind)
{
	switch (kind) {
	case 'f':
		return descriptor(d);
	case 'd':
		return below(d, 3) ? (uint64_t)AT_FDCWD : descriptor(d);
	case 'p':
		return path(d);
	case 'b':
		return memory(d);
	case 's':
		return size(d);
	case 'i':
		return below(d, 30) ? below(d, 10) : any(d);
	case 'x':
		return flags(d);
	case 'o':
		return below(d, 6) ? below(d, 100000) : any(d);
	case 'P':
		return process(d);
	case 'S':
		return signal_number(d);
	case 't':
		return moment(d);
	case 'a':
		return (uint64_t)arena + below(d, ARENA_PAGES) * PAGE;
	case 'l':
		return below(d, 30) ? (1 + below(d, 16)) * PAGE : any(d);
	case 'm':
		return below(d, 4) ? 0777 : roll(d) & 0177777;
	case 'c':
		return below(d, 4) ? below(d, 12) : any(d);
	case 'v':
		return vectors(d);
	case 'w':
		return (uint64_t)pool + below(d, 4) * 4;
	case 'k':
		return address(d);
	case 'g':
		return signal_set(d);
	case 'e':
		return event(d);
	case 'q':
		return polls(d);
	case 'h':
		return message(d);
	case 'r':
		return action(d);
	case 'j':
		return notification(d);
	case 'n':
		return below(d, 3) ? 1000 : below(d, 3);
	case '0':
		return below(d, 40) ? 0 : any(d);
	case '1':
		return below(d, 40) ? AF_UNIX : any(d);
	case 'A':
		return below(d, 40) ? below(d, 8) : any(d);
	case 'B':
		return MAP_FIXED * below(d, 2) |
		       (below(d, 3) ? MAP_ANONYMOUS : 0) | (1 + below(d, 2)) |
		       (below(d, 8) ? 0 : flags(d));
	case 'D':
		return below(d, 20) ? families[below(d, 4)] : below(d, 40);
	case 'T':
		return (below(d, 20) ? types[below(d, 4)] : below(d, 8)) |
		       (below(d, 2) ? SOCK_NONBLOCK : 0);
	case 'I':
		return below(d, 4);
	case 'O':
		return below(d, 20) ? below(d, 4) * PAGE : any(d);
	case 'X':
		return recent(d, epolls, 4);
	case 'Y':
		return recent(d, timerfds, 4);
	case 'U':
		return recent(d, sockets, 8);
	case 'E':
		return 1 + below(d, 20) % 4;
	case '8':
		return below(d, 50) ? 8 : any(d);
	default:
		return any(d);
	}
}

/* Nonsense must not reach another process. */
static int is_harmless(long number)
{
	switch (number) {
	case SYS_kill:
	case SYS_tkill:
	case SYS_tgkill:
	case SYS_rt_sigqueueinfo:
	case SYS_rt_tgsigqueueinfo:
	case SYS_pidfd_send_signal:
	case SYS_reboot:
		return 0;
	default:
		return 1;
	}
}

void call_random(struct dice *d)
{
	uint64_t a[6] = {0};
	const struct call *c = call_choose(d);
	const char *kind = c->args + (*c->args == '!');
	long number = c->number;

	for (unsigned i = 0; kind[i]; i++)
		a[i] = argument(d, kind[i]);
	if (!below(d, 30)) {
		number = below(d, NUMBERS);
		if (!is_harmless(number))
			return;
		for (unsigned i = 0; i < 6; i++)
			a[i] = below(d, 2) ? any(d) : memory(d);
	}
	remember(d, number,
		 syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]));
}
