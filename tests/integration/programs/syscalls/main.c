/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - runs the system-call table: `syscalls -l` lists the groups,
 * `syscalls [GROUP...]` runs some or all, each in a fresh directory below the
 * current one. The output holds nothing that differs between two runs. */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct group *const files[] = {
	open_groups,   rw_groups,       stat_groups,   dir_groups,
	fd_groups,     mem_groups,      signal_groups, time_groups,
	proc_groups,   bad_groups,      event_groups,  child_groups,
	thread_groups, job_groups,      lock_groups,   pty_groups,
	unix_groups,   sockmsg_groups,  inet_groups,   timer_groups,
	turn_groups,   sockfork_groups, fpu_groups,
};

static const char *error_name(int error)
{
	static char unknown[32];
	const char *name = strerrorname_np(error);

	if (name)
		return name;
	snprintf(unknown, sizeof(unknown), "errno %d", error);
	return unknown;
}

long say_result(const char *call, long result)
{
	if (result == -1)
		printf("%s = %s\n", call, error_name(errno));
	else
		printf("%s = %ld\n", call, result);
	fflush(stdout);
	return result;
}

long say_success(const char *call, long result)
{
	printf("%s = %s\n", call, result == -1 ? error_name(errno) : "ok");
	fflush(stdout);
	return result;
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

void say_bytes(const char *what, const void *bytes, long len)
{
	const unsigned char *at = bytes;

	printf("  %s %ld [", what, len);
	for (long i = 0; i < len && i < 200; i++) {
		if (at[i] >= 0x20 && at[i] < 0x7f)
			putchar(at[i]);
		else
			printf("\\%02x", at[i]);
	}
	puts("]");
	fflush(stdout);
}

void say_file(const char *name)
{
	char buf[256];
	struct stat st;
	int fd = open(name, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) != 0) {
		say("file %s: %s", name, error_name(errno));
	} else {
		printf("  file %s size %lld ", name, (long long)st.st_size);
		say_bytes("content", buf, read(fd, buf, sizeof(buf)));
	}
	if (fd >= 0)
		close(fd);
}

void make_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		say("cannot make %s", name);
	if (fd >= 0)
		close(fd);
}

static int run(const struct group *group)
{
	printf("# %s\n", group->name);
	fflush(stdout);
	umask(022);
	if (mkdir(group->name, 0755) != 0 || chdir(group->name) != 0) {
		printf("no directory for %s: %s\n", group->name,
		       error_name(errno));
		return 1;
	}
	group->run();
	fflush(stdout);
	return chdir("..") != 0;
}

int main(int argc, char **argv)
{
	int failures = 0;

	if (argc > 1 && strcmp(argv[1], "execed") == 0) {
		for (int i = 2; i < argc; i++)
			say("argument [%s]", argv[i]);
		say("variable [%s]", getenv("X") ? getenv("X") : "none");
		say("inherited fd %d", fcntl(100, F_GETFD) >= 0);
		say("close-on-exec fd %d", fcntl(101, F_GETFD) >= 0);
		return 7;
	}
	for (size_t f = 0; f < sizeof(files) / sizeof(*files); f++) {
		for (const struct group *g = files[f]; g->name; g++) {
			int wanted = argc == 1;

			for (int i = 1; i < argc; i++) {
				if (strcmp(argv[i], "-l") == 0)
					puts(g->name);
				wanted |= strcmp(argv[i], g->name) == 0;
			}
			if (wanted)
				failures += run(g);
		}
	}
	return failures != 0;
}
