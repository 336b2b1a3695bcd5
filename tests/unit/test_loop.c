/* SPDX-License-Identifier: Apache-2.0 */
/* test_loop.c - sources are called when armed and ready, and only then, from
 * whatever thread they are armed. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"

struct probe {
	struct loop *loop;
	struct loop_source *source;
	struct probe *other;
	int fd[2];
	unsigned stop_after;
	_Atomic unsigned calls;
	uint32_t events;
};

static void open_probe(struct probe *p, struct loop *loop)
{
	cr_assert_eq(pipe2(p->fd, O_CLOEXEC | O_NONBLOCK), 0);
	p->loop = loop;
}

static void close_probe(struct probe *p)
{
	loop_remove(p->source);
	close(p->fd[0]);
	if (p->fd[1] >= 0)
		close(p->fd[1]);
}

static void count(void *arg, uint32_t events)
{
	struct probe *p = arg;

	p->events = events;
	if (++p->calls == p->stop_after)
		loop_stop(p->loop);
}

static void say(struct probe *p)
{
	cr_assert_eq(write(p->fd[1], "x", 1), 1);
}

Test(loop, calls_back_until_stopped)
{
	struct probe p = {.stop_after = 3};
	struct loop *loop;

	cr_assert_eq(loop_new(&loop), 0);
	open_probe(&p, loop);
	cr_assert_eq(loop_add(loop, p.fd[0], EPOLLIN, count, &p, &p.source), 0);
	say(&p);
	cr_expect_eq(loop_run(loop), 0);
	cr_expect_geq(p.calls, 3, "level-triggered");
	cr_expect_eq(p.events, EPOLLIN);
	close_probe(&p);
	loop_free(loop);
}

Test(loop, stops_before_it_runs)
{
	struct loop *loop;

	cr_assert_eq(loop_new(&loop), 0);
	loop_stop(loop);
	cr_expect_eq(loop_run(loop), 0);
	loop_free(loop);
	loop_free(NULL);
}

Test(loop, says_what_cannot_be_polled)
{
	struct loop_source *source = NULL;
	struct loop *loop;
	int fd = memfd_create("file", MFD_CLOEXEC);

	cr_assert_eq(loop_new(&loop), 0);
	cr_expect_eq(loop_add(loop, fd, 0, count, NULL, &source), -EPERM);
	cr_expect_eq(loop_add(loop, fd, EPOLLIN, count, NULL, &source), -EPERM);
	cr_expect_eq(loop_add(loop, -1, EPOLLIN, count, NULL, &source), -EBADF);
	cr_expect_null(source, "untouched on failure");
	loop_remove(source);
	loop_free(loop);
	close(fd);
}

static void *run(void *arg)
{
	cr_assert_eq(loop_run(arg), 0);
	return NULL;
}

static void nap(unsigned ms)
{
	nanosleep(&(struct timespec){.tv_nsec = ms * 1000000l}, NULL);
}

Test(loop, is_armed_and_disarmed_from_another_thread)
{
	struct probe p = {0};
	struct loop *loop;
	pthread_t thread;
	unsigned calls = 0;

	cr_assert_eq(loop_new(&loop), 0);
	open_probe(&p, loop);
	cr_assert_eq(loop_add(loop, p.fd[0], 0, count, &p, &p.source), 0);
	say(&p);
	close(p.fd[1]); /* hung up: epoll would report that unasked */
	p.fd[1] = -1;
	pthread_create(&thread, NULL, run, loop);
	nap(20);
	cr_expect_eq(p.calls, 0, "disarmed means not even a hang-up");
	cr_assert_eq(loop_set(p.source, EPOLLIN), 0);
	for (unsigned i = 0; i < 2000 && !p.calls; i++)
		nap(1);
	cr_expect_neq(p.calls, 0);
	cr_assert_eq(loop_set(p.source, 0), 0);
	for (unsigned i = 0; i < 500; i++) { /* one under way may still end */
		calls = p.calls;
		nap(20);
		if (p.calls == calls)
			break;
	}
	cr_expect_eq(p.calls, calls);
	loop_stop(loop);
	pthread_join(thread, NULL);
	close_probe(&p);
	loop_free(loop);
}

static void remove_other(void *arg, uint32_t events)
{
	struct probe *p = arg;

	p->calls++;
	loop_remove(p->other->source);
	p->other->source = NULL;
	loop_remove(p->source);
	p->source = NULL;
	loop_stop(p->loop);
}

Test(loop, forgets_a_source_removed_in_the_same_round)
{
	struct probe a = {0}, b = {0};
	struct loop *loop;

	cr_assert_eq(loop_new(&loop), 0);
	open_probe(&a, loop);
	open_probe(&b, loop);
	a.other = &b;
	b.other = &a;
	cr_assert_eq(
		loop_add(loop, a.fd[0], EPOLLIN, remove_other, &a, &a.source),
		0);
	cr_assert_eq(
		loop_add(loop, b.fd[0], EPOLLIN, remove_other, &b, &b.source),
		0);
	say(&a);
	say(&b);
	cr_expect_eq(loop_run(loop), 0);
	cr_expect_eq(a.calls + b.calls, 1, "the other was gone by then");
	close_probe(&a);
	close_probe(&b);
	loop_free(loop);
}

Test(loop, takes_a_hang_up_of_an_armed_source)
{
	struct probe p = {.stop_after = 1};
	struct loop *loop;

	cr_assert_eq(loop_new(&loop), 0);
	open_probe(&p, loop);
	cr_assert_eq(loop_add(loop, p.fd[0], EPOLLIN, count, &p, &p.source), 0);
	close(p.fd[1]);
	p.fd[1] = -1;
	cr_expect_eq(loop_run(loop), 0);
	cr_expect(p.events & EPOLLHUP);
	close_probe(&p);
	loop_free(loop);
}
