/* SPDX-License-Identifier: Apache-2.0 */
/* vsocket.c - the guest's side of the tests of AF_VSOCK: servers, clients, and
 * the results of single calls. Bytes of a stream follow a pattern that both
 * sides know (cases/vsock.py). */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#define PERIOD 65521u /* of the pattern; a prime */
#define CHUNK  65536u

static uint8_t pattern[PERIOD + CHUNK];

static void must(int ok, const char *what)
{
	if (ok)
		return;
	printf("%s: %s\n", what, strerror(errno));
	fflush(stdout);
	exit(1);
}

static void fill_pattern(void)
{
	for (unsigned i = 0; i < sizeof(pattern); i++) {
		unsigned at = i % PERIOD;

		pattern[i] = (uint8_t)(at * 7 + (at >> 8));
	}
}

static int new_socket(void)
{
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	must(fd >= 0, "socket");
	return fd;
}

static struct sockaddr_vm address(unsigned cid, unsigned port)
{
	return (struct sockaddr_vm){
		.svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port};
}

static int try_connect(int fd, unsigned cid, unsigned port)
{
	struct sockaddr_vm to = address(cid, port);

	return connect(fd, (struct sockaddr *)&to, sizeof(to));
}

static int try_bind(int fd, unsigned cid, unsigned port)
{
	struct sockaddr_vm at = address(cid, port);

	return bind(fd, (struct sockaddr *)&at, sizeof(at));
}

static int connected(unsigned port)
{
	int fd = new_socket();

	must(!try_connect(fd, VMADDR_CID_HOST, port), "connect");
	return fd;
}

static int listener(unsigned port, int backlog)
{
	int fd = new_socket();

	must(!try_bind(fd, VMADDR_CID_ANY, port), "bind");
	must(!listen(fd, backlog), "listen");
	return fd;
}

static void say(const char *text)
{
	printf("%s\n", text);
	fflush(stdout);
}

static void send_all(int fd, const void *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, data, bytes);

		must(n > 0, "write");
		data = (const uint8_t *)data + n;
		bytes -= (size_t)n;
	}
}

/* An echo on every connection, until COUNT of them have ended. */
static void echo(unsigned port, unsigned count)
{
	static uint8_t buffer[CHUNK];
	int poller = epoll_create1(0), at = listener(port, 256);
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = at};

	must(!epoll_ctl(poller, EPOLL_CTL_ADD, at, &ev), "epoll_ctl");
	say("listening");
	while (count) {
		ssize_t n;
		int fd;

		must(epoll_wait(poller, &ev, 1, -1) == 1, "epoll_wait");
		if (ev.data.fd == at) {
			fd = accept4(at, NULL, NULL, SOCK_CLOEXEC);
			must(fd >= 0, "accept");
			ev.events = EPOLLIN;
			ev.data.fd = fd;
			must(!epoll_ctl(poller, EPOLL_CTL_ADD, fd, &ev), "add");
			continue;
		}
		fd = ev.data.fd;
		n = read(fd, buffer, sizeof(buffer));
		must(n >= 0, "read");
		if (n) {
			send_all(fd, buffer, (size_t)n);
		} else {
			close(fd);
			count--;
		}
	}
	say("done");
}

/* COUNT connections to the host at once; each says its number and wants it
 * back. */
static void many(unsigned port, unsigned count)
{
	int *fd = calloc(count, sizeof(*fd));
	uint32_t got;

	must(fd != NULL, "calloc");
	for (uint32_t i = 0; i < count; i++) {
		fd[i] = connected(port);
		send_all(fd[i], &i, sizeof(i));
	}
	for (uint32_t i = 0; i < count; i++) {
		ssize_t n = recv(fd[i], &got, sizeof(got), MSG_WAITALL);

		must(n == sizeof(got) && got == i, "answer");
	}
	printf("%u at once\n", count);
}

