/* SPDX-License-Identifier: Apache-2.0 */
/* streams.c - the program's standard streams. A port of the console is no pipe
 * and no terminal: it has one opener, and a write to a closed one waits for
 * ever. So the program gets real ones, and process 1 moves the bytes.
 *
 *	program 0 <-- pipe <-- port "stdin"        or, all that are terminals:
 *	program 1 --> pipe --> port "stdout"       slave <--> master <--> ports
 *	program 2 --> pipe --> port "stderr" */
#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/termios.h>
#include <linux/fcntl.h>

#include "kernels/linux/init/init.h"
#include "kernels/linux/init/sys.h"

#define PORTS      "/sys/class/virtio-ports/"
#define PORTS_WAIT 10000 /* times 1 ms: a busy machine under emulation */
#define OPEN_WAIT  100   /* times 1 ms */
#define EAGAIN     11
#define EINTR      4

struct dirent { /* getdents64(2) */
	uint64_t ino;
	int64_t off;
	uint16_t bytes;
	uint8_t type;
	char name[];
};

/** is_port() - does the directory of a port say that it is called @name? */
static bool is_port(const char *entry, const char *name)
{
	char path[128], said[32];
	long n;

	text_join(path, sizeof(path),
		  (const char *const[]){PORTS, entry, "/name", NULL});
	n = text_file(path, said, sizeof(said));
	if (n <= 0)
		return false;
	if (said[n - 1] == '\n')
		said[n - 1] = '\0';
	return text_same(said, name);
}

/** find_port() - open the port @name, if it is there by now. */
static int find_port(const char *name, int flags)
{
	static _Alignas(8) char list[2048];
	long dir = sys_open(PORTS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	long bytes, fd = -1;
	char path[64];

	if (dir < 0)
		return -1;
	bytes = sys3(__NR_getdents64, dir, list, sizeof(list));
	sys_close((int)dir);
	for (long at = 0; fd < 0 && at < bytes;) {
		const struct dirent *e = (const struct dirent *)(list + at);

		at += e->bytes;
		if (e->name[0] == '.' || !is_port(e->name, name))
			continue;
		text_join(path, sizeof(path),
			  (const char *const[]){"/dev/", e->name, NULL});
		fd = sys_open(path, flags | O_NONBLOCK | O_CLOEXEC);
	}
	return (int)fd;
}

static long poll_fds(struct pollfd *fds, unsigned count, int ms)
{
	return sys3(__NR_poll, fds, count, ms);
}

/** await_open() - the host's word on whether its end is open follows the
 * port's name at once; no word in time means that it is closed. */
static void await_open(int fd)
{
	for (int i = 0; i < OPEN_WAIT; i++) {
		struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT};

		poll_fds(&p, 1, 0);
		if (!(p.revents & POLLHUP) || p.revents & POLLIN)
			return;
		nap(ONE_MS_NS);
	}
}

static int open_port(const char *name, int flags)
{
	for (int i = 0; i < PORTS_WAIT; i++) {
		int fd = find_port(name, flags);

		if (fd >= 0) {
			await_open(fd);
			return fd;
		}
		nap(ONE_MS_NS);
	}
	fail("find the console's port", name, 0);
}

static void set_size(int master, uint32_t size)
{
	const struct winsize to = {.ws_row = (uint16_t)(size >> 16),
				   .ws_col = (uint16_t)size};

	sys3(__NR_ioctl, master, TIOCSWINSZ, &to);
}

