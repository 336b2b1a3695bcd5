/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - an event loop over epoll, level-triggered. One thread runs it;
 * others may arm and disarm sources and stop it. It owns no fd it is given. */
#pragma once
#include <stdint.h>

struct loop;
struct loop_source;

/** loop_fn - @events: EPOLLIN, EPOLLOUT, ... as armed, plus EPOLLHUP and
 * EPOLLERR. Runs on the loop's thread without any lock of the loop held, so it
 * may take its device's lock and then call loop_set(). A source disarmed by
 * another thread meanwhile is not called any more once its loop_set() has
 * returned, except when the call was already under way. */
typedef void loop_fn(void *arg, uint32_t events);

/** loop_new() - Return: 0 and a loop for loop_free(), or -errno. */
int loop_new(struct loop **ret);
/** loop_free() - frees the sources that are left too; NULL is fine. */
void loop_free(struct loop *loop);

/** loop_add() - watch @fd; @events may be 0 (not armed yet). The source is
 * valid until loop_remove() or loop_free(); @fd must stay open as long.
 * Return: 0; -EPERM: the fd cannot be polled (a regular file); -errno. */
int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *arg,
	     struct loop_source **ret);
/** loop_set() - arm for exactly @events, from any thread. 0 disarms: then not
 * even EPOLLHUP wakes the loop. Return: 0 or -errno of epoll_ctl(2). */
int loop_set(struct loop_source *src, uint32_t events);
/** loop_remove() - forget a source; NULL is fine. On the loop's thread (also
 * inside a callback) or while the loop does not run. */
void loop_remove(struct loop_source *src);

/** loop_run() - call back until loop_stop(). Return: 0, or -errno of
 * epoll_wait(2). */
int loop_run(struct loop *loop);
/** loop_stop() - end loop_run() after the callback in progress; any thread,
 * also before loop_run() started. */
void loop_stop(struct loop *loop);
