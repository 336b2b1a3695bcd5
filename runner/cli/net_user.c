/* SPDX-License-Identifier: Apache-2.0 */
/* net_user.c - see net_user.h. Trusts: passt as far as the user's own sockets
 * go; what it says in its socket is the device's to check. */
#include "runner/cli/net_user.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "runner/cli/problem.h"
#include "runner/cli/strlist.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PROGRAM     "passt"
#define PASST_FD    3 /* its end of the socket */
#define READY_NS    (10 * NS_PER_SEC)
#define ARP_FRAME   42u
#define WORDS_BYTES 512u
#define ROOM_BYTES  (2 << 20) /* in the socket, each way; a window of TCP's */

/* The calls that change an argument list until the first of them fails. */
static int put(struct strlist *args, const char *a, const char *b)
{
	int err = strlist_add(args, a);

	return err || !b ? err : strlist_add(args, b);
}

static int put_addr(struct strlist *args, const char *option,
		    const struct net_addr *addr)
{
	char text[INET6_ADDRSTRLEN];

	return put(args, option, net_addr_text(addr, text));
}

/** put_published() - "-t ADDR/HOSTPORT:GUESTPORT", or -u. */
static int put_published(struct strlist *args, const struct net_publish *p)
{
	char addr[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];

	(void)snprintf(text, sizeof(text), "%s/%u:%u",
		       net_addr_text(&p->host, addr), p->host_port,
		       p->guest_port);
	return put(args, p->protocol == NET_UDP ? "-u" : "-t", text);
}

/** put_all() - passt(1). No port of the host is the guest's unless published,
 * and the gateway is not the host. */
static int put_all(struct strlist *args, const struct net_option *o,
		   uint32_t mtu)
{
	char text[16];
	int err = put(args, PROGRAM, "-f");

	(void)snprintf(text, sizeof(text), "%d", PASST_FD);
	if (!err)
		err = put(args, "-F", text);
	if (!err)
		err = put(args, "-4", "--no-map-gw");
	if (!err)
		err = put_addr(args, "-a", &o->own[0].addr);
	(void)snprintf(text, sizeof(text), "%u", o->own[0].bits - 96u);
	if (!err)
		err = put(args, "-n", text);
	if (!err)
		err = put_addr(args, "-g", &o->gateway);
	if (!err)
		err = put_addr(args, "--dns-forward", &o->resolver[0]);
	(void)snprintf(text, sizeof(text), "%u", mtu);
	if (!err)
		err = put(args, "-m", text);
	for (uint32_t i = 0; i < o->publish_count && !err; i++)
		err = put_published(args, &o->publish[i]);
	return err;
}

/** become_passt() - the child: nothing of ours but its socket and a pipe for
 * its words. Returns only on failure. */
