/* SPDX-License-Identifier: Apache-2.0 */
/* proc.c - cases of the process itself: ids, limits, names, exec, futexes. */
#include "say.h"

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>

static void test_ids(void)
{
	unsigned a = 9, b = 9, c = 9;
	gid_t groups[4] = {0};

	OK(getpid);
	say("thread leader %d", syscall(SYS_gettid) == syscall(SYS_getpid));
	OK(getppid);
	S(getuid);
	S(geteuid);
	S(getgid);
	S(getegid);
	S(getresuid, &a, &b, &c);
	say("%u %u %u", a, b, c);
	S(getresgid, &a, &b, &c);
	say("%u %u %u", a, b, c);
	S(getresuid, BAD, &b, &c);
	OK(getpgrp);
	OK(getpgid, 0);
	OK(getsid, 0);
	S(setgroups, 0, NULL);
	S(getgroups, 0, NULL);
	S(getgroups, 4, groups);
	S(getgroups, -1, groups);
	S(setfsuid, 0);
	S(setfsgid, 0);
	S(setreuid, -1, -1);
	S(setregid, -1, -1);
	S(setresuid, -1, -1, -1);
	S(setresgid, -1, -1, -1);
	S(setuid, 0);
	S(setgid, 0);
	S(getpgid, 0x3ffffff);
	S(setsid);
	S(setpgid, 0, -1);
}

