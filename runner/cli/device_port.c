/* SPDX-License-Identifier: Apache-2.0 */
/* device_port.c - further ports of the console.
 *
 * A FIFO is opened for both directions, so that neither end has to be there
 * first, and its peers may come and go; it has no end then. Everything else is
 * opened as a shell's '<' and '>>' would. */
#include "runner/cli/device_port.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/plan.h"
#include "runner/cli/device_set.h"
#include "runner/cli/problem.h"
#include "runner/cli/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct port_option {
	struct plan_port port;
	const char *file;
};

/** parse() - Return: NULL or what is wrong. */
static const char *parse(const char *value, struct port_option *ret)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	struct port_option o = {0};
	const char *comma = strchrnul(value, ',');
	size_t len = (size_t)(comma - value);

	if (!len || len >= sizeof(o.port.name) || strspn(value, allowed) < len)
		return "has no name of 1 to 23 letters, digits, '.', '_', '-' "
		       "before the ','";
	memcpy(o.port.name, value, len);
	if (!strncmp(comma, ",in=", 4))
		o.port.in = 1;
	else if (strncmp(comma, ",out=", 5) != 0)
		return "is neither NAME,in=FILE nor NAME,out=FILE";
	o.file = strchr(comma, '=') + 1;
	if (!*o.file)
		return "names no file of the host";
	*ret = o;
	return NULL;
}

const char *port_option_check(const char *value)
{
	struct port_option o = {0};

	return parse(value, &o);
}

static int flags_for(const struct port_option *o, bool fifo)
{
	if (fifo)
		return O_RDWR;
	return o->port.in ? O_RDONLY : O_WRONLY | O_CREAT | O_APPEND;
}

/** open_file() - @o->port.kind is found out. Return: the fd or -errno. */
static int open_file(struct port_option *o)
{
	const int always = O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	cleanup_fd int fd = -1;
	struct stat st;
	/* NOLINTNEXTLINE(clang-analyzer-core.NonNull*): parse() gave a name */
	bool fifo = !stat(o->file, &st) && S_ISFIFO(st.st_mode);

	fd = open(o->file, flags_for(o, fifo) | always, 0666);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode))
		o->port.kind = PLAN_STREAM_FILE;
	else if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode))
		o->port.kind = PLAN_STREAM_NONBLOCK;
	else
		return -EOPNOTSUPP;
	return steal_fd(&fd);
}

static int refuse(const struct port_option *o, int err, struct problem *why)
{
	const char *text = error_text(err);

	if (err == -EOPNOTSUPP || err == -ENXIO)
		text = "it is neither a file nor a FIFO nor a character device";
	return problem_set(why, EXIT_AMPOULE, "--port %s: cannot open %s: %s",
			   o->port.name, o->file, text);
}

/** add_port() - behind those of @dev. */
static int add_port(struct plan_device *dev, int *fd, const char *value,
		    struct problem *why)
{
	struct plan_console *c = &dev->u.console;
	struct port_option o = {0};
	int err;

	(void)parse(value, &o); /* settings have looked at it */
	if (c->count == PLAN_PORTS_MAX)
		return problem_set(why, EXIT_AMPOULE,
				   "--port %s: a VM has at most %u of them",
				   o.port.name, PLAN_PORTS_MAX);
	for (uint64_t i = 0; i < c->count; i++) {
		if (!strcmp(c->port[i].name, o.port.name))
			return problem_set(why, EXIT_AMPOULE,
					   "--port %s: there are two of that "
					   "name; each has its own",
					   o.port.name);
	}
	err = open_file(&o);
	if (err < 0)
		return refuse(&o, err, why);
	fd[c->count] = err;
	c->port[c->count++] = o.port;
	return 0;
}

int device_port_open(struct device_set *set, const struct settings *s,
		     struct problem *why)
{
	struct plan_device dev = {.kind = PLAN_DEVICE_CONSOLE};
	int fd[PLAN_PORTS_MAX] = {-1};
	int err = 0;

	if (!s->ports.count)
		return 0;
	for (size_t i = 0; i < s->ports.count && !err; i++)
		err = add_port(&dev, fd, s->ports.item[i], why);
	if (!err)
		return device_set_add(set, &dev, fd,
				      (uint32_t)dev.u.console.count, why);
	for (uint64_t i = 0; i < dev.u.console.count; i++)
		cleanup_fd_run(&fd[i]);
	return err;
}
