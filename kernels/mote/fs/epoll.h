/* SPDX-License-Identifier: Apache-2.0 */
/* epoll.h - what a file owes the epolls that watch it. */
#pragma once

struct file;

/** epoll_forget() - the last reference to @f went: no epoll watches it any
 * more. file_unref() calls it when f->watchers is set. */
void epoll_forget(struct file *f);
