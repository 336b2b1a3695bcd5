/* SPDX-License-Identifier: Apache-2.0 */
/* pty.c - cases of pseudo terminals: both sides' bytes and settings, and who
 * gets the keys' signals. */
#include "say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>

static int master, slave;

static void pty(void)
{
	int unlock = 0;

	master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	ioctl(master, TIOCSPTLCK, &unlock);
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	if (master < 0 || slave < 0)
		say("no pseudo terminal: errno %d", errno);
}

static void get(const char *who, int fd)
{
	char text[256];
	ssize_t n = read(fd, text, sizeof(text));

	if (n < 0)
		say("%s: errno %d", who, errno);
	else
		say_bytes(who, text, n);
}

static void put(int fd, const char *text)
{
	ssize_t n = write(fd, text, strlen(text));

	if (n != (ssize_t)strlen(text))
		say("wrote %zd: errno %d", n, n < 0 ? errno : 0);
}

static void state(const char *what)
{
	struct pollfd p[2] = {{master, POLLIN | POLLOUT, 0},
			      {slave, POLLIN | POLLOUT, 0}};

	usleep(20000); /* Linux moves bytes in its own time */
	poll(p, 2, 0);
	say("%s: master %x, slave %x", what, (unsigned)p[0].revents,
	    (unsigned)p[1].revents);
}

static void test_pty_bytes(void)
{
	pty();
	state("fresh");
	put(master, "one\ntwo\n");
	state("typed");
	get("slave", slave);
	get("slave", slave);
	get("master", master);
	put(slave, "a\nb\tc\n");
	get("master", master);
	put(master, "wrong\x7f\x7fxy\x15gone\x17new\n");
	get("slave", slave);
	put(master, "\x04");
	get("slave", slave);
	put(master, "part\x04");
	get("slave", slave);
	fcntl(slave, F_SETFL, O_NONBLOCK);
	fcntl(master, F_SETFL, O_NONBLOCK);
	get("slave", slave);
	get("master", master);
	get("master", master);
}

static void raw(int vmin, int vtime)
{
	struct termios t;

	tcgetattr(slave, &t);
	cfmakeraw(&t);
	t.c_cc[VMIN] = (cc_t)vmin;
	t.c_cc[VTIME] = (cc_t)vtime;
	say("set: %d", tcsetattr(slave, TCSANOW, &t));
}

static void test_pty_raw(void)
{
	pty();
	raw(1, 0);
	put(master, "x\r\x03");
	get("slave", slave);
	put(slave, "\n\t\n");
	get("master", master);
	raw(0, 0);
	get("slave", slave);
	raw(0, 1);
	get("slave", slave);
	put(master, "y");
	get("slave", slave);
	raw(3, 0);
	put(master, "12");
	state("two of three");
	put(master, "34");
	state("four of three");
	get("slave", slave);
}

static void test_pty_ioctl(void)
{
	struct winsize w = {.ws_row = 5, .ws_col = 6, .ws_xpixel = 7};
	struct termios t;
	int n = -1;

	pty();
	S(ioctl, master, TIOCGPTLCK, &n);
	say("locked %d", n);
	S(ioctl, slave, TIOCGWINSZ, &w);
	say("size %d %d %d", w.ws_row, w.ws_col, w.ws_xpixel);
	w = (struct winsize){.ws_row = 5, .ws_col = 6, .ws_xpixel = 7};
	S(ioctl, master, TIOCSWINSZ, &w);
	w.ws_row = 0;
	S(ioctl, slave, TIOCGWINSZ, &w);
	say("size %d %d %d", w.ws_row, w.ws_col, w.ws_xpixel);
	S(ioctl, slave, TCGETS, &t);
	say("iflag %o oflag %o cflag %o lflag %o", t.c_iflag, t.c_oflag,
	    t.c_cflag, t.c_lflag);
	put(master, "abc\n");
	usleep(20000);
	S(ioctl, slave, FIONREAD, &n);
	say("to read %d", n);
	S(ioctl, master, FIONREAD, &n);
	say("to read %d", n);
	S(ioctl, slave, TCFLSH, TCIOFLUSH);
	S(ioctl, slave, TIOCGPTN, &n);
	S(ioctl, slave, TIOCGPGRP, &n);
	S(ioctl, slave, TIOCGSID, &n);
	S(ioctl, slave, 0x5499, 0);
	S(ioctl, slave, TCGETS, BAD);
	S(lseek, slave, 0, SEEK_CUR);
}

static void test_pty_packets(void)
{
	int on = 1;

	pty();
	S(ioctl, master, TIOCPKT, &on);
	put(slave, "text");
	get("master", master);
}

static void test_pty_ends(void)
{
	pty();
	put(slave, "last words");
	close(slave);
	state("slave closed");
	get("master", master);
	get("master", master);
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	state("and opened");
	put(master, "unread\n");
	close(master);
	get("slave", slave);
	put(slave, "x");
	state("master closed");
}

/* A child whose terminal it is; keys and sizes reach it. */
static void session(void)
{
	sigset_t set;
	int n = -1;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setsid();
	if (open("/dev/tty", O_RDWR) >= 0)
		say("a terminal before it has one");
	if (ioctl(slave, TIOCSCTTY, 0))
		say("not its terminal: errno %d", errno);
	ioctl(slave, TIOCGPGRP, &n);
	say("foreground: %s", n == getpid() ? "its own" : "another");
	n = open("/dev/tty", O_RDWR);
	put(n, "ready\n");
	if (!sigwait(&set, &n) && n == SIGINT)
		put(slave, "INT\n");
	if (!sigwait(&set, &n) && n == SIGWINCH)
		put(slave, "WINCH\n");
	_exit(3);
}

static void test_pty_session(void)
{
	struct winsize w = {.ws_row = 9, .ws_col = 9};
	int status = 0;
	pid_t child;

	pty();
	child = fork();
	if (!child)
		session();
	get("master", master);
	put(master, "\x03");
	usleep(50000);
	get("master", master);
	S(ioctl, master, TIOCSWINSZ, &w);
	waitpid(child, &status, 0);
	say("child ended with %x", (unsigned)status);
	get("master", master);
}

const struct group pty_groups[] = {
	{"pty_bytes", test_pty_bytes},
	{"pty_raw", test_pty_raw},
	{"pty_ioctl", test_pty_ioctl},
	{"pty_packets", test_pty_packets},
	{"pty_ends", test_pty_ends},
	{"pty_session", test_pty_session},
	{NULL, NULL},
};
