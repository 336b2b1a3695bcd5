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

/* What an argument is:
 * f fd          d fd or AT_FDCWD   p path          b memory
 * s size        i small number     x flags         o offset
 * P process     S signal           t time (short)  a page of the arena
 * l its length  m mode             c clock         v array of iovec
 * w futex word  k socket address   g signal set    e epoll_event
 * q pollfd[]    h msghdr           r sigaction     j sigevent
 * A protection  B kind of mapping  D address family  T socket type
 * E what to epoll_ctl  I timer     z any number    n user or group id
 * X epoll       Y timerfd          U socket        O offset of a page
 * A call that begins with ! spoils the game soon, and is rare. */
static const struct call {
	uint16_t number;
	uint8_t weight;
	const char *args;
} calls[] = {
	{SYS_read, 9, "fbs"},
	{SYS_write, 9, "fbs"},
	{SYS_open, 9, "pxm"},
	{SYS_close, 3, "f"},
	{SYS_stat, 2, "pb"},
	{SYS_fstat, 2, "fb"},
	{SYS_lstat, 2, "pb"},
	{SYS_poll, 5, "qii"},
	{SYS_lseek, 3, "foi"},
	{SYS_mmap, 9, "alABfO"},
	{SYS_mprotect, 6, "alA"},
	{SYS_munmap, 6, "al"},
	{SYS_brk, 1, "!z"},
	{SYS_rt_sigaction, 5, "Srb8"},
	{SYS_rt_sigprocmask, 5, "igb8"},
	{SYS_ioctl, 4, "fzb"},
	{SYS_pread64, 3, "fbso"},
	{SYS_pwrite64, 3, "fbso"},
	{SYS_readv, 4, "fvi"},
	{SYS_writev, 4, "fvi"},
	{SYS_access, 2, "pi"},
	{SYS_pipe, 5, "b"},
	{SYS_select, 4, "ibbbt"},
	{SYS_sched_yield, 2, ""},
	{SYS_mremap, 5, "alixa"},
	{SYS_msync, 2, "alx"},
	{SYS_mincore, 2, "alb"},
	{SYS_madvise, 5, "ali"},
	{SYS_dup, 4, "f"},
	{SYS_dup2, 4, "ff"},
	{SYS_pause, 1, ""},
	{SYS_nanosleep, 4, "tb"},
	{SYS_getitimer, 2, "ib"},
	{SYS_setitimer, 4, "itb"},
	{SYS_getpid, 1, ""},
	{SYS_sendfile, 4, "ffbs"},
	{SYS_socket, 9, "DT0"},
	{SYS_connect, 5, "Uki"},
	{SYS_accept, 4, "Ubb"},
	{SYS_sendto, 5, "Ubsxki"},
	{SYS_recvfrom, 5, "Ubsxbb"},
	{SYS_sendmsg, 5, "Uhx"},
	{SYS_recvmsg, 5, "Uhx"},
	{SYS_shutdown, 3, "Ui"},
	{SYS_bind, 5, "Uki"},
	{SYS_listen, 4, "Ui"},
	{SYS_getsockname, 2, "Ubb"},
	{SYS_getpeername, 2, "Ubb"},
	{SYS_socketpair, 8, "1T0b"},
	{SYS_setsockopt, 4, "Uiibi"},
	{SYS_getsockopt, 4, "Uiibb"},
	{SYS_fork, 2, ""},
	{SYS_wait4, 5, "Pbxb"},
	{SYS_kill, 3, "PS"},
	{SYS_uname, 1, "b"},
	{SYS_fcntl, 6, "fib"},
	{SYS_fcntl, 4, "fii"},
	{SYS_flock, 3, "fi"},
	{SYS_fsync, 1, "f"},
	{SYS_truncate, 3, "po"},
	{SYS_ftruncate, 4, "fo"},
	{SYS_getdents64, 4, "fbs"},
	{SYS_getcwd, 2, "bs"},
	{SYS_chdir, 3, "!p"},
	{SYS_fchdir, 3, "!f"},
	{SYS_rename, 5, "pp"},
	{SYS_mkdir, 5, "pm"},
	{SYS_rmdir, 3, "p"},
	{SYS_creat, 4, "pm"},
	{SYS_link, 4, "pp"},
	{SYS_unlink, 4, "!p"},
	{SYS_symlink, 4, "pp"},
	{SYS_readlink, 3, "pbs"},
	{SYS_chmod, 2, "pm"},
	{SYS_chown, 2, "pnn"},
	{SYS_umask, 1, "m"},
	{SYS_getrlimit, 1, "ib"},
	{SYS_getrusage, 1, "ib"},
	{SYS_sysinfo, 1, "b"},
	{SYS_times, 1, "b"},
	{SYS_setpgid, 2, "PP"},
	{SYS_setsid, 1, ""},
	{SYS_getpgid, 1, "P"},
	{SYS_rt_sigpending, 2, "b8"},
	{SYS_rt_sigtimedwait, 4, "gbt8"},
	{SYS_rt_sigqueueinfo, 2, "PSb"},
	{SYS_rt_sigsuspend, 2, "g8"},
	{SYS_sigaltstack, 3, "!bb"},
	{SYS_utime, 1, "pb"},
	{SYS_mknod, 4, "pmz"},
	{SYS_statfs, 1, "pb"},
	{SYS_mlock, 1, "al"},
	{SYS_prctl, 2, "ibbbb"},
	{SYS_arch_prctl, 1, "!zb"},
	{SYS_setrlimit, 1, "!ib"},
	{SYS_mount, 3, "ppppb"},
	{SYS_umount2, 2, "pi"},
	{SYS_gettid, 1, ""},
	{SYS_tkill, 3, "PS"},
	{SYS_futex, 9, "wiitwi"},
	{SYS_futex, 5, "wxitwz"},
	{SYS_sched_setaffinity, 1, "!Psb"},
	{SYS_sched_getaffinity, 1, "Psb"},
	{SYS_epoll_create1, 5, "i"},
	{SYS_epoll_ctl, 12, "XEfe"},
	{SYS_epoll_wait, 5, "Xbii"},
	{SYS_epoll_pwait, 4, "Xbiig8"},
	{SYS_epoll_pwait2, 4, "Xbitg8"},
	{SYS_timer_create, 5, "cjb"},
	{SYS_timer_settime, 6, "Iitb"},
	{SYS_timer_gettime, 3, "Ib"},
	{SYS_timer_getoverrun, 2, "I"},
	{SYS_timer_delete, 3, "I"},
	{SYS_clock_gettime, 2, "cb"},
	{SYS_clock_getres, 1, "cb"},
	{SYS_clock_nanosleep, 3, "citb"},
	{SYS_tgkill, 3, "PPS"},
	{SYS_waitid, 4, "iPbxb"},
	{SYS_openat, 9, "dpxm"},
	{SYS_mkdirat, 3, "dpm"},
	{SYS_newfstatat, 2, "dpbx"},
	{SYS_unlinkat, 4, "dpx"},
	{SYS_renameat2, 4, "dpdpi"},
	{SYS_linkat, 3, "dpdpx"},
	{SYS_symlinkat, 2, "pdp"},
	{SYS_readlinkat, 2, "dpbs"},
	{SYS_pselect6, 4, "ibbbtb"},
	{SYS_ppoll, 4, "qitg8"},
	{SYS_set_robust_list, 2, "!bs"},
	{SYS_get_robust_list, 1, "Pbb"},
	{SYS_splice, 5, "fbfbsx"},
	{SYS_tee, 3, "ffsx"},
	{SYS_vmsplice, 3, "fvix"},
	{SYS_utimensat, 2, "dptx"},
	{SYS_signalfd4, 5, "fg8i"},
	{SYS_eventfd2, 5, "ix"},
	{SYS_timerfd_create, 5, "ci"},
	{SYS_timerfd_settime, 6, "Yitb"},
	{SYS_timerfd_gettime, 3, "Yb"},
	{SYS_fallocate, 4, "fxoo"},
	{SYS_accept4, 3, "Ubbx"},
	{SYS_dup3, 3, "ffx"},
	{SYS_pipe2, 5, "bx"},
	{SYS_preadv2, 2, "fviozi"},
	{SYS_pwritev2, 2, "fviozi"},
	{SYS_recvmmsg, 2, "Uhixt"},
	{SYS_prlimit64, 2, "!Pibb"},
	{SYS_sendmmsg, 2, "Uhix"},
	{SYS_getrandom, 2, "bsi"},
	{SYS_memfd_create, 5, "px"},
	{SYS_execveat, 1, "!dpbbx"},
	{SYS_execve, 1, "!pbb"},
	{SYS_membarrier, 1, "ii"},
	{SYS_copy_file_range, 4, "fbfbsi"},
	{SYS_statx, 2, "dpxxb"},
	{SYS_close_range, 1, "!iii"},
	{SYS_openat2, 2, "dpbs"},
	{SYS_mlockall, 1, "!i"},
	{SYS_clone, 3, "xbbbb"},
	{SYS_clone3, 3, "!bs"},
	{SYS_vfork, 1, "!"},
	{SYS_setuid, 1, "!n"},
	{SYS_setresuid, 1, "!nnn"},
	{SYS_exit, 1, "!i"},
	{SYS_exit_group, 1, "!i"},
	{SYS_rt_sigreturn, 1, "!"},
	{SYS_set_tid_address, 1, "!b"},
	{SYS_restart_syscall, 1, ""},
	{SYS_getpriority, 1, "iP"},
	{SYS_setpriority, 1, "iPi"},
	{SYS_sched_setscheduler, 1, "Pib"},
	{SYS_alarm, 1, "!i"},
	{SYS_mlock2, 1, "ali"},
	{SYS_readahead, 1, "fos"},
	{SYS_name_to_handle_at, 1, "dpbbx"},
	{SYS_process_vm_readv, 1, "Pvivii"},
	{SYS_pidfd_open, 2, "Pi"},
	{SYS_pidfd_send_signal, 1, "fSbi"},
};

static uint8_t *arena, *pool;
static uint32_t total_weight;
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
	if (!total_weight)
		for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
			total_weight += calls[i].weight;
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

static const struct call *choose(struct dice *d)
{
	const struct call *c;

	do {
		uint32_t at = below(d, total_weight);

		for (c = calls; at >= c->weight; c++)
			at -= c->weight;
	} while (*c->args == '!' && below(d, 24));
	return c;
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
	const struct call *c = choose(d);
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
