/* SPDX-License-Identifier: Apache-2.0 */
/* fdtable.h - descriptor numbers of a task. Two bit sets find the lowest free
 * number and what to close at exec in a few instructions. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct file;
struct files;

/** files_new() - an empty table, one reference; NULL: no memory. */
struct files *files_new(void);
/** files_copy() - a table with the same open files, one reference; NULL: no
 * memory. */
struct files *files_copy(const struct files *from);
void files_ref(struct files *t);
/** files_unref() - with the last reference all descriptors are closed. */
void files_unref(struct files *t); /* NULL is fine */
/** files_shared() - has somebody else a reference? */
bool files_shared(const struct files *t);
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
/** files_next()/files_get() - the same and file_get(), in the table of any
 * process; NULL has none open. */
int files_next(const struct files *t, int fd);
struct file *files_get(const struct files *t, int fd);
/** files_cap() - how many numbers the table has room for now. */
uint32_t files_cap(const struct files *t);
/** files_cloexec() - fd_cloexec() in the table of any process. */
bool files_cloexec(const struct files *t, int fd);
/** files_limit() - file_limit() of any process; no table: zero. */
void files_limit(const struct files *t, uint64_t *ret_soft, uint64_t *ret_hard);