static void become_passt(const char *path, char **argv, int sock, int words)
{
	char *const envp[] = {NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* It goes on talking when nobody listens any more. */
	(void)signal(SIGPIPE, SIG_IGN);
	/* A key at the terminal is not for it. */
	if (setpgid(0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return;
	if (dup2(words, STDOUT_FILENO) < 0 || dup2(words, STDERR_FILENO) < 0)
		return;
	if (sock == PASST_FD ? fd_set_cloexec(sock, false) < 0
			     : dup2(sock, PASST_FD) < 0)
		return;
	if (syscall(SYS_close_range, PASST_FD + 1, ~0u, 0) < 0)
		return; /* every fd of ours would close by itself, too */
	execve(path, argv, envp);
}

/** last_words() - what passt said last, as it gives up. */
static void last_words(int words, char *ret)
{
	char text[WORDS_BYTES * 8];
	ssize_t n = read(words, text, sizeof(text) - 1);
	char *line, *save, *last = NULL;

	text[n > 0 ? n : 0] = '\0';
	for (line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		if (!strstr(line, "syslog"))
			last = line;
	}
	(void)snprintf(ret, WORDS_BYTES, "%.*s", (int)WORDS_BYTES - 1,
		       last ? last : "it said nothing");
}

/** ask() - who has the gateway's address? */
static int ask(int sock, const struct net_option *o, const uint8_t mac[6])
{
	static const uint8_t kind[] = {0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1};
	uint8_t msg[4 + ARP_FRAME] = {[3] = ARP_FRAME};
	uint8_t *arp = msg + 4;
	ssize_t n;

	memset(arp, 0xff, 6);
	memcpy(arp + 6, mac, 6);
	memcpy(arp + 12, kind, sizeof(kind));
	memcpy(arp + 22, mac, 6);
	memcpy(arp + 28, o->own[0].addr.b + 12, 4);
	memcpy(arp + 38, o->gateway.b + 12, 4);
	/* A new socket takes all of it. There may be no passt any more: its
	 * last words say why. */
	n = send(sock, msg, sizeof(msg), MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	return n == (ssize_t)sizeof(msg) ? 0 : -EPIPE;
}

/** wait_for() - @sock has something to read. Return: 0, -ETIMEDOUT, -errno. */
static int wait_for(int sock, uint64_t until_ns)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};

	for (;;) {
		uint64_t now = clock_now_ns();
		int n;

		if (now >= until_ns)
			return -ETIMEDOUT;
		n = poll(&p, 1, (int)((until_ns - now) / NS_PER_MS) + 1);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/** read_some() - @bytes of a frame. */
static int read_some(int sock, void *dst, uint32_t bytes, uint64_t until_ns)
{
	uint8_t *at = dst;

	while (bytes) {
		int err = wait_for(sock, until_ns);
		ssize_t n;

		if (err)
			return err;
		n = recv(sock, at, bytes, 0);
		if (n <= 0)
			return n ? -errno : -EPIPE;
		at += n;
		bytes -= (uint32_t)n;
	}
	return 0;
}

/** wait_ready() - until passt answers as the gateway: then it is locked in, and
 * all ports are open. What else it says before is skipped, frame by frame. */
static int wait_ready(int sock, const struct net_option *o,
		      const uint8_t mac[6])
{
	uint64_t until_ns = clock_now_ns() + READY_NS;
	uint8_t frame[2048];
	int err = ask(sock, o, mac);

	while (!err) {
		uint32_t length;

		err = read_some(sock, &length, sizeof(length), until_ns);
		if (err)
			break;
		length = ntohl(length);
		if (length > sizeof(frame))
			return -EPROTO;
		err = read_some(sock, frame, length, until_ns);
		if (!err && length >= ARP_FRAME && frame[12] == 0x08 &&
		    frame[13] == 0x06)
			return 0;
	}
	return err;
}

static int start(const char *path, const struct strlist *args, int sock,
		 int words, pid_t *ret_pid)
{
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		become_passt(path, args->item, sock, words);
		_exit(127);
	}
	*ret_pid = pid;
	return 0;
}

void net_user_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int find(char **ret_path, struct problem *why)
{
	static const char *const places[] = {"/usr/bin/" PROGRAM,
					     "/usr/local/bin/" PROGRAM,
					     "/bin/" PROGRAM};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (access(places[i], X_OK) < 0)
			continue;
		*ret_path = strdup(places[i]);
		if (*ret_path)
			return 0;
	}
	return problem_set(why, EXIT_AMPOULE,
			   "--net user needs the program passt, which is not "
			   "there: 'apt-get install passt'");
}

/** make_room() - passt throws away what its socket does not take, and waits for
 * the guest's TCP to miss it. An unprivileged user gets what wmem_max allows.
 */
static void make_room(int sock)
{
	int bytes = ROOM_BYTES;

	if (setsockopt(sock, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		(void)setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &bytes,
				 sizeof(bytes));
}

int net_user_start(const struct net_option *o, const uint8_t mac[6],
		   uint32_t mtu, int *ret_fd, pid_t *ret_pid,
		   struct problem *why)
{
	cleanup_strlist struct strlist args = {0};
	cleanup_free char *path = NULL;
	cleanup_fd int ours = -1, theirs = -1, hear = -1, say = -1;
	char text[WORDS_BYTES];
	int pair[2], err = find(&path, why);
	pid_t pid = 0;

	if (err)
		return err;
	err = put_all(&args, o, mtu);
	if (!err && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		err = -errno;
	if (err)
		goto out;
	ours = pair[0];
	theirs = pair[1];
	make_room(ours);
	make_room(theirs);
	/* Nobody reads its later words: they must neither stop nor end it. */
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0) {
		err = -errno;
		goto out;
	}
	hear = pair[0];
	say = pair[1];
	err = start(path, &args, theirs, say, &pid);
	if (err)
		goto out;
	cleanup_fd_run(&theirs);
	theirs = -1;
	cleanup_fd_run(&say);
	say = -1;
	err = wait_ready(ours, o, mac);
	if (err) {
		last_words(hear, text);
		net_user_stop(pid);
		return problem_set(why, EXIT_AMPOULE,
				   "--net user: passt does not start: %s",
				   text);
	}
	err = fd_set_nonblock(ours, true);
	if (err)
		net_user_stop(pid);
out:
	if (err) /* NOLINT: cleanup frees */
		return problem_set(why, EXIT_AMPOULE,
				   "--net user: cannot start passt: %s",
				   error_text(err));
	*ret_pid = pid;
	*ret_fd = steal_fd(&ours);
	return 0;
}
