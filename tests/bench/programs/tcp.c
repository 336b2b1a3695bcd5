/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c - what a network gives TCP:  tcp serve PORT, and tcp ask ADDRESS PORT
 * MS on its other side. Prints MiB/s sent, MiB/s received, us for a byte there
 * and back. The first byte of a connection says what it is for. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#define CHUNK 65536

static uint8_t chunk[CHUNK];

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port))};

	must(inet_pton(AF_INET, host, &at.sin_addr) == 1, host);
	return at;
}

static void no_delay(int fd)
{
	must(!setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)),
	     "TCP_NODELAY");
}

/** answer() - the other side of one connection. */
static void answer(int fd)
{
	char what;
	ssize_t n;

	no_delay(fd);
	must(read(fd, &what, 1) == 1, "read");
	if (what == 'r') {
		while (write(fd, chunk, CHUNK) > 0)
			;
		return;
	}
	while ((n = read(fd, chunk, CHUNK)) > 0) {
		if (what == 'p')
			must(write(fd, chunk, (size_t)n) == n, "write");
	}
	must(write(fd, "", 1) == 1, "write"); /* all of it is here */
}

static void serve(const char *port)
{
	struct sockaddr_in at = address("0.0.0.0", port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one;

	must(!bind(fd, (struct sockaddr *)&at, sizeof(at)), "bind");
	must(!listen(fd, 8), "listen");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	while ((one = accept(fd, NULL, NULL)) >= 0) {
		if (!fork()) {
			answer(one);
			_exit(0);
		}
		close(one);
	}
}

static int connected(const struct sockaddr_in *to, char what)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	must(!connect(fd, (const struct sockaddr *)to, sizeof(*to)), "connect");
	no_delay(fd);
	must(write(fd, &what, 1) == 1, "write");
	return fd;
}

static double mib_a_second(uint64_t bytes, uint64_t ns)
{
	return (double)bytes / 1048576 * 1e9 / (double)ns;
}

static double send_for(const struct sockaddr_in *to, uint64_t ns)
{
	int fd = connected(to, 's');
	uint64_t start = clock_ns(), bytes = 0;
	char last;

	while (clock_ns() - start < ns) {
		ssize_t n = write(fd, chunk, CHUNK);

		must(n > 0, "write");
		bytes += (uint64_t)n;
	}
	must(!shutdown(fd, SHUT_WR), "shutdown");
	must(read(fd, &last, 1) == 1, "read");
	close(fd);
	return mib_a_second(bytes, clock_ns() - start);
}

static double receive_for(const struct sockaddr_in *to, uint64_t ns)
{
	int fd = connected(to, 'r');
	uint64_t start = clock_ns(), bytes = 0;

	while (clock_ns() - start < ns) {
		ssize_t n = read(fd, chunk, CHUNK);

		must(n > 0, "read");
		bytes += (uint64_t)n;
	}
	ns = clock_ns() - start;
	close(fd);
	return mib_a_second(bytes, ns);
}

static double trip_us(const struct sockaddr_in *to, uint64_t ns)
{
	int fd = connected(to, 'p');
	uint64_t start = clock_ns(), count = 0;
	char c = 1;

	for (; clock_ns() - start < ns; count++) {
		must(write(fd, &c, 1) == 1, "write");
		must(read(fd, &c, 1) == 1, "read");
	}
	ns = clock_ns() - start;
	close(fd);
	return (double)ns / 1e3 / (double)count;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "serve")) {
		serve(argv[2]);
	} else if (argc == 5 && !strcmp(argv[1], "ask")) {
		struct sockaddr_in to = address(argv[2], argv[3]);
		uint64_t ns = (uint64_t)atoi(argv[4]) * 1000000u;

		printf("tcp %.2f", send_for(&to, ns));
		printf(" %.2f", receive_for(&to, ns));
		printf(" %.1f\n", trip_us(&to, ns));
		return 0;
	}
	return 2;
}
