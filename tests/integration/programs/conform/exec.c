/* SPDX-License-Identifier: Apache-2.0 */
/* exec.c - what a new program keeps of the old one, and what is refused. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *no_env[] = {"X=1", NULL};

static void again(const char *one)
{
	char *argv[] = {"again", "executed", (char *)one, NULL};

	T(execve(own_path(), argv, no_env));
}

static void test_arguments(void)
{
	char *argv[] = {"again", "executed", "", "two words", "\xff\x01", NULL};
	char *env[] = {"X=a=b", "X=second", NULL};

	execve(own_path(), argv, env);
}

static void test_signals(void)
{
	sigset_t set;

	handle(SIGUSR1, 0);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGRTMAX);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGTERM);
	again("signals");
}

static void test_descriptors(void)
{
	dup2(1, 100);
	dup2(1, 101);
	dup3(1, 102, O_CLOEXEC);
	fcntl(101, F_SETFD, FD_CLOEXEC);
	fcntl(101, F_SETFD, 0);
	again("descriptors");
}

static void test_same_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		again("child");
	reap(pid);
}

static void test_alarm_stays(void)
{
	pid_t pid = fork();
	char *argv[] = {"again", "sleep", "5000", NULL};

	if (pid == 0) {
		alarm(1);
		execve(own_path(), argv, no_env);
	}
	reap(pid);
}

static void test_vfork(void)
{
	char *argv[] = {"again", "executed", NULL};
	const char *path = own_path();
	pid_t pid = vfork();

	if (pid == 0) {
		execve(path, argv, no_env);
		_exit(99);
	}
	reap(pid);
}

static void test_errors(void)
{
	char *argv[] = {"x", NULL};

	make("text", "neither this nor that");
	make("elf", "\177ELF\2\1\1");
	make("empty", "");
	DO(mkdir("dir", 0755));
	T(execve("missing", argv, no_env));
	T(execve("text/more", argv, no_env));
	T(execve("dir", argv, no_env));
	T(execve("text", argv, no_env));
	DO(chmod("text", 0755) | chmod("elf", 0755) | chmod("empty", 0755));
	T(execve("text", argv, no_env));
	T(execve("elf", argv, no_env));
	T(execve("empty", argv, no_env));
	T(execve(BAD, argv, no_env));
	T(execve("text", BAD, no_env));
	T(execve(own_path(), BAD, no_env));
	T(execve(own_path(), argv, BAD));
}

static void test_long_arguments(void)
{
	char *big = malloc(200000), *argv[] = {"x", "executed", big, NULL};

	memset(big, 'b', 199999);
	big[199999] = 0;
	T(execve(own_path(), argv, no_env));
	big[100000] = 0;
	execve(own_path(), argv, no_env);
}

static void test_many_arguments(void)
{
	static char *argv[3003];

	for (int i = 0; i < 3000; i++)
		argv[i] = "";
	argv[1] = "sleep";
	argv[2] = "0";
	T(execve(own_path(), argv, no_env));
}

static void test_too_much(void)
{
	static char *argv[100];
	char *big = malloc(131072);

	memset(big, 'b', 131071);
	big[131071] = 0;
	for (int i = 0; i < 99; i++)
		argv[i] = big;
	T(execve(own_path(), argv, no_env));
}

static void test_no_arguments(void)
{
	char *argv[] = {NULL};

	make("script", "#!/missing\n");
	DO(chmod("script", 0755));
	T(execve("script", argv, no_env));
}

static void test_script(void)
{
	char *argv[] = {"lost", "one", "two", NULL};

	DO(symlink(own_path(), "me"));
	make("script", "#! ./me executed   \nrest\n");
	DO(chmod("script", 0755));
	execve("./script", argv, no_env);
}

static void test_script_of_script(void)
{
	char *argv[] = {"lost", "one", NULL};

	DO(symlink(own_path(), "me"));
	make("inner", "#!./me executed\n");
	make("outer", "#!./inner with argument");
	DO(chmod("inner", 0755) | chmod("outer", 0755));
	execve("./outer", argv, no_env);
}

static void test_script_loop(void)
{
	char *argv[] = {"x", NULL};

	make("loop", "#!./loop\n");
	make("none", "#!\n");
	make("blank", "#!    \n");
	DO(chmod("loop", 0755) | chmod("none", 0755) | chmod("blank", 0755));
	T(execve("./loop", argv, no_env));
	T(execve("./none", argv, no_env));
	T(execve("./blank", argv, no_env));
}

static void test_fexecve(void)
{
	char *argv[] = {"x", "executed", "by fd", NULL};
	int fd = (int)DO(open(own_path(), O_RDONLY | O_CLOEXEC));

	T(fexecve(fd, argv, no_env));
}

static void test_execveat(void)
{
	char *argv[] = {"x", "executed", "at", NULL};

	T(syscall(SYS_execveat, AT_FDCWD, "", argv, no_env, 0));
	T(syscall(SYS_execveat, 999, "x", argv, no_env, 0));
	T(syscall(SYS_execveat, 1, "", argv, no_env, AT_EMPTY_PATH));
	T(syscall(SYS_execveat, AT_FDCWD, "x", argv, no_env, 0x40000));
	DO(symlink(own_path(), "me"));
	T(syscall(SYS_execveat, AT_FDCWD, "me", argv, no_env,
		  AT_SYMLINK_NOFOLLOW));
	T(syscall(SYS_execveat, AT_FDCWD, "me", argv, no_env, 0));
}

static void *by_thread(void *arg)
{
	again(arg);
	return NULL;
}

static void test_by_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, by_thread, "of a thread");
	pthread_join(thread, NULL);
}

static void test_busy(void)
{
	char *argv[] = {"x", NULL};

	OK(open(own_path(), O_WRONLY));
	make("file", "#!/missing\n");
	DO(chmod("file", 0755));
	DO(open("file", O_WRONLY));
	T(execve("./file", argv, no_env));
}

static void test_spawn(void)
{
	char *argv[] = {"x", "executed", "spawned", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t set;
	pid_t pid, group;
	int error;

	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, 1, 95);
	posix_spawn_file_actions_addopen(&actions, 96, "/dev/null", O_RDONLY,
					 0);
	posix_spawn_file_actions_addclose(&actions, 0);
	posix_spawnattr_init(&attr);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setsigmask(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETPGROUP);
	error = posix_spawn(&pid, own_path(), &actions, &attr, argv, no_env);
	group = getpgid(pid);
	reap(pid);
	say("error %d, group of its own %d", error, group == pid);
	E(posix_spawn(&pid, "missing", &actions, &attr, argv, no_env));
	E(posix_spawnp(&pid, "missing-in-path", NULL, NULL, argv, no_env));
}

static void test_aux(void)
{
	say("page %lu", getauxval(AT_PAGESZ));
	say("ticks %lu", getauxval(AT_CLKTCK));
	say("uid %lu %lu", getauxval(AT_UID), getauxval(AT_EUID));
	say("secure %lu", getauxval(AT_SECURE));
	say("random %d", getauxval(AT_RANDOM) != 0);
	say("platform %s", (char *)getauxval(AT_PLATFORM));
	say("name %d", getauxval(AT_EXECFN) != 0 &&
			       access((char *)getauxval(AT_EXECFN), X_OK) == 0);
	say("vdso %d", getauxval(AT_SYSINFO_EHDR) != 0);
	say("headers %d", getauxval(AT_PHDR) != 0 && getauxval(AT_PHNUM) > 2);
}

static void test_stack_limit(void)
{
	char *argv[] = {"x", "executed", NULL};
	struct rlimit r = {1 << 20, RLIM_INFINITY};

	DO(setrlimit(RLIMIT_STACK, &r));
	execve(own_path(), argv, no_env);
}

static void at_exit_one(void)
{
	say("one");
}

static void at_exit_two(void)
{
	say("two");
}

static void test_atexit(void)
{
	atexit(at_exit_one);
	atexit(at_exit_two);
	exit(0x103);
}

static void test_set_user_id_bit(void)
{
	char *argv[] = {"x", NULL};

	make("f", "#!/missing");
	DO(chmod("f", 04755));
	DO(setuid(1000));
	T(execve("./f", argv, no_env));
	T(chmod("f", 0777));
}

static void test_no_permission(void)
{
	char *argv[] = {"x", NULL};

	make("f", "#!/missing");
	DO(chmod("f", 0700));
	make("g", "#!/missing");
	DO(chmod("g", 0644));
	T(execve("./g", argv, no_env));
	DO(setuid(1000));
	T(execve("./f", argv, no_env));
	T(access("f", X_OK));
}

const struct test exec_tests[] = {
	{"arguments", test_arguments},
	{"signals", test_signals},
	{"descriptors", test_descriptors},
	{"same_process", test_same_process},
	{"alarm_stays", test_alarm_stays},
	{"vfork", test_vfork},
	{"errors", test_errors},
	{"long_arguments", test_long_arguments},
	{"many_arguments", test_many_arguments},
	{"too_much", test_too_much},
	{"no_arguments", test_no_arguments},
	{"script", test_script},
	{"script_of_script", test_script_of_script},
	{"script_loop", test_script_loop},
	{"fexecve", test_fexecve},
	{"execveat", test_execveat},
	{"by_thread", test_by_thread},
	{"busy", test_busy},
	{"spawn", test_spawn},
	{"aux", test_aux},
	{"stack_limit", test_stack_limit},
	{"atexit", test_atexit},
	{"set_user_id_bit", test_set_user_id_bit},
	{"no_permission", test_no_permission},
	{NULL, NULL},
};
