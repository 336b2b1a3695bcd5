/* SPDX-License-Identifier: Apache-2.0 */
/* socket.h - what the cases of sockets share. */
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

/** un_name() - an AF_UNIX address; a leading '@' stands for NUL. Returns its
 * length. */
socklen_t un_name(struct sockaddr_un *un, const char *path);
/** in_name() - 127.0.0.1 and a port; in6_name() - ::1. */
struct sockaddr_in in_name(in_port_t port);
struct sockaddr_in6 in6_name(in_port_t port);
/** own_port() - the port that a socket is bound to. */
in_port_t own_port(int fd);
/** say_name() - a socket address; ports above 32767 as "free". */
void say_name(const char *what, const void *addr, socklen_t bytes);
/** say_names() - getsockname and getpeername of @fd. */
void say_names(int fd);
/** say_poll() - the events of @fd, now. */
void say_poll(int fd);
/** say_error() - SO_ERROR of @fd. */
void say_error(int fd);
/** tcp_pair() - a connection over loopback, without a word: @fd[0] connected,
 * @fd[1] accepted. */
void tcp_pair(int fd[2]);
