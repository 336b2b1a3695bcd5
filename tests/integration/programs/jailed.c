/* SPDX-License-Identifier: Apache-2.0 */
/* jailed.c - stands in for the VMM: started by the real jailer, it tries what a
 * captured VMM would try, and writes a line "NAME RESULT" for each attempt to
 * the stream that would have been the program's output. */
#include "base/plan.h"
#include "base/report.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static struct plan plan;

__attribute__((format(printf, 1, 2))) static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vdprintf(plan.fd[PLAN_FD_STDOUT], fmt, ap);
	va_end(ap);
}

static void tried(const char *what, long result)
{
	if (result < 0)
		say("%s %s\n", what, strerrorname_np(errno));
	else
		say("%s %ld\n", what, result);
}

static void try_files(void)
{
	static const char *const paths[] = {
		"/",
		"/..",
		"../../..",
		".",
		"/etc/passwd",
		"/proc",
		"/proc/self/fd",
		"/dev/kvm",
		"/dev/null",
		"/sys/fs/cgroup",
		"/run/ampoule",
	};
	char what[64];

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		snprintf(what, sizeof(what), "open:%s", paths[i]);
		tried(what, open(paths[i], O_RDONLY));
	}
	tried("create", open("/file", O_CREAT | O_WRONLY, 0600));
	tried("mkdir", mkdir("/dir", 0700));
	tried("mknod", mknod("/kvm", S_IFCHR | 0600, 10 << 8 | 232));
	tried("chroot", chroot("/"));
	tried("mount", mount("none", "/", "tmpfs", 0, NULL));
	tried("remount", mount(NULL, "/", NULL, MS_REMOUNT, NULL));
	tried("umount", umount2("/", MNT_DETACH));
	tried("openat:slot", openat(plan.fd[PLAN_FD_SLOT], "..", O_RDONLY));
}

static void try_privileges(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct all[2] = {{~0u, ~0u, 0}, {~0u, ~0u, 0}};
	struct rlimit more = {1u << 20, 1u << 20};

	tried("setuid", setuid(plan.uid ? 0 : 1));
	tried("capset", syscall(SYS_capset, &header, all));
	tried("ambient",
	      prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
	tried("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	tried("nofile", setrlimit(RLIMIT_NOFILE, &more));
	tried("core", setrlimit(RLIMIT_CORE, &more));
	tried("sethostname", sethostname("x", 1));
	tried("unshare:net", unshare(CLONE_NEWNET));
	tried("unshare:mnt", unshare(CLONE_NEWNS));
}

static void try_others(void)
{
	struct sockaddr_in tcp = {
		.sin_family = AF_INET,
		.sin_port = htons(22),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_un abstract = {.sun_family = AF_UNIX};
	int death = 0, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t size = sizeof(sa_family_t) + 5;

	tried("connect", connect(fd, (void *)&tcp, sizeof(tcp)));
	tried("bind", bind(fd, (void *)&tcp, sizeof(tcp)));
	close(fd);
	memcpy(abstract.sun_path, "\0jail", 5);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	tried("abstract", connect(fd, (void *)&abstract, size));
	close(fd);
	tried("raw", socket(AF_PACKET, SOCK_RAW, 0));
	tried("pid", getpid());
	tried("ppid", getppid());
	tried("kill:2", kill(2, SIGKILL));
	tried("kill:all", kill(-1, SIGKILL));
	tried("ptrace", ptrace(PTRACE_ATTACH, 2, NULL, NULL));
	tried("renice", setpriority(PRIO_PROCESS, 0, -5));
	prctl(PR_GET_PDEATHSIG, &death);
	say("pdeathsig %d\n", death);
}

static void try_identity(void)
{
	extern char **environ;
	struct utsname host;
	unsigned strings = 0;

	while (environ[strings])
		strings++;
	uname(&host);
	say("environ %u\n", strings);
	say("host %s\n", host.nodename);
	say("uid %u\n", (unsigned)getuid());
	say("groups %d\n", getgroups(0, NULL));
}

/** try_forks() - a bomb, until the limit; all of it ends with us, pid 1. */
static void try_forks(void)
{
	unsigned forks = 0;

	while (forks < 1000) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (!pid) {
			setsid();
			for (;;)
				pause();
		}
		forks++;
	}
	say("forks %u\n", forks);
}

int main(void)
{
	struct report_msg msg = {
		.version = REPORT_VERSION,
		.type = REPORT_EXIT,
	};
	const char *why;

	if (plan_read(PLAN_FD_NUMBER, &plan, &why))
		return 125;
	try_identity();
	try_files();
	try_privileges();
	try_others();
	try_forks();
	report_send(plan.fd[PLAN_FD_REPORT], &msg);
	return 0;
}