static void flood(unsigned port, uint64_t bytes)
{
	int fd = connected(port);
	char last;

	for (uint64_t done = 0; done < bytes;) {
		uint64_t n = bytes - done < CHUNK ? bytes - done : CHUNK;

		send_all(fd, pattern + done % PERIOD, n);
		done += n;
	}
	must(!shutdown(fd, SHUT_WR), "shutdown");
	must(read(fd, &last, 1) == 0, "end");
	say("sent");
}

static void drain(unsigned port)
{
	static uint8_t buffer[CHUNK];
	int fd = connected(port);
	uint64_t done = 0;
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		if (memcmp(buffer, pattern + done % PERIOD, (size_t)n) != 0) {
			printf("wrong at %llu\n", (unsigned long long)done);
			return;
		}
		done += (uint64_t)n;
	}
	must(n == 0, "read");
	printf("got %llu\n", (unsigned long long)done);
}

/* An echo of the host's, full both ways: one thread writes, another reads. */

struct talk {
	int fd;
	uint64_t bytes;
	pthread_t writer, reader;
};

static void *write_all(void *arg)
{
	struct talk *t = arg;

	for (uint64_t done = 0; done < t->bytes;) {
		uint64_t n = t->bytes - done < CHUNK ? t->bytes - done : CHUNK;

		send_all(t->fd, pattern + done % PERIOD, n);
		done += n;
	}
	must(!shutdown(t->fd, SHUT_WR), "shutdown");
	return NULL;
}

static void *read_all(void *arg)
{
	struct talk *t = arg;
	uint8_t *buffer = malloc(CHUNK);
	uint64_t done = 0;
	ssize_t n;

	must(buffer != NULL, "malloc");
	while ((n = read(t->fd, buffer, CHUNK)) > 0) {
		if (memcmp(buffer, pattern + done % PERIOD, (size_t)n) != 0)
			break;
		done += (uint64_t)n;
	}
	free(buffer);
	must(n == 0 && done == t->bytes, "what came back");
	return NULL;
}

/* COUNT such connections, each with two threads of its own. */
static void talks(unsigned port, unsigned count)
{
	struct talk *t = calloc(count, sizeof(*t));

	must(t != NULL, "calloc");
	for (unsigned i = 0; i < count; i++) {
		t[i].fd = connected(port);
		t[i].bytes = (1u << 20) + i;
		must(!pthread_create(&t[i].writer, NULL, write_all, &t[i]) &&
			     !pthread_create(&t[i].reader, NULL, read_all,
					     &t[i]),
		     "pthread_create");
	}
	for (unsigned i = 0; i < count; i++) {
		must(!pthread_join(t[i].writer, NULL) &&
			     !pthread_join(t[i].reader, NULL),
		     "pthread_join");
		close(t[i].fd);
	}
	free(t);
	say("all came back");
}

/* Read to the end, as fast as it comes. */
static void sink(unsigned port)
{
	static uint8_t buffer[4 * CHUNK];
	int fd = connected(port);

	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
}

/* Which half ends first: what is sent after the other side has ended its half
 * still arrives. */
static void half(unsigned port)
{
	char buffer[64] = "";
	int fd = connected(port);
	ssize_t n;

	send_all(fd, "question", 8);
	must(!shutdown(fd, SHUT_WR), "shutdown");
	must(write(fd, "x", 1) < 0 && errno == EPIPE, "EPIPE");
	n = recv(fd, buffer, sizeof(buffer), MSG_WAITALL);
	printf("got %zd %s\n", n, buffer);
	close(fd);
	fd = connected(port);
	n = recv(fd, buffer, sizeof(buffer), MSG_WAITALL); /* to its end */
	must(n == 5, "end");
	send_all(fd, "answer", 6);
	close(fd);
	say("done");
}

