/* SPDX-License-Identifier: Apache-2.0 */
/* fdtable.h - descriptor numbers of a task. Two bit sets find the lowest free
 * number and what to close at exec in a few instructions. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct file;
struct files;

/** files_new() - an empty table; NULL: no memory. */
struct files *files_new(void);
/** fd_install() - the lowest free number from @from on; the table takes over
 * the caller's reference, also on failure.
 * Return: number, -EMFILE, -ENOMEM, -EINVAL (@from past the limit). */
int fd_install(struct file *f, int from, bool cloexec);
/** fd_install_at() - at exactly @fd; what is there is closed. Takes over the
 * reference, also on failure. Return: @fd, -EBADF past the limit, -ENOMEM. */
int fd_install_at(struct file *f, int fd, bool cloexec);
/** fd_close() - 0 or -EBADF. */
int fd_close(int fd);
/** fd_cloexec()/fd_set_cloexec() - of an open descriptor. */
bool fd_cloexec(int fd);
void fd_set_cloexec(int fd, bool on);
/** fd_next() - the first open descriptor >= @fd; -1: none. */
int fd_next(int fd);