/* Last of its kind: gives root away. */
static void test_groups(void)
{
	gid_t some[3] = {300, 7, 100}, got[4] = {0};
	pid_t child;

	make_file("g", "text");
	S(chown, "g", 0, 100);
	S(chmod, "g", 0640);
	S(setgroups, 3, some);
	S(setgroups, 3, BAD);
	S(setgroups, 70000, some);
	S(getgroups, 0, BAD);
	S(getgroups, 2, got);
	S(getgroups, 4, got);
	say("%u %u %u", got[0], got[1], got[2]);
	child = fork();
	if (child == 0) {
		setgid(5);
		setuid(6);
		S(getgroups, 4, BAD);
		S(setgroups, 0, NULL);
		S(open, "g", O_RDONLY);
		S(open, "g", O_RDWR);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	S(setgroups, 0, NULL);
	S(getgroups, 4, got);
}

static void test_drop(void)
{
	S(setgid, 5);
	S(setuid, 6);
	S(getuid);
	S(getegid);
	S(setuid, 0);
	S(setgid, 0);
	S(setresuid, 6, 6, 6);
	S(setreuid, 6, 0);
	S(setgroups, 0, NULL);
}

static void test_limits(void)
{
	struct rlimit r = {0}, bad = {2, 1}, low = {50, 60};

	S(getrlimit, RLIMIT_NOFILE, &r);
	say("descriptors %d", r.rlim_cur >= 256);
	S(getrlimit, RLIMIT_STACK, &r);
	say("stack %d", r.rlim_cur >= 1 << 20);
	S(getrlimit, 99, &r);
	S(getrlimit, RLIMIT_NOFILE, BAD);
	S(setrlimit, RLIMIT_NOFILE, &bad);
	S(prlimit64, 0, RLIMIT_NOFILE, &low, &r);
	S(prlimit64, 0, RLIMIT_NOFILE, NULL, &r);
	say("%d %d", (int)r.rlim_cur, (int)r.rlim_max);
	S(dup2, 1, 49);
	S(dup2, 1, 50);
	S(prlimit64, 0, 99, NULL, &r);
	S(prlimit64, 0x3ffffff, RLIMIT_NOFILE, NULL, &r);
	S(setrlimit, RLIMIT_CORE, &low);
	S(getrlimit, RLIMIT_CORE, &r);
	say("%d %d", (int)r.rlim_cur, (int)r.rlim_max);
}

static void test_usage(void)
{
	struct rusage u;

	S(getrusage, RUSAGE_SELF, &u);
	say("memory %d", u.ru_maxrss >= 0);
	S(getrusage, RUSAGE_CHILDREN, &u);
	S(getrusage, RUSAGE_THREAD, &u);
	S(getrusage, 99, &u);
	S(getrusage, RUSAGE_SELF, BAD);
	S(getpriority, PRIO_PROCESS, 0);
	S(setpriority, PRIO_PROCESS, 0, 5);
	S(getpriority, PRIO_PROCESS, 0);
	S(getpriority, 99, 0);
}

static void test_system(void)
{
	struct utsname u;
	struct sysinfo info;

	S(uname, &u);
	say("%s %s", u.sysname, u.machine);
	S(uname, BAD);
	S(sysinfo, &info);
	say("memory %d processes %d unit %u", info.totalram > 0, info.procs > 0,
	    info.mem_unit);
	S(sysinfo, BAD);
	S(sethostname, "name", -1);
	S(sethostname, BAD, 4);
	S(setdomainname, "name", -1);
	S(setdomainname, BAD, 4);
}

static void test_prctl(void)
{
	char name[17] = "";
	long base = 0, old = 0;
	int number = 9;

	S(prctl, PR_SET_NAME, "a name that is long");
	S(prctl, PR_GET_NAME, name);
	say_bytes("name", name, 16);
	S(prctl, PR_GET_DUMPABLE);
	S(prctl, PR_SET_DUMPABLE, 0);
	S(prctl, PR_GET_DUMPABLE);
	S(prctl, PR_SET_PDEATHSIG, SIGTERM);
	S(prctl, PR_GET_PDEATHSIG, &number);
	say("number %d", number);
	S(prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	S(prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	S(prctl, 0x7fffffff, 0);
	S(prctl, PR_GET_NAME, BAD);
	OK(arch_prctl, ARCH_GET_FS, &old);
	S(arch_prctl, ARCH_SET_GS, 0x12345000);
	S(arch_prctl, ARCH_GET_GS, &base);
	say("gs %#lx", (unsigned long)base);
	S(arch_prctl, ARCH_SET_GS, 1ul << 63);
	S(arch_prctl, 0x9999, 0);
	OK(set_tid_address, &number);
	S(set_robust_list, NULL, 24);
	S(set_robust_list, NULL, 1);
	S(get_robust_list, 0, &old, &base);
	say("length %ld", base);
}

static void test_capabilities(void)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {0};

	OK(capget, &h, d);
	S(capset, &h, d);
	S(capget, &h, BAD);
	S(capget, BAD, d);
	S(capset, BAD, d);
	h.version = 7;
	S(capget, &h, d);
	say("version %#x", h.version);
	S(personality, 0xffffffffl);
	S(personality, 0);
}

static void test_scheduler(void)
{
	unsigned long mask[16] = {0};
	struct sched_param p = {0};
	unsigned cpu = 999, node = 999;
	struct timespec t;

	S(sched_yield);
	OK(sched_getaffinity, 0, sizeof(mask), mask);
	say("has a CPU %d", mask[0] != 0);
	S(sched_getaffinity, 0, 1, mask);
	S(sched_getscheduler, 0);
	S(sched_getparam, 0, &p);
	S(sched_getparam, 0, NULL);
	S(sched_setparam, 0, &p);
	S(sched_setscheduler, 0, SCHED_OTHER, &p);
	S(sched_setscheduler, 0, 99, &p);
	p.sched_priority = 5;
	S(sched_setparam, 0, &p);
	S(sched_setscheduler, 0, SCHED_OTHER, &p);
	S(sched_setaffinity, 0, sizeof(mask), mask);
	S(sched_setaffinity, 0, sizeof(mask), BAD);
	S(sched_get_priority_max, SCHED_FIFO);
	S(sched_get_priority_min, SCHED_FIFO);
	S(sched_get_priority_max, SCHED_OTHER);
	S(sched_get_priority_max, 99);
	OK(sched_rr_get_interval, 0, &t);
	S(getcpu, &cpu, &node, NULL);
	say("cpu %d", cpu < 4096);
	S(getcpu, BAD, NULL, NULL);
	OK(membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
	S(membarrier, 1 << 30, 0, 0);
}

static void test_futex(void)
{
	struct timespec soon = {0, 10000000}, bad = {0, -1};
	unsigned word = 5;

	S(futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0);
	S(futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	S(futex, &word, FUTEX_WAIT, 4, NULL, NULL, 0);
	S(futex, &word, FUTEX_WAIT, 5, &soon, NULL, 0);
	S(futex, &word, FUTEX_WAIT_PRIVATE, 5, &soon, NULL, 0);
	S(futex, &word, FUTEX_WAIT, 5, &bad, NULL, 0);
	S(futex, (char *)&word + 1, FUTEX_WAIT, 5, &soon, NULL, 0);
	S(futex, BAD, FUTEX_WAIT, 5, &soon, NULL, 0);
	S(futex, KERNEL, FUTEX_WAKE, 1, NULL, NULL, 0);
	S(futex, &word, 99, 1, NULL, NULL, 0);
}

static void test_random(void)
{
	unsigned char a[32] = {0}, b[32] = {0};

	S(getrandom, a, 32, 0);
	S(getrandom, b, 32, 1);
	say("differs %d", memcmp(a, b, 32) != 0);
	S(getrandom, a, 0, 0);
	S(getrandom, a, 32, 0x80);
	S(getrandom, BAD, 32, 0);
}

static void test_wait(void)
{
	int status;

	S(wait4, -1, &status, 0, NULL);
	S(wait4, -1, &status, WNOHANG, NULL);
	S(wait4, -1, &status, 0x40000000, NULL);
	S(waitid, P_ALL, 0, NULL, WEXITED, NULL);
}

static void test_unknown(void)
{
	say("999: %s", syscall(999) == -1 ? strerrorname_np(errno) : "none");
	say("-1: %s", syscall(-1) == -1 ? strerrorname_np(errno) : "none");
	say("1 << 31: %s",
	    syscall(1l << 31) == -1 ? strerrorname_np(errno) : "none");
}

static void test_exec_errors(void)
{
	char *argv[] = {"x", NULL}, *env[] = {NULL};

	make_file("text", "not a program");
	make_file("elf", "\177ELF\2\1\1 and no more");
	S(execve, "none", argv, env);
	S(execve, ".", argv, env);
	S(execve, "text", argv, env);
	S(chmod, "text", 0755);
	S(chmod, "elf", 0755);
	S(execve, "text", argv, env);
	S(execve, "elf", argv, env);
	S(execve, "", argv, env);
	S(execve, BAD, argv, env);
	S(execve, "elf", BAD, env);
	make_file("script", "#!/no/such/interpreter\n");
	S(chmod, "script", 0755);
	S(execve, "script", argv, env);
	S(execveat, AT_FDCWD, "none", argv, env, 0);
}

/* The same program again, with other arguments, in the same process. */
static void test_exec(void)
{
	char path[4096] = "";
	char *argv[] = {"again", "execed", "one", "", "three words here", NULL};
	char *env[] = {"X=from exec", NULL};

	OK(readlink, "/proc/self/exe", path, sizeof(path) - 1);
	S(dup2, 1, 100);
	S(dup2, 1, 101);
	S(fcntl, 101, F_SETFD, FD_CLOEXEC);
	S(execve, path, argv, env);
}

/* Ways out: the status is compared, too. */
static void test_exit(void)
{
	say("leaving");
	syscall(SYS_exit, 0x1234);
}

static void test_exit_group(void)
{
	say("leaving");
	syscall(SYS_exit_group, -1);
}

const struct group proc_groups[] = {
	{"groups", test_groups},
	{"ids", test_ids},
	{"drop", test_drop},
	{"limits", test_limits},
	{"usage", test_usage},
	{"system", test_system},
	{"prctl", test_prctl},
	{"capabilities", test_capabilities},
	{"scheduler", test_scheduler},
	{"futex", test_futex},
	{"random", test_random},
	{"wait", test_wait},
	{"unknown", test_unknown},
	{"exec_errors", test_exec_errors},
	{"exec", test_exec},
	{"exit", test_exit},
	{"exit_group", test_exit_group},
	{NULL, NULL},
};
