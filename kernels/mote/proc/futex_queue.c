/* SPDX-License-Identifier: Apache-2.0 */
/* futex_queue.c - a hash table of sleeping threads by the word they wait for.
 * There are never more entries than threads, each on its thread's stack. */
#include "kernels/mote/proc/futex_queue.h"

#include <errno.h>
#include <sys/mman.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"

#define BUCKETS 256u

static struct list buckets[BUCKETS]; /* zeroed: not used yet */

static struct list *bucket_of(const struct futex_key *key)
{
	uint64_t hash =
		((uint64_t)key->what ^ key->where >> 2) * 0x9e3779b97f4a7c15ull;
	struct list *bucket = &buckets[hash >> 56];

	if (!bucket->next)
		list_init(bucket);
	return bucket;
}

static bool same(const struct futex_key *a, const struct futex_key *b)
{
	return a->what == b->what && a->where == b->where;
}

static int check(uint64_t addr)
{
	if (addr & 3)
		return -EINVAL;
	return addr < VM_USER_TOP ? 0 : -EFAULT;
}

int futex_word(struct vm *vm, uint64_t addr, bool write, uint32_t **ret)
{
	uint64_t pa, bytes;
	int err = check(addr);

	if (!err)
		err = vm_translate(vm, addr, sizeof(uint32_t), write, &pa,
				   &bytes);
	if (!err)
		*ret = pa_to_va(pa);
	return err;
}

int futex_key_get(struct vm *vm, uint64_t addr, bool private,
		  struct futex_key *ret)
{
	const struct vma *v;
	uint64_t pa, bytes;
	int err = check(addr);

	if (err)
		return err;
	*ret = (struct futex_key){vm, addr};
	if (private)
		return 0;
	v = vm_find(vm, addr);
	if (!v)
		return -EFAULT;
	if (!(v->flags & VMA_SHARED))
		return 0;
	if (v->file) {
		ret->what = v->file->inode;
		ret->where = addr - v->start + v->index * PAGE_SIZE;
		return 0;
	}
	err = vm_translate(vm, addr, sizeof(uint32_t), v->prot & PROT_WRITE,
			   &pa, &bytes);
	*ret = (struct futex_key){NULL, pa};
	return err;
}

static bool is_woken(void *arg)
{
	const struct futex_waiter *w = arg;

	return w->woken;
}

int futex_sleep(struct futex_waiter *w, uint64_t deadline_ns)
{
	int err;

	w->woken = false;
	w->waitq = (struct waitq){0};
	list_push(bucket_of(&w->key), &w->in_bucket);
	err = waitq_wait(&w->waitq, is_woken, w, deadline_ns);
	list_remove(&w->in_bucket);
	return w->woken ? 0 : err;
}

static void wake(struct futex_waiter *w)
{
	list_remove(&w->in_bucket);
	w->woken = true;
	waitq_wake(&w->waitq);
}

int futex_wake_key(const struct futex_key *key, int count, uint32_t bitset)
{
	int done = 0;

	LIST_EACH(at, bucket_of(key)) {
		struct futex_waiter *w =
			container_of(at, struct futex_waiter, in_bucket);

		if (!same(&w->key, key) || !(w->bitset & bitset))
			continue;
		wake(w);
		if (++done >= count)
			break;
	}
	return done;
}

int futex_move(const struct futex_key *from, const struct futex_key *to,
	       int wake_count, int move_count)
{
	struct list *bucket = bucket_of(to);
	int done = 0;

	LIST_EACH(at, bucket_of(from)) {
		struct futex_waiter *w =
			container_of(at, struct futex_waiter, in_bucket);

		if (done - wake_count >= move_count)
			break;
		if (!same(&w->key, from))
			continue;
		if (++done <= wake_count) {
			wake(w);
			continue;
		}
		if (same(from, to))
			continue;
		list_remove(&w->in_bucket);
		w->key = *to;
		list_push(bucket, &w->in_bucket);
	}
	return done;
}
