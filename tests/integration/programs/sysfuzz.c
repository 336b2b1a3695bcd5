/* SPDX-License-Identifier: Apache-2.0 */
/* sysfuzz.c - a hostile program: `sysfuzz SEED SECONDS PROCESSES` is the first
 * process of a VM and starts others that make random system calls, each in two
 * threads, until its time is over. Round by round it ends them all by force,
 * wherever they are, and sees whether the kernel still works: nothing is left
 * that cannot be killed, and files, pipes, processes and memory do what they
 * did. The last line of its output is `clean`. */
#include "tests/integration/programs/sysfuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BASE       "/fuzz"
#define ROUND_MS   400
#define CALLS      20000u /* of one thread, at most */
#define PATIENCE_S 30     /* for the end of what was killed */
#define BLOCK      65536u

static void fail(const char *what)
{
	printf("failed: %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

/* A process that makes calls */

/* A signal every few milliseconds ends what waits for too long. */
static void wake_often(void)
{
	const struct itimerspec often = {{0, 4000000}, {0, 4000000}};
	struct sigevent e = {.sigev_notify = SIGEV_THREAD_ID,
			     .sigev_signo = SIGALRM};
	timer_t timer;

	e._sigev_un._tid = gettid();
	if (timer_create(CLOCK_MONOTONIC, &e, &timer) == 0)
		timer_settime(timer, 0, &often, NULL);
}

static void *work(void *dice)
{
	wake_often();
	for (unsigned i = 0; i < CALLS; i++)
		call_random(dice);
	return NULL;
}

static void set_limit(int what, rlim_t value)
{
	setrlimit((__rlimit_resource_t)what, &(struct rlimit){value, value});
}

static void null_streams(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < 3; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	close(null);
}

/* What the calls find to work on. */
static void furnish(unsigned n)
{
	char name[32];
	int pair[2];

	snprintf(name, sizeof(name), BASE "/%u", n);
	mkdir(name, 0777);
	if (chdir(name) != 0)
		_exit(1);
	mkdir("dir", 0777);
	mkdir("dir/sub", 0777);
	close(open("a", O_RDWR | O_CREAT, 0666));
	close(open("dir/a", O_RDWR | O_CREAT, 0666));
	if (symlink("dir/a", "link") != 0 || mkfifo("fifo", 0666) != 0)
		_exit(1);
	if (n % 8) /* one in eight keeps its streams */
		null_streams();
	open("a", O_RDWR);
	open("dir", O_RDONLY);
	if (pipe(pair) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		_exit(1);
	eventfd(0, 0);
	epoll_create1(0);
	timerfd_create(CLOCK_MONOTONIC, 0);
	memfd_create("m", 0);
	socket(AF_INET, SOCK_STREAM, 0);
	socket(AF_INET, SOCK_DGRAM, 0);
}

static void wake_up(int signal)
{
	(void)signal;
}

static _Noreturn void child(unsigned n, uint64_t seed)
{
	struct sigaction a = {.sa_handler = wake_up};
	struct dice dice[2] = {{seed}, {~seed}};
	pthread_t thread;

	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGALRM, &a, NULL);
	setpgid(0, 0);
	furnish(n);
	set_limit(RLIMIT_NPROC, 60);
	set_limit(RLIMIT_FSIZE, 1 << 24);
	if (n % 2 && (setgid(1000) != 0 || setuid(1000) != 0))
		_exit(1);
	call_setup(&dice[0]);
	if (pthread_create(&thread, NULL, work, &dice[1]) == 0)
		work(&dice[0]);
	_exit(0);
}

/* Rounds */

static struct timespec now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t;
}

static long ms_since(const struct timespec *start)
{
	struct timespec t = now();

	return (t.tv_sec - start->tv_sec) * 1000 +
	       (t.tv_nsec - start->tv_nsec) / 1000000;
}

static void nap(void)
{
	nanosleep(&(struct timespec){0, 10000000}, NULL);
}

static void start_one(unsigned n, uint64_t seed)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		child(n, seed);
	if (pid < 0)
		fail("fork");
}

