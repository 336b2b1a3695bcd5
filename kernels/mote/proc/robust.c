/* SPDX-License-Identifier: Apache-2.0 */
/* robust.c - locks of a thread that ends while it holds them: set_robust_list,
 * get_robust_list, and the walk of the list. Everything on the list is the
 * program's and may be nonsense. */
#include <errno.h>
#include <linux/futex.h>
#include <stdbool.h>

#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/futex.h"
#include "kernels/mote/proc/futex_queue.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/task.h"

#define HEAD_BYTES 24u /* sizeof(struct robust_list_head) */
#define PI_BIT     1u  /* in a pointer: a lock with priority inheritance */

struct head { /* struct robust_list_head of x86-64 */
	uint64_t next, offset, pending;
};

long sys_set_robust_list(struct regs *r)
{
	if (ARG1(r) != HEAD_BYTES)
		return -EINVAL;
	current()->robust_list = ARG0(r);
	return 0;
}

long sys_get_robust_list(struct regs *r)
{
	const struct task *t = current();
	uint64_t bytes = HEAD_BYTES;

	if ((int)ARG0(r) != 0)
		t = task_find((int)ARG0(r));
	if (!t)
		return -ESRCH;
	if (t->process->uid != current_process()->uid &&
	    current_process()->uid != 0)
		return -EPERM;
	if (copy_to_user(ARG2(r), &bytes, sizeof(bytes)) < 0 ||
	    copy_to_user(ARG1(r), &t->robust_list, 8) < 0)
		return -EFAULT;
	return 0;
}

/* The lock word at @addr: if it is @t's, its owner died. @pending: @t may have
 * been between unlocking and waking. */
static void release(struct task *t, uint64_t addr, bool pi, bool pending)
{
	uint32_t *word, old, new;

	if (futex_word(t->vm, addr, true, &word) < 0)
		return;
	old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	if (pending && !pi && !old) {
		futex_wake(t->vm, addr, 1);
		return;
	}
	do {
		if ((old & FUTEX_TID_MASK) != (uint32_t)t->tid)
			return;
		new = (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
	} while (!__atomic_compare_exchange_n(
		word, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	if (!pi && (old & FUTEX_WAITERS))
		futex_wake(t->vm, addr, 1);
}

void futex_exit(struct task *t)
{
	uint64_t at = t->robust_list, entry;
	struct head head;

	t->robust_list = 0;
	if (!at || copy_from_user(&head, at, sizeof(head)) < 0)
		return;
	entry = head.next;
	for (unsigned i = 0; i < FUTEX_ROBUST_MAX; i++) {
		uint64_t lock = entry & ~(uint64_t)PI_BIT, next;
		bool more;

		if (lock == at)
			break;
		more = copy_from_user(&next, lock, sizeof(next)) == 0;
		if (lock != (head.pending & ~(uint64_t)PI_BIT))
			release(t, lock + head.offset, entry & PI_BIT, false);
		if (!more)
			break;
		entry = next;
	}
	if (head.pending)
		release(t, (head.pending & ~(uint64_t)PI_BIT) + head.offset,
			head.pending & PI_BIT, true);
}
