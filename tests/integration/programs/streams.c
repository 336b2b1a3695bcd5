/* SPDX-License-Identifier: Apache-2.0 */
/* streams.c - streams WHAT: what the three standard streams look like from
 * inside: epipe, eof, kinds, tty, size, raw, tick. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* With SIGPIPE ignored a write to a closed stream fails with EPIPE. */
static int epipe(void)
{
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < 100000; i++) {
		if (write(1, "0123456789\n", 11) < 0) {
			fprintf(stderr, "errno %d\n", errno);
			return errno == EPIPE ? 7 : 1;
		}
	}
	return 2;
}

/* End of file is seen again at every further read. */
static int eof(void)
{
	static char buf[65536];
	size_t total = 0;
	ssize_t got;

	while ((got = read(0, buf, sizeof(buf))) > 0)
		total += (size_t)got;
	printf("%zu %zd %zd\n", total, got, read(0, buf, sizeof(buf)));
	return 0;
}

static int kinds(void)
{
	for (int fd = 0; fd < 3; fd++) {
		struct stat st;

		if (fstat(fd, &st) != 0) {
			printf("%d errno %d\n", fd, errno);
			continue;
		}
		printf("%d %s tty=%d\n", fd,
		       S_ISCHR(st.st_mode)    ? "char"
		       : S_ISFIFO(st.st_mode) ? "fifo"
					      : "other",
		       isatty(fd));
	}
	return 0;
}

static int tty(void)
{
	char line[256];

	printf("tty %d %d\n", isatty(0), isatty(1));
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		printf("line [%s]\n", (line[strcspn(line, "\n")] = '\0', line));
	puts("end");
	return 0;
}

static volatile sig_atomic_t resized;

static void on_resize(int sig)
{
	resized = sig;
}

/* Prints the window's size, and again when it has changed. */
static int size(void)
{
	struct winsize ws = {0};

	signal(SIGWINCH, on_resize);
	ioctl(0, TIOCGWINSZ, &ws);
	printf("size %dx%d\n", ws.ws_row, ws.ws_col);
	fflush(stdout);
	for (int i = 0; i < 100 && !resized; i++)
		usleep(50000);
	ioctl(0, TIOCGWINSZ, &ws);
	printf("size %dx%d\n", ws.ws_row, ws.ws_col);
	return 0;
}

/* One key without a newline, as an editor reads it. */
static int raw(void)
{
	struct termios t;
	unsigned char key = 0;

	tcgetattr(0, &t);
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	t.c_cc[VMIN] = 1;
	tcsetattr(0, TCSANOW, &t);
	puts("ready");
	fflush(stdout);
	if (read(0, &key, 1) == 1)
		printf("key %d\n", key);
	return 0;
}

/* Echoes what comes when it comes: a slow writer must not be waited for. */
static int relay(void)
{
	char buf[65536];
	ssize_t got;

	while ((got = read(0, buf, sizeof(buf))) > 0) {
		for (ssize_t at = 0; at < got;) {
			ssize_t put = write(1, buf + at, (size_t)(got - at));

			if (put < 0)
				return 1;
			at += put;
		}
	}
	return got < 0;
}

/* Reads five bytes and leaves the rest to whoever reads next. */
static int five(void)
{
	char buf[5];
	ssize_t got = read(0, buf, sizeof(buf));

	return got != 5 || write(1, buf, 5) != 5;
}

static const struct {
	const char *name;
	int (*fn)(void);
} tests[] = {
	{"epipe", epipe}, {"eof", eof}, {"kinds", kinds}, {"tty", tty},
	{"size", size},   {"raw", raw}, {"relay", relay}, {"five", five},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(tests) / sizeof(*tests); i++)
		if (strcmp(argv[1], tests[i].name) == 0)
			return tests[i].fn();
	return 2;
}