/* The first line of a file below /proc. */
static void say_left(const char *name)
{
	char line[256] = "";
	FILE *f = fopen(name, "r");

	if (f && fgets(line, sizeof(line), f))
		printf("left: %s: %s\n", name, line);
	if (f)
		fclose(f);
}

/* Who is it that does not end? */
static void say_all_left(void)
{
	char name[64];

	for (int pid = 2; pid < 40000; pid++) {
		snprintf(name, sizeof(name), "/proc/%d/stat", pid);
		if (access(name, R_OK) != 0)
			continue;
		say_left(name);
		for (int tid = pid; tid < pid + 100; tid++) {
			snprintf(name, sizeof(name), "/proc/%d/task/%d/stat",
				 pid, tid);
			say_left(name);
		}
	}
}

static void end_all(void)
{
	struct timespec start = now();

	for (;;) {
		kill(-1, SIGKILL);
		while (waitpid(-1, NULL, WNOHANG | __WALL) > 0)
			;
		if (waitpid(-1, NULL, WNOHANG | __WALL) < 0 && errno == ECHILD)
			return;
		if (ms_since(&start) > PATIENCE_S * 1000) {
			say_all_left();
			errno = EBUSY;
			fail("processes that cannot be killed");
		}
		nap();
	}
}

static void run_round(uint64_t seed, unsigned count)
{
	struct timespec start = now();
	unsigned n = 0;

	for (; n < count; n++)
		start_one(n, seed + n);
	while (ms_since(&start) < ROUND_MS) {
		if (waitpid(-1, NULL, WNOHANG) > 0 && n < 8 * count) {
			start_one(n, seed + n);
			n++;
		}
		nap();
	}
	end_all();
}

/* Does it still work? */

static void check_pipe(void)
{
	int p[2], status = -1;
	char c = 0;
	pid_t pid;

	if (pipe(p) != 0)
		fail("pipe");
	pid = fork();
	if (pid == 0)
		_exit(write(p[1], "x", 1) == 1 ? 7 : 8);
	if (pid < 0 || read(p[0], &c, 1) != 1 || c != 'x')
		fail("a child's byte");
	if (waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 7)
		fail("a child's status");
	close(p[0]);
	close(p[1]);
}

static void check_file(void)
{
	static uint8_t out[BLOCK], in[BLOCK];
	int fd = open(BASE "/check", O_RDWR | O_CREAT | O_TRUNC, 0600);

	for (unsigned i = 0; i < BLOCK; i++)
		out[i] = (uint8_t)(i * 7);
	if (fd < 0 || write(fd, out, BLOCK) != BLOCK ||
	    pread(fd, in, BLOCK, 0) != BLOCK || memcmp(in, out, BLOCK) != 0)
		fail("a file's bytes");
	close(fd);
	unlink(BASE "/check");
}

static void check_memory(void)
{
	uint8_t *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		fail("mmap");
	for (unsigned i = 0; i < 1 << 20; i += 512)
		if (p[i])
			fail("fresh memory that is not zero");
	memset(p, 0xa5, 1 << 20);
	munmap(p, 1 << 20);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path) != 0 && umount2(path, MNT_DETACH) == 0 &&
	       remove(path) != 0;
}

static void clean(void)
{
	nftw(BASE, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	remove("/dev/shm/x");
	if (mkdir(BASE, 0777) != 0 && errno != EEXIST)
		fail(BASE);
	chmod(BASE, 0777);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	long seconds = argc > 2 ? atol(argv[2]) : 5;
	unsigned count = argc > 3 ? (unsigned)atoi(argv[3]) : 4;
	struct timespec start = now();

	if (getpid() != 1) {
		fputs("sysfuzz: ends every process it can: only in a VM\n",
		      stderr);
		return 2;
	}
	umask(0);
	for (unsigned n = 0; ms_since(&start) < seconds * 1000; n++) {
		struct sysinfo info = {0};

		clean();
		sysinfo(&info);
		printf("round %u seed %llu free %lu KiB\n", n,
		       (unsigned long long)seed, info.freeram / 1024);
		fflush(stdout);
		run_round(seed, count);
		check_pipe();
		check_file();
		check_memory();
		seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	}
	clean();
	puts("clean");
	return 0;
}
