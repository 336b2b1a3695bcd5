/* SPDX-License-Identifier: Apache-2.0 */
/* procfs.c - the files below /proc: which lines they have, and what in them
 * can be known. */
#include "conform.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char buf[70000];

static char *load(const char *name)
{
	int fd = open(name, O_RDONLY);
	ssize_t n, len = 0;

	while (fd >= 0 &&
	       (n = read(fd, buf + len, sizeof(buf) - 1 - (size_t)len)) > 0)
		len += n;
	if (fd < 0)
		say("%s: errno %d", name, errno);
	else
		close(fd);
	buf[len] = 0;
	return buf;
}

/* A line `word ...` of the loaded text, or "". */
static const char *line(const char *word)
{
	static char found[200];
	const char *at = buf;
	size_t len = strlen(word);

	while (at && strncmp(at, word, len) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	snprintf(found, sizeof(found), "%.*s", at ? (int)strcspn(at, "\n") : 0,
		 at ? at : "");
	return found;
}

static void test_stat(void)
{
	char comm[64] = "", state = 0;
	int pid = 0, ppid = 0, pgrp = 0, sid = 0, n, fields = 1;

	prctl(PR_SET_NAME, "a (b) c");
	load("/proc/self/stat");
	n = sscanf(buf, "%d (a (b) c) %c %d %d %d", &pid, &state, &ppid, &pgrp,
		   &sid);
	say("%d: %d %c %d %d %d%s", n, pid == getpid(), state,
	    ppid == getppid(), pgrp == getpgrp(), sid == getsid(0), comm);
	for (char *c = strrchr(buf, ')'); *c; c++)
		fields += *c == ' ';
	say("fields %d", fields + 1);
}

static void test_status(void)
{
	static const char *const words[] = {
		"Name:",    "Umask:",  "State:",  "Uid:",    "Gid:",
		"Threads:", "SigBlk:", "SigIgn:", "SigCgt:", "NoNewPrivs:"};
	static const char *const there[] = {
		"Tgid:",   "Pid:",    "PPid:",   "TracerPid:",   "FDSize:",
		"VmPeak:", "VmSize:", "VmRSS:",  "VmData:",      "VmStk:",
		"SigPnd:", "ShdPnd:", "CapEff:", "Cpus_allowed:"};

	umask(027);
	signal(SIGUSR1, SIG_IGN);
	handle(SIGUSR2, 0);
	load("/proc/self/status");
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		say("%s", line(words[i]));
	for (size_t i = 0; i < sizeof(there) / sizeof(*there); i++)
		say("%s %d", there[i], *line(there[i]) != 0);
}

static void test_cmdline(void)
{
	load("/proc/self/cmdline");
	say("ends in the name %d",
	    strcmp(buf + strlen(buf) - 7, "conform") == 0);
	load("/proc/self/comm");
	say("%s", buf);
	prctl(PR_SET_NAME, "new name");
	load("/proc/self/comm");
	say("%s", buf);
	int fd = (int)T(open("/proc/self/comm", O_WRONLY));
	T(write(fd, "written", 7));
	load("/proc/self/comm");
	say("%s", buf);
}

static void test_links(void)
{
	char dir[4096];

	T(readlink("/proc/self", buf, 100) > 0);
	say("%d", atoi(buf) == getpid());
	memset(buf, 0, sizeof(buf));
	T(readlink("/proc/self/cwd", buf, 4000) > 0);
	say("%d", strcmp(buf, getcwd(dir, sizeof(dir))) == 0);
	memset(buf, 0, 100);
	T(readlink("/proc/self/root", buf, 100));
	T(readlink("/proc/self/exe", buf, 100) > 0);
	T(open("/proc/self/exe", O_RDONLY));
	T(access("/proc/self/root/proc/self/cwd", F_OK));
	T(readlink("/proc/thread-self", buf, 100) > 0);
}

static void test_descriptors(void)
{
	DIR *dir;
	int n = 0, sum = 0;

	make("f", "");
	DO(dup2((int)DO(open("f", O_RDWR | O_APPEND)), 50));
	lseek(50, 7, SEEK_SET);
	dir = opendir("/proc/self/fd");
	for (struct dirent *e; (e = readdir(dir));) {
		n++;
		sum += atoi(e->d_name) == 50;
	}
	say("entries %d fifty %d", n > 4, sum);
	memset(buf, 0, 1000);
	T(readlink("/proc/self/fd/50", buf, 1000) > 2);
	say("%s", strrchr(buf, '/'));
	T(readlink("/proc/self/fd/99", buf, 10));
	load("/proc/self/fdinfo/50");
	say("%s", line("pos:"));
	say("%s", line("flags:"));
}

static void test_maps(void)
{
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char want[64];

	mprotect(p, 4096, PROT_READ);
	load("/proc/self/maps");
	snprintf(want, sizeof(want), "%lx-%lx r--p 00000000 00:00 0 ", (long)p,
		 (long)p + 4096);
	say("%d", strstr(buf, want) != NULL);
	say("stack %d heap %d", strstr(buf, "[stack]") != NULL,
	    strstr(buf, "[heap]") != NULL);
	say("vdso %d", strstr(buf, "[vdso]") != NULL);
	say("program %d", strstr(buf, "/conform\n") != NULL);
	munmap(p, 8192);
	load("/proc/self/maps");
	say("%d", strstr(buf, want) != NULL);
}

static void test_child(void)
{
	char name[64];
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	waitpid(pid, NULL, WUNTRACED);
	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	load(name);
	say("%s", line("State:"));
	kill(pid, SIGKILL);
	siginfo_t info;
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	load(name);
	say("%s", line("State:"));
	snprintf(name, sizeof(name), "/proc/%d/cmdline", pid);
	say("[%s]", load(name));
	reap(pid);
	T(open(name, O_RDONLY));
	T(open("/proc/4194303", O_RDONLY));
}

static void test_system(void)
{
	static const char *const files[] = {
		"/proc/meminfo",
		"/proc/cpuinfo",
		"/proc/stat",
		"/proc/uptime",
		"/proc/loadavg",
		"/proc/version",
		"/proc/filesystems",
		"/proc/mounts",
		"/proc/self/mounts",
		"/proc/self/mountinfo",
		"/proc/self/limits",
		"/proc/self/statm",
		"/proc/self/auxv",
		"/proc/self/environ",
		"/proc/self/oom_score_adj",
		"/proc/self/io",
		"/proc/self/cgroup",
		"/proc/self/smaps",
		"/proc/self/task",
		"/proc/sys/kernel/ostype",
		"/proc/sys/kernel/osrelease",
		"/proc/sys/kernel/hostname",
		"/proc/sys/kernel/pid_max",
		"/proc/sys/kernel/random/boot_id",
		"/proc/sys/kernel/random/uuid",
		"/proc/sys/vm/overcommit_memory",
		"/proc/sys/vm/max_map_count",
		"/proc/sys/fs/file-max",
		"/proc/sys/fs/pipe-max-size",
		"/proc/sys/net/core/somaxconn",
		"/proc/net/unix",
		"/proc/net/tcp",
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		say("%s %d", files[i], access(files[i], R_OK));
}

static void test_meminfo(void)
{
	static const char *const words[] = {
		"MemTotal:", "MemFree:", "MemAvailable:",
		"Buffers:",  "Cached:",  "SwapTotal:"};
	load("/proc/meminfo");
	for (int i = 0; i < 6; i++) {
		long kib = -1;
		char word[64], unit[8] = "";

		sscanf(line(words[i]), "%63s %ld %7s", word, &kib, unit);
		say("%s %d %s", words[i], kib >= 0, unit);
	}
	load("/proc/stat");
	say("%d %d %d", *line("cpu ") != 0, *line("cpu0 ") != 0,
	    *line("btime ") != 0);
}

static void test_numbers(void)
{
	double a = 0, b = 0, c = 0;
	int running = 0, total = 0, last = 0;

	load("/proc/loadavg");
	say("%d", sscanf(buf, "%lf %lf %lf %d/%d %d", &a, &b, &c, &running,
			 &total, &last));
	load("/proc/uptime");
	say("%d", sscanf(buf, "%lf %lf", &a, &b));
	load("/proc/self/statm");
	for (int i = running = 0; buf[i]; i++)
		running += buf[i] == ' ';
	say("%d", running + 1);
	load("/proc/sys/kernel/ostype");
	say("%s", buf);
	T(open("/proc/missing", O_RDONLY));
	T(open("/proc/new", O_CREAT | O_RDWR, 0644));
	T(mkdir("/proc/d", 0755));
	T(unlink("/proc/version"));
}

static void test_limits(void)
{
	load("/proc/self/limits");
	say("%s", line("Limit"));
	say("%d", *line("Max open files") != 0);
	say("%d", *line("Max stack size") != 0);
	say("%d", *line("Max cpu time") != 0);
}

static void test_seek(void)
{
	char a[64] = "", b[64] = "";
	int fd = (int)DO(open("/proc/self/status", O_RDONLY));

	T(read(fd, a, 10));
	T(pread(fd, b, 10, 0));
	say("%d", memcmp(a, b, 10) == 0);
	T(lseek(fd, 5, SEEK_SET));
	T(read(fd, b, 5));
	say("%d", memcmp(a + 5, b, 5) == 0);
	T(write(fd, "x", 1));
	T(lseek(fd, 0, SEEK_END));
}

const struct test procfs_tests[] = {
	{"stat", test_stat},
	{"status", test_status},
	{"cmdline", test_cmdline},
	{"links", test_links},
	{"descriptors", test_descriptors},
	{"maps", test_maps},
	{"child", test_child},
	{"system", test_system},
	{"meminfo", test_meminfo},
	{"numbers", test_numbers},
	{"limits", test_limits},
	{"seek", test_seek},
	{NULL, NULL},
};
