/* SPDX-License-Identifier: Apache-2.0 */
/* tell.c - what every case needs to print what it sees. */
#include "conform.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

volatile int caught, caught_last;

long tell_result(const char *what, long result)
{
	if (result == -1)
		printf("%s = -1, errno %d\n", what, errno);
	else
		printf("%s = %ld\n", what, result);
	fflush(stdout);
	return result;
}

long tell_success(const char *what, long result)
{
	if (result == -1)
		return tell_result(what, result);
	printf("%s = ok\n", what);
	fflush(stdout);
	return result;
}

void *tell_pointer(const char *what, void *result)
{
	if (result && result != MAP_FAILED)
		printf("%s = ok\n", what);
	else
		printf("%s = none, errno %d\n", what, errno);
	fflush(stdout);
	return result;
}

int tell_error(const char *what, int error)
{
	printf("%s = error %d\n", what, error);
	fflush(stdout);
	return error;
}

long must(const char *what, long result)
{
	if (result != -1)
		return result;
	printf("cannot: %s = -1, errno %d\n", what, errno);
	fflush(stdout);
	_exit(111);
}

void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("  ");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	fflush(stdout);
}

void say_status(int status)
{
	if (WIFEXITED(status))
		say("exited %d", WEXITSTATUS(status));
	else if (WIFSIGNALED(status))
		say("killed by %d", WTERMSIG(status));
	else if (WIFSTOPPED(status))
		say("stopped by %d", WSTOPSIG(status));
	else
		say("continued %d", WIFCONTINUED(status));
}

pid_t child(void (*fn)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		fn();
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0)
		must("fork()", pid);
	return pid;
}

void reap(pid_t pid)
{
	int status = -1;

	if (waitpid(pid, &status, 0) < 0)
		say("no child: errno %d", errno);
	else
		say_status(status);
}

void make(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	must("open", fd);
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		must("write", -1);
	close(fd);
}

void content(const char *name)
{
	char buf[256];
	int fd = open(name, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, buf, sizeof(buf));

	if (len < 0)
		say("%s: errno %d", name, errno);
	else
		say("%s: [%.*s]", name, (int)len, buf);
	if (fd >= 0)
		close(fd);
}

pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t thread;
	int error = pthread_create(&thread, NULL, fn, arg);

	if (error) {
		errno = error;
		must("pthread_create()", -1);
	}
	return thread;
}

void *join(pthread_t thread)
{
	void *result = NULL;

	E(pthread_join(thread, &result));
	return result;
}

void nap(int ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000l};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

static void on_signal(int number)
{
	caught++;
	caught_last = number;
}

void handle(int number, int flags)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = flags};

	DO(sigaction(number, &act, NULL));
}

const char *own_path(void)
{
	static char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len < 0)
		must("readlink", -1);
	path[len] = 0;
	return path;
}
