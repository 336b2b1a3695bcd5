/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c - an event loop over epoll.
 *
 * A source that is disarmed is taken out of the epoll set, because epoll
 * reports EPOLLHUP and EPOLLERR whether asked or not. A removed source stays
 * allocated until the loop holds no event that may still point to it. */
#include "base/loop.h"

#include "base/cleanup.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#define LOOP_BATCH 16

struct loop_source {
	struct loop *loop;
	struct loop_source *next, **prev_next;
	loop_fn *fn;
	void *arg;
	int fd;
	uint32_t events; /* 0: not in the epoll set */
	bool removed;
};

struct loop {
	pthread_mutex_t lock; /* lists and loop_source.events */
	struct loop_source *live, *dead;
	int epoll_fd, stop_fd;
	bool stopped; /* the loop's thread only */
};

static void list_push(struct loop_source **head, struct loop_source *src)
{
	src->next = *head;
	src->prev_next = head;
	if (*head)
		(*head)->prev_next = &src->next;
	*head = src;
}

static void list_take(struct loop_source *src)
{
	*src->prev_next = src->next;
	if (src->next)
		src->next->prev_next = src->prev_next;
}

static void list_free(struct loop_source **head)
{
	while (*head) {
		struct loop_source *src = *head;

		*head = src->next;
		free(src);
	}
}

int loop_new(struct loop **ret)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};
	cleanup_fd int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	cleanup_fd int stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	struct loop *loop;

	if (epoll_fd < 0 || stop_fd < 0)
		return -errno;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, stop_fd, &ev) < 0)
		return -errno;
	loop = calloc(1, sizeof(*loop));
	if (!loop)
		return -ENOMEM;
	pthread_mutex_init(&loop->lock, NULL);
	loop->epoll_fd = steal_fd(&epoll_fd);
	loop->stop_fd = steal_fd(&stop_fd);
	*ret = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	list_free(&loop->live);
	list_free(&loop->dead);
	close(loop->epoll_fd);
	close(loop->stop_fd);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

/** source_arm() - bring the epoll set to @events. Lock held. */
static int source_arm(struct loop_source *src, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = src};
	int op = EPOLL_CTL_MOD;

	if (events == src->events)
		return 0;
	if (!src->events)
		op = EPOLL_CTL_ADD;
	else if (!events)
		op = EPOLL_CTL_DEL;
	if (epoll_ctl(src->loop->epoll_fd, op, src->fd, &ev) < 0)
		return -errno;
	src->events = events;
	return 0;
}

int loop_add(struct loop *loop, int fd, uint32_t events, loop_fn *fn, void *arg,
	     struct loop_source **ret)
{
	struct loop_source *src = calloc(1, sizeof(*src));
	int err;

	if (!src)
		return -ENOMEM;
	src->loop = loop;
	src->fd = fd;
	src->fn = fn;
	src->arg = arg;
	pthread_mutex_lock(&loop->lock);
	/* Armed once in any case: this is how "not pollable" shows. */
	err = source_arm(src, events ? events : EPOLLIN);
	if (!err)
		err = source_arm(src, events);
	if (err) {
		free(src);
	} else {
		list_push(&loop->live, src);
		*ret = src;
	}
	pthread_mutex_unlock(&loop->lock);
	return err;
}

int loop_set(struct loop_source *src, uint32_t events)
{
	int err;

	pthread_mutex_lock(&src->loop->lock);
	err = src->removed ? -EBADF : source_arm(src, events);
	pthread_mutex_unlock(&src->loop->lock);
	return err;
}

void loop_remove(struct loop_source *src)
{
	struct loop *loop;

	if (!src)
		return;
	loop = src->loop;
	pthread_mutex_lock(&loop->lock);
	assert(!src->removed);
	source_arm(src, 0);
	src->removed = true;
	list_take(src);
	list_push(&loop->dead, src);
	pthread_mutex_unlock(&loop->lock);
}

/** dispatch() - one event of a batch. An earlier callback of the same batch or
 * another thread may have disarmed or removed the source since. */
static void dispatch(struct loop *loop, const struct epoll_event *ev)
{
	struct loop_source *src = ev->data.ptr;
	uint32_t events = 0;

	if (!src) {
		loop->stopped = true;
		return;
	}
	pthread_mutex_lock(&loop->lock);
	if (!src->removed && src->events)
		events = ev->events & (src->events | EPOLLHUP | EPOLLERR);
	pthread_mutex_unlock(&loop->lock);
	if (events)
		src->fn(src->arg, events);
}

int loop_run(struct loop *loop)
{
	struct epoll_event ev[LOOP_BATCH];

	loop->stopped = false;
	while (!loop->stopped) {
		int n;

		pthread_mutex_lock(&loop->lock);
		list_free(&loop->dead);
		pthread_mutex_unlock(&loop->lock);
		n = epoll_wait(loop->epoll_fd, ev, LOOP_BATCH, -1);
		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n && !loop->stopped; i++)
			dispatch(loop, &ev[i]);
	}
	return 0;
}

void loop_stop(struct loop *loop)
{
	uint64_t one = 1;

	/* Full counter or not, the fd is readable: the result is the same. */
	if (write(loop->stop_fd, &one, sizeof(one)) < 0)
		return;
}