/** open_terminal() - a pseudoterminal. @ret_slave: the program's end. */
static int open_terminal(const struct runblock *block, int *ret_slave)
{
	long master = sys_open("/dev/ptmx",
			       O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	int unlock = 0;
	long slave;

	if (master < 0)
		fail("open", "/dev/ptmx", master);
	sys3(__NR_ioctl, master, TIOCSPTLCK, &unlock);
	set_size((int)master,
		 (uint32_t)block->tty_rows << 16 | block->tty_cols);
	slave = sys3(__NR_ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	if (slave < 0)
		fail("open", "the terminal", slave);
	sys3(__NR_fchown, slave, block->uid, block->gid);
	*ret_slave = (int)slave;
	return (int)master;
}

static void connect_pipe(struct streams *s, int n, int port, uint32_t uid,
			 uint32_t gid)
{
	struct pump *p = &s->pump[n];
	int end[2] = {-1, -1};
	long err = sys2(__NR_pipe2, end, O_CLOEXEC);
	int ours = n ? end[0] : end[1];

	if (err)
		fail("make", "a pipe", err);
	s->program[n] = n ? end[1] : end[0];
	sys3(__NR_fcntl, ours, F_SETFL, O_NONBLOCK);
	sys3(__NR_fchown, ours, uid, gid);
	p->from = n ? ours : port;
	p->to = n ? port : ours;
}

static long duplicate(int fd)
{
	return sys3(__NR_fcntl, fd, F_DUPFD_CLOEXEC, 3);
}

/** connect_terminal() - the first stream that is one makes it; its output goes
 * to the first of stdout and stderr that is one. */
static void connect_terminal(struct streams *s, int n, int port,
			     const struct runblock *block)
{
	static int slave;
	static bool output;
	struct pump *p = &s->pump[n];

	if (s->master < 0)
		s->master = open_terminal(block, &slave);
	s->tty = true;
	s->program[n] = (int)duplicate(slave);
	if (n && output)
		return;
	output |= n > 0;
	p->from = n ? (int)duplicate(s->master) : port;
	p->to = n ? port : (int)duplicate(s->master);
}

void streams_open(struct streams *s, const struct runblock *block)
{
	static const char *const names[] = {"stdin", "stdout", "stderr"};

	s->master = -1;
	for (int n = 0; n < 3; n++) {
		unsigned kind = block->stream[n];
		int port;

		s->program[n] = s->pump[n].from = s->pump[n].to = -1;
		if (kind == RUNBLOCK_STREAM_NULL)
			s->program[n] =
				(int)sys_open("/dev/null", O_RDWR | O_CLOEXEC);
		if (kind != RUNBLOCK_STREAM_PIPE && kind != RUNBLOCK_STREAM_TTY)
			continue;
		port = open_port(names[n], n ? O_WRONLY : O_RDONLY);
		if (kind == RUNBLOCK_STREAM_TTY)
			connect_terminal(s, n, port, block);
		else
			connect_pipe(s, n, port, block->uid, block->gid);
	}
}

void streams_resize(const struct streams *s, uint32_t size)
{
	if (s->master >= 0 && size)
		set_size(s->master, size);
}

void streams_close_program(struct streams *s)
{
	for (int n = 0; n < 3; n++) {
		if (s->program[n] >= 0)
			sys_close(s->program[n]);
	}
}

/** stop_pump() - its end is reached, or nobody is there any more: both sides
 * are told by closing. */
static void stop_pump(struct pump *p)
{
	if (p->from >= 0)
		sys_close(p->from);
	if (p->to >= 0)
		sys_close(p->to);
	p->from = p->to = -1;
	p->used = 0;
}

static bool later(long n)
{
	return n == -EAGAIN || n == -EINTR;
}

/** move() - as far as it goes without waiting. Return: did anything move? */
static bool move(struct pump *p)
{
	bool moved = false;

	while (p->from >= 0) {
		long n;

		if (!p->used) {
			p->at = 0;
			n = sys_read(p->from, p->buffer, sizeof(p->buffer));
		} else {
			n = sys_write(p->to, p->buffer + p->at, p->used);
		}
		if (later(n))
			break;
		if (n <= 0) {
			stop_pump(p);
			break;
		}
		moved = true;
		if (!p->used) {
			p->used = (size_t)n;
		} else {
			p->at += (size_t)n;
			p->used -= (size_t)n;
		}
	}
	return moved;
}

/** fill() - what to wait for. A port whose other end is gone never takes
 * anything: that is seen as a hang-up while we wait to write to it. */
static void fill(const struct pump *p, struct pollfd *ret)
{
	*ret = (struct pollfd){
		.fd = p->used ? p->to : p->from,
		.events = p->used ? POLLOUT : POLLIN,
	};
}

static void look(struct pump *p, const struct pollfd *was)
{
	if (p->used && was->revents & (POLLHUP | POLLERR) &&
	    !(was->revents & POLLOUT))
		stop_pump(p);
	else if (was->revents)
		move(p);
}

void streams_wait(struct streams *s, int signal_fd, int ms)
{
	struct pollfd fds[4] = {{.fd = signal_fd, .events = POLLIN}};

	for (;;) {
		for (int n = 0; n < 3; n++)
			fill(&s->pump[n], &fds[1 + n]);
		if (poll_fds(fds, 4, ms) <= 0)
			return;
		for (int n = 0; n < 3; n++)
			look(&s->pump[n], &fds[1 + n]);
		if (fds[0].revents || ms >= 0)
			return;
	}
}

void streams_drain(struct streams *s)
{
	for (int n = 1; n < 3; n++) {
		struct pump *p = &s->pump[n];
		struct pollfd out;

		while (move(p) || p->used) {
			if (!p->used)
				continue;
			fill(p, &out);
			poll_fds(&out, 1, -1);
			look(p, &out);
		}
	}
}
