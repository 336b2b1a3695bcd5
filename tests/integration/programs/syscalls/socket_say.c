/* SPDX-License-Identifier: Apache-2.0 */
/* socket_say.c - helpers of the cases of sockets. */
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"

socklen_t un_name(struct sockaddr_un *un, const char *path)
{
	size_t bytes = offsetof(struct sockaddr_un, sun_path) + strlen(path);

	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, strlen(path));
	if (*path != '@')
		return (socklen_t)bytes + 1;
	un->sun_path[0] = '\0';
	return (socklen_t)bytes;
}

struct sockaddr_in in_name(in_port_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

struct sockaddr_in6 in6_name(in_port_t port)
{
	return (struct sockaddr_in6){
		.sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_LOOPBACK_INIT,
	};
}

in_port_t own_port(int fd)
{
	struct sockaddr_in6 a;
	socklen_t bytes = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &bytes))
		return 0;
	return ntohs(a.sin6_port); /* at the same place in both families */
}

static const char *port_text(unsigned port)
{
	static char text[16];

	if (port > 32767)
		return "free";
	snprintf(text, sizeof(text), "%u", port);
	return text;
}

void say_name(const char *what, const void *addr, socklen_t bytes)
{
	const struct sockaddr_in *in = addr;
	const struct sockaddr_in6 *in6 = addr;
	const struct sockaddr_un *un = addr;
	char text[INET6_ADDRSTRLEN];

	if (bytes < 2) {
		say("%s: none (%u)", what, bytes);
	} else if (in->sin_family == AF_INET) {
		say("%s: %u: %s port %s", what, bytes,
		    inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)),
		    port_text(ntohs(in->sin_port)));
	} else if (in->sin_family == AF_INET6) {
		say("%s: %u: %s port %s", what, bytes,
		    inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)),
		    port_text(ntohs(in6->sin6_port)));
	} else if (bytes > 2 && !un->sun_path[0]) {
		say("%s: %u: abstract %.*s", what, bytes, (int)bytes - 3,
		    un->sun_path + 1);
	} else {
		say("%s: %u: family %u %.*s", what, bytes, un->sun_family,
		    bytes > 2 ? (int)bytes - 2 : 0, un->sun_path);
	}
}

void say_names(int fd)
{
	struct sockaddr_storage a;
	socklen_t bytes = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &bytes))
		say("own: %s", strerrorname_np(errno));
	else
		say_name("own", &a, bytes);
	bytes = sizeof(a);
	if (getpeername(fd, (struct sockaddr *)&a, &bytes))
		say("peer: %s", strerrorname_np(errno));
	else
		say_name("peer", &a, bytes);
}

void say_poll(int fd)
{
	struct pollfd p = {fd, 0x7fff, 0};

	poll(&p, 1, 0);
	say("poll %d: %#x", fd, p.revents);
}

void say_error(int fd)
{
	int error = -1;
	socklen_t bytes = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
	say("SO_ERROR %d: %s", fd, error ? strerrorname_np(error) : "none");
}

void tcp_pair(int fd[2])
{
	struct sockaddr_in a = in_name(0);
	socklen_t bytes = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (bind(listener, (struct sockaddr *)&a, bytes) ||
	    listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&a, &bytes))
		exit(1);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(fd[0], (struct sockaddr *)&a, bytes))
		exit(1);
	fd[1] = accept(listener, NULL, NULL);
	close(listener);
}
