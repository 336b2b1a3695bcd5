/* SPDX-License-Identifier: Apache-2.0 */
/* poll.h - waiting for files, shared by poll(2) and select(2). */
#pragma once
#include <stdint.h>

struct file;
struct pollfd;
struct waiter;
struct waitq;

struct poll_set {
	struct pollfd *fds;
	struct file **file;   /* held while waiting */
	struct waitq **waitq; /* of each file, once it sleeps */
	struct waiter *waiter;
	uint32_t count;
	uint32_t ready; /* entries with something to report */
};

/** poll_file() - events of one file; POLLNVAL for NULL. */
unsigned poll_file(struct file *f);
/** poll_waitq() - who is told when that changes; NULL: nobody. */
struct waitq *poll_waitq(struct file *f);
/** poll_set_init() - @count entries of zeros. 0 or -ENOMEM; poll_set_done()
 * is due in any case. */
int poll_set_init(struct poll_set *s, uint32_t count);
void poll_set_done(struct poll_set *s);
/** poll_set_wait() - until an entry is ready or the deadline. 0, -EINTR,
 * -ENOMEM. */
int poll_set_wait(struct poll_set *s, uint64_t deadline_ns);

/** poll_left() - nanoseconds until then; 0: it has passed. */
uint64_t poll_left(uint64_t deadline_ns);
/** poll_timespec() - the deadline a struct timespec of the program asks for;
 * no struct: never. poll_put_timespec() - what is left of it goes back. */
int poll_timespec(uint64_t user, uint64_t *ret_deadline);
void poll_put_timespec(uint64_t user, uint64_t deadline_ns);
/** poll_mask_push() - take the signal mask of ppoll and pselect6.
 * Return: 1 it has to be popped, 0 none was given, -EINVAL, -EFAULT. */
int poll_mask_push(uint64_t user, uint64_t bytes);
