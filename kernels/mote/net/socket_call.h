/* SPDX-License-Identifier: Apache-2.0 */
/* socket_call.h - from a descriptor to its socket. */
#pragma once
struct file;
struct socket;

/** socket_get() - the socket behind @fd; *@ret_file is referenced, for the
 * caller to unref. 0, -EBADF, -ENOTSOCK. */
int socket_get(int fd, struct file **ret_file, struct socket **ret);