/* What the host's close looks like at every step. */
static void closed(unsigned port)
{
	struct pollfd p = {.events = POLLIN | POLLOUT | POLLRDHUP};
	char buffer[8];

	p.fd = connected(port);
	while (!(p.revents & POLLRDHUP))
		must(poll(&p, 1, 5000) == 1, "poll");
	printf("read %zd", read(p.fd, buffer, sizeof(buffer)));
	while (write(p.fd, buffer, sizeof(buffer)) > 0)
		usleep(1000);
	printf(" write %s\n", strerror(errno));
	fflush(stdout);
	close(p.fd);
}

static void tell(const char *what, long result)
{
	if (result < 0)
		printf("%s: %s\n", what, strerror(errno));
	else
		printf("%s: %ld\n", what, result);
}

/* A refusal that came before connect() looked is told at once. */
static int error_of_connect(int fd)
{
	int error = -1;
	socklen_t bytes = sizeof(error);
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (!try_connect(fd, VMADDR_CID_HOST, 9))
		return 0;
	if (errno != EINPROGRESS)
		return errno;
	if (poll(&p, 1, 5000) != 1 ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes) < 0)
		return -1;
	return error;
}

static void tell_refusals(void)
{
	int fd = new_socket();

	tell("refused", try_connect(fd, VMADDR_CID_HOST, 9));
	tell("again", try_connect(fd, VMADDR_CID_HOST, 9));
	tell("no such machine", try_connect(fd, 77, 9));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	printf("not waiting: %s\n", strerror(error_of_connect(fd)));
	close(fd);
}

static void tell_names(unsigned cid)
{
	int fd = new_socket(), other = new_socket();
	struct sockaddr_vm at;
	socklen_t bytes = sizeof(at);

	tell("not here", try_bind(fd, 99, 50));
	tell("bind", try_bind(fd, cid, 50));
	tell("twice", try_bind(fd, cid, 51));
	tell("in use", try_bind(other, VMADDR_CID_ANY, 50));
	tell("name", getsockname(fd, (struct sockaddr *)&at, &bytes));
	printf("is %u:%u, %u bytes\n", at.svm_cid, at.svm_port, bytes);
	tell("no peer", getpeername(fd, (struct sockaddr *)&at, &bytes));
	tell("any port", try_bind(other, VMADDR_CID_ANY, VMADDR_PORT_ANY));
	bytes = 8;
	tell("short", bind(other, (struct sockaddr *)&at, bytes));
	close(fd);
	close(other);
}

static void tell_states(void)
{
	int fd = new_socket();
	char c = 0;

	tell("send", send(fd, &c, 1, 0));
	tell("recv", recv(fd, &c, 1, 0));
	tell("listen", listen(fd, 5));
	tell("accept", accept(fd, NULL, NULL));
	tell("shutdown", shutdown(fd, SHUT_RDWR));
	tell("pair", socketpair(AF_VSOCK, SOCK_STREAM, 0, (int[2]){0}));
	tell("datagrams", socket(AF_VSOCK, SOCK_RAW, 0));
	tell("protocol", socket(AF_VSOCK, SOCK_STREAM, 6));
	close(fd);
}

static void tell_options(void)
{
	int fd = new_socket();
	unsigned long long size = 1 << 20, got = 0;
	struct timeval t = {.tv_sec = 1};
	socklen_t bytes = sizeof(got);

	tell("get",
	     getsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &got, &bytes));
	printf("%llu\n", got);
	tell("max", setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_MAX_SIZE,
			       &size, sizeof(size)));
	tell("set", setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &size,
			       sizeof(size)));
	tell("get",
	     getsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_BUFFER_SIZE, &got, &bytes));
	printf("%llu\n", got);
	tell("timeout", setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT,
				   &t, sizeof(t)));
	tell("nodelay", setsockopt(fd, 6, 1, &(int){1}, sizeof(int)));
	close(fd);
}

