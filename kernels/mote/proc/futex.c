/* SPDX-License-Identifier: Apache-2.0 */
/* futex.c - futex(2). A word of the program's memory is only looked at and
 * changed with single atomic operations through the direct map: other threads
 * of the program may run on other CPUs meanwhile. */
#include "kernels/mote/proc/futex.h"

#include <errno.h>
#include <linux/futex.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/futex_queue.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/task.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/wait.h"

/* The arguments as every operation takes them. */
struct call {
	uint64_t addr, addr2;
	uint32_t value, value3;
	uint32_t op;
	int count, count2; /* value and the fourth argument as numbers */
	bool private, realtime;
	uint64_t timeout; /* user address */
};

int futex_wake(struct vm *vm, uint64_t addr, int count)
{
	struct futex_key key;
	int err = futex_key_get(vm, addr, false, &key);

	return err ? err : futex_wake_key(&key, count, FUTEX_BITSET_MATCH_ANY);
}

static int read_deadline(const struct call *c, uint64_t *ret)
{
	uint64_t ns, now;
	int err;

	*ret = WAIT_FOREVER;
	if (!c->timeout)
		return 0;
	err = timespec_get(c->timeout, &ns);
	if (err)
		return err;
	if (c->op == FUTEX_WAIT) {
		*ret = wait_deadline(deadline_after(ns));
	} else if (c->realtime) {
		now = clock_realtime_ns();
		*ret = ns > now ? deadline_after(ns - now) : 0;
	} else {
		*ret = ns;
	}
	return 0;
}

/* Between looking at the word and lying in the queue nobody else enters the
 * kernel, so who changes the word and then wakes is not missed. */
static long do_wait(const struct call *c)
{
	struct futex_waiter w = {.bitset = c->value3};
	uint64_t deadline;
	uint32_t *word;
	int err = read_deadline(c, &deadline);

	if (err)
		return err;
	if (!c->value3)
		return -EINVAL;
	err = futex_word(current()->vm, c->addr, false, &word);
	if (!err)
		err = futex_key_get(current()->vm, c->addr, c->private, &w.key);
	if (err)
		return err;
	if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != c->value)
		return -EAGAIN;
	err = futex_sleep(&w, deadline);
	return err == -EINTR ? wait_interrupted(deadline) : err;
}

static long do_wake(const struct call *c)
{
	struct futex_key key;
	int err;

	if (!c->value3)
		return -EINVAL;
	err = futex_key_get(current()->vm, c->addr, c->private, &key);
	return err ? err : futex_wake_key(&key, c->count, c->value3);
}

static int get_keys(const struct call *c, struct futex_key key[2])
{
	int err = futex_key_get(current()->vm, c->addr, c->private, &key[0]);

	return err ? err
		   : futex_key_get(current()->vm, c->addr2, c->private,
				   &key[1]);
}

static long do_requeue(const struct call *c)
{
	struct futex_key key[2];
	uint32_t *word;
	int err;

	if (c->count < 0 || c->count2 < 0)
		return -EINVAL;
	err = get_keys(c, key);
	if (!err && c->op == FUTEX_CMP_REQUEUE) {
		err = futex_word(current()->vm, c->addr, false, &word);
		if (!err &&
		    __atomic_load_n(word, __ATOMIC_SEQ_CST) != c->value3)
			err = -EAGAIN;
	}
	if (err)
		return err;
	return futex_move(&key[0], &key[1], c->count, c->count2);
}

/* What FUTEX_WAKE_OP makes of @old; false: no such operation. */
static bool operate(uint32_t op, uint32_t old, uint32_t arg, uint32_t *ret)
{
	switch (op) {
	case FUTEX_OP_SET:
		*ret = arg;
		return true;
	case FUTEX_OP_ADD:
		*ret = old + arg;
		return true;
	case FUTEX_OP_OR:
		*ret = old | arg;
		return true;
	case FUTEX_OP_ANDN:
		*ret = old & ~arg;
		return true;
	case FUTEX_OP_XOR:
		*ret = old ^ arg;
		return true;
	default:
		return false;
	}
}

static int compare(uint32_t how, int32_t old, int32_t arg)
{
	switch (how) {
	case FUTEX_OP_CMP_EQ:
		return old == arg;
	case FUTEX_OP_CMP_NE:
		return old != arg;
	case FUTEX_OP_CMP_LT:
		return old < arg;
	case FUTEX_OP_CMP_LE:
		return old <= arg;
	case FUTEX_OP_CMP_GT:
		return old > arg;
	case FUTEX_OP_CMP_GE:
		return old >= arg;
	default:
		return -ENOSYS;
	}
}

static int32_t signed12(uint32_t bits)
{
	return (int32_t)(bits << 20) >> 20;
}

/* Change the second word as @code says and compare what it was: 1, 0, or
 * -errno. */
static int change_word(uint64_t addr, uint32_t code)
{
	uint32_t op = code >> 28 & 7, old, new, *word;
	int32_t arg = signed12(code >> 12 & 0xfff);
	int err = futex_word(current()->vm, addr, true, &word);

	if (err)
		return err;
	if (code >> 28 & FUTEX_OP_OPARG_SHIFT)
		arg = (int32_t)(1u << (arg & 31));
	old = __atomic_load_n(word, __ATOMIC_SEQ_CST);
	do {
		if (!operate(op, old, (uint32_t)arg, &new))
			return -ENOSYS;
	} while (!__atomic_compare_exchange_n(
		word, &old, new, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
	return compare(code >> 24 & 0xf, (int32_t)old, signed12(code & 0xfff));
}

static long do_wake_op(const struct call *c)
{
	struct futex_key key[2];
	int err = get_keys(c, key), met;
	long done;

	if (err)
		return err;
	met = change_word(c->addr2, c->value3);
	if (met < 0)
		return met;
	done = futex_wake_key(&key[0], c->count, FUTEX_BITSET_MATCH_ANY);
	if (met)
		done += futex_wake_key(&key[1], c->count2,
				       FUTEX_BITSET_MATCH_ANY);
	return done;
}

long sys_futex(struct regs *r)
{
	uint32_t flags = (uint32_t)ARG1(r) & ~(uint32_t)FUTEX_CMD_MASK;
	struct call c = {
		.addr = ARG0(r),
		.op = (uint32_t)ARG1(r) & (uint32_t)FUTEX_CMD_MASK,
		.value = (uint32_t)ARG2(r),
		.count = (int)ARG2(r),
		.timeout = ARG3(r),
		.count2 = (int)ARG3(r),
		.addr2 = ARG4(r),
		.value3 = (uint32_t)ARG5(r),
		.private = flags & FUTEX_PRIVATE_FLAG,
		.realtime = flags & FUTEX_CLOCK_REALTIME,
	};

	if (c.realtime && c.op != FUTEX_WAIT_BITSET)
		return -ENOSYS;
	switch (c.op) {
	case FUTEX_WAIT:
		c.value3 = FUTEX_BITSET_MATCH_ANY;
		return do_wait(&c);
	case FUTEX_WAIT_BITSET:
		return do_wait(&c);
	case FUTEX_WAKE:
		c.value3 = FUTEX_BITSET_MATCH_ANY;
		return do_wake(&c);
	case FUTEX_WAKE_BITSET:
		return do_wake(&c);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return do_requeue(&c);
	case FUTEX_WAKE_OP:
		return do_wake_op(&c);
	default: /* priority inheritance among them */
		return -ENOSYS;
	}
}
