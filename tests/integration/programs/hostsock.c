/* SPDX-License-Identifier: Apache-2.0 */
/* hostsock.c - the host's side of --vsock for shell scripts: one connection,
 * standard input to it and standard output from it, both at once.
 *
 *   hostsock dial PATH PORT    a port of the guest, by CONNECT
 *   hostsock listen PATH       the first that comes to a socket made here */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void must(int ok, const char *what)
{
	if (ok)
		return;
	(void)fprintf(stderr, "hostsock: %s: %s\n", what, strerror(errno));
	exit(1);
}

/** copy() - @from to @to, to its end. */
static void copy(int from, int to)
{
	static char buffer[65536];
	ssize_t n, done;

	while ((n = read(from, buffer, sizeof(buffer))) > 0) {
		for (char *p = buffer; n; p += done, n -= done) {
			done = write(to, p, (size_t)n);
			must(done > 0, "write");
		}
	}
	must(n == 0, "read");
}

/** say_connect() - byte by byte, so as to leave what follows the answer. */
static void say_connect(int fd, const char *port)
{
	char line[64] = "";

	must(dprintf(fd, "CONNECT %s\n", port) > 0, "CONNECT");
	for (size_t n = 0; n < sizeof(line) - 1; n++) {
		if (read(fd, line + n, 1) != 1)
			exit(2); /* nobody listens there: not yet, perhaps */
		if (line[n] == '\n')
			break;
	}
	must(!strncmp(line, "OK ", 3), "answer");
}

int main(int argc, char **argv)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int status, fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t child;

	must(fd >= 0 && argc >= 3 && strlen(argv[2]) < sizeof(at.sun_path),
	     "arguments");
	memcpy(at.sun_path, argv[2], strlen(argv[2]));
	(void)signal(SIGPIPE, SIG_IGN);
	if (!strcmp(argv[1], "dial") && argc == 4) {
		if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
			return 2;
		say_connect(fd, argv[3]);
	} else {
		must(!bind(fd, (struct sockaddr *)&at, sizeof(at)), "bind");
		must(!listen(fd, 1), "listen");
		fd = accept(fd, NULL, NULL);
		must(fd >= 0, "accept");
	}
	child = fork();
	must(child >= 0, "fork");
	if (!child) {
		copy(STDIN_FILENO, fd);
		must(!shutdown(fd, SHUT_WR), "shutdown");
		return 0;
	}
	copy(fd, STDOUT_FILENO);
	must(waitpid(child, &status, 0) == child && !status, "sending");
	return 0;
}