static void calls(void)
{
	int dev = open("/dev/vsock", O_RDONLY);
	unsigned cid = VMADDR_CID_ANY;

	if (dev >= 0)
		tell("cid", ioctl(dev, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid));
	else
		tell("/dev/vsock", dev);
	printf("is %u\n", cid);
	tell_names(cid);
	tell_states();
	tell_options();
	tell_refusals();
}

/* Within the VM. */
static void local(void)
{
	int at = listener(70, 1), from = new_socket(), to;
	struct sockaddr_vm name;
	socklen_t bytes = sizeof(name);
	char buffer[16] = "";

	must(!try_connect(from, VMADDR_CID_LOCAL, 70), "connect");
	to = accept(at, (struct sockaddr *)&name, &bytes);
	must(to >= 0, "accept");
	printf("from %u\n", name.svm_cid);
	send_all(from, "within", 6);
	must(!shutdown(from, SHUT_WR), "shutdown");
	must(recv(to, buffer, 16, MSG_WAITALL) == 6, "recv");
	printf("%s\n", buffer);
	send_all(to, "back", 4);
	close(to);
	must(recv(from, buffer, 16, MSG_WAITALL) == 4, "recv");
	tell("write", send(from, "x", 1, MSG_NOSIGNAL));
	close(from);
	from = new_socket();
	tell("nobody", try_connect(from, VMADDR_CID_LOCAL, 71));
}

/* Round trips of one byte and a stream each way, timed by the guest. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void ping_on(int fd, unsigned count)
{
	double begin = now();
	char c = 1;

	for (unsigned i = 0; i < count; i++) {
		send_all(fd, &c, 1);
		must(read(fd, &c, 1) == 1, "read");
	}
	printf("%.1f us\n", (now() - begin) * 1e6 / count);
}

static void ping(unsigned port, unsigned count)
{
	ping_on(connected(port), count);
}

/* A socket to another process of the same VM, which sends back what it gets,
 * or only reads it. */
static int loop_socket(bool echoes)
{
	static uint8_t buffer[CHUNK];
	int at = listener(72, 1), fd = new_socket();
	pid_t child = fork();
	ssize_t n;

	must(child >= 0, "fork");
	if (child) {
		must(!try_connect(fd, VMADDR_CID_LOCAL, 72), "connect");
		return fd;
	}
	close(fd);
	fd = accept(at, NULL, NULL);
	must(fd >= 0, "accept");
	while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
		if (echoes)
			send_all(fd, buffer, (size_t)n);
	}
	_exit(0);
}

/* From the first byte until the other side has read the last one. */
static void loop_flood(uint64_t bytes)
{
	int fd = loop_socket(false);
	double begin = now();
	char last;

	for (uint64_t done = 0; done < bytes; done += CHUNK)
		send_all(fd, pattern, CHUNK);
	must(!shutdown(fd, SHUT_WR), "shutdown");
	must(read(fd, &last, 1) == 0, "end");
	printf("%.1f MiB/s\n", (double)bytes / 1048576 / (now() - begin));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	unsigned port = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	uint64_t n = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;

	signal(SIGPIPE, SIG_IGN);
	fill_pattern();
	if (!strcmp(what, "echo"))
		echo(port, (unsigned)n);
	else if (!strcmp(what, "many"))
		many(port, (unsigned)n);
	else if (!strcmp(what, "talks"))
		talks(port, (unsigned)n);
	else if (!strcmp(what, "flood"))
		flood(port, n);
	else if (!strcmp(what, "drain"))
		drain(port);
	else if (!strcmp(what, "sink"))
		sink(port);
	else if (!strcmp(what, "half"))
		half(port);
	else if (!strcmp(what, "closed"))
		closed(port);
	else if (!strcmp(what, "local"))
		local();
	else if (!strcmp(what, "ping"))
		ping(port, (unsigned)n);
	else if (!strcmp(what, "loop-ping"))
		ping_on(loop_socket(true), (unsigned)n);
	else if (!strcmp(what, "loop-flood"))
		loop_flood(n);
	else
		calls();
	return 0;
}
