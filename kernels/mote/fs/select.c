/* SPDX-License-Identifier: Apache-2.0 */
/* select.c - select(2) and pselect6(2), by way of a poll set. */
#include <linux/errno.h>
#include <linux/poll.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/poll.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/wait.h"

#define BITS      64u
#define SETS      3u /* read, write, exceptional */
#define NS_PER_S  1000000000ull
#define NS_PER_US 1000ull

/* What each set asks for and what makes its bit come back (select(2)). */
static const struct {
	unsigned ask, answer;
} meaning[SETS] = {
	{POLLIN | POLLRDNORM | POLLRDBAND,
	 POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR},
	{POLLOUT | POLLWRNORM | POLLWRBAND,
	 POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR},
	{POLLPRI, POLLPRI},
};

struct selection {
	uint64_t user[SETS]; /* 0: not given */
	uint64_t *bits;      /* SETS times @words */
	uint32_t words;
	uint32_t count; /* descriptors */
	struct poll_set poll;
};

static void selection_done(struct selection *s)
{
	poll_set_done(&s->poll);
	kfree(s->bits);
}

static uint64_t *word_of(struct selection *s, unsigned set, uint32_t fd)
{
	return &s->bits[set * s->words + fd / BITS];
}

static int selection_read(struct selection *s)
{
	uint64_t bytes = s->words * sizeof(uint64_t);

	s->bits = kzalloc(MAX(SETS * bytes, sizeof(uint64_t)));
	if (!s->bits)
		return -ENOMEM;
	for (unsigned set = 0; set < SETS; set++)
		if (s->user[set] &&
		    copy_from_user(word_of(s, set, 0), s->user[set], bytes))
			return -EFAULT;
	return poll_set_init(&s->poll, s->count);
}

static int selection_fill(struct selection *s)
{
	for (uint32_t fd = 0; fd < s->count; fd++) {
		struct pollfd *p = &s->poll.fds[fd];
		unsigned events = 0;

		for (unsigned set = 0; set < SETS; set++)
			if (*word_of(s, set, fd) >> (fd % BITS) & 1)
				events |= meaning[set].ask;
		p->fd = events ? (int)fd : -1;
		p->events = (short)events;
		if (events && !(s->poll.file[fd] = file_get((int)fd)))
			return -EBADF;
	}
	return 0;
}

/* Return: bits set in all sets. */
static long selection_write(struct selection *s)
{
	uint64_t bytes = s->words * sizeof(uint64_t);
	long total = 0;

	for (unsigned set = 0; set < SETS; set++) {
		for (uint32_t fd = 0; fd < s->count; fd++) {
			unsigned got = (uint16_t)s->poll.fds[fd].revents;
			uint64_t *word = word_of(s, set, fd);
			uint64_t bit = 1ull << (fd % BITS);

			if (!(*word & bit))
				continue;
			if (got & meaning[set].answer)
				total++;
			else
				*word &= ~bit;
		}
		if (s->user[set] &&
		    copy_to_user(s->user[set], word_of(s, set, 0), bytes))
			return -EFAULT;
	}
	return total;
}

static long select_fds(struct regs *r, uint64_t deadline)
{
	__attribute__((cleanup(selection_done))) struct selection s = {
		.user = {ARG1(r), ARG2(r), ARG3(r)}};
	int count = (int)ARG0(r), err;
	uint64_t soft, hard;

	if (count < 0)
		return -EINVAL;
	file_limit(&soft, &hard);
	s.count = (uint32_t)MIN((uint64_t)count, soft);
	s.words = (s.count + BITS - 1) / BITS;
	err = selection_read(&s);
	if (!err)
		err = selection_fill(&s);
	if (!err)
		err = poll_set_wait(&s.poll, deadline);
	return err ? err : selection_write(&s);
}

long sys_select(struct regs *r)
{
	uint64_t deadline = WAIT_FOREVER, ns;
	int64_t tv[2]; /* struct timeval */
	long n;

	if (ARG4(r)) {
		if (copy_from_user(tv, ARG4(r), sizeof(tv)))
			return -EFAULT;
		if (tv[0] < 0 || tv[1] < 0)
			return -EINVAL;
		if (!__builtin_mul_overflow((uint64_t)tv[0], NS_PER_S, &ns))
			deadline = deadline_after(ns +
						  (uint64_t)tv[1] * NS_PER_US);
	}
	n = select_fds(r, deadline);
	if (ARG4(r) && deadline != WAIT_FOREVER) {
		uint64_t left = poll_left(deadline);

		tv[0] = (int64_t)(left / NS_PER_S);
		tv[1] = (int64_t)(left % NS_PER_S / NS_PER_US);
		(void)copy_to_user(ARG4(r), tv, sizeof(tv));
	}
	return n;
}

long sys_pselect6(struct regs *r)
{
	uint64_t mask[2] = {0, 0}; /* address and size */
	uint64_t deadline;
	int masked;
	long n = poll_timespec(ARG4(r), &deadline);

	if (n)
		return n;
	if (ARG5(r) && copy_from_user(mask, ARG5(r), sizeof(mask)))
		return -EFAULT;
	masked = poll_mask_push(mask[0], mask[1]);
	if (masked < 0)
		return masked;
	n = select_fds(r, deadline);
	if (masked)
		signal_mask_pop(n == -EINTR);
	poll_put_timespec(ARG4(r), deadline);
	return n;
}
