/* SPDX-License-Identifier: Apache-2.0 */
/* stack.c - the first stack of a program (System V ABI x86-64, 3.4.1), from
 * the top down:
 *
 *   path\0  argument and environment strings  "x86_64"  16 random bytes
 *   auxv pairs, AT_NULL
 *   envp[] NULL
 *   argv[] NULL
 *   argc                                        <- rsp, 16-byte aligned
 *
 * Written straight into the new address space's pages. */
#include "kernels/mote/proc/stack.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/exec.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/task.h"

#define AT_MINSIGSTKSZ_TYPE 51
#define HWCAP2_FSGSBASE_BIT 2u
#define CLOCK_TICKS	    100u
#define RANDOM_BYTES	    16u

struct writer { /* upward, through the direct map, page by page */
	struct vm *vm;
	uint64_t addr;
	uint64_t *at;	/* where addr is; valid while left > 0 */
	uint64_t left;	/* bytes to the end of the page */
	bool failed;
};

static void refill(struct writer *w)
{
	uint64_t want = PAGE_SIZE - (w->addr & (PAGE_SIZE - 1)), pa, bytes;

	if (vm_translate(w->vm, w->addr, want, true, &pa, &bytes) < 0) {
		w->failed = true;
		return;
	}
	w->at = pa_to_va(pa);
	w->left = bytes;
}

static void put(struct writer *w, uint64_t v)
{
	if (w->left == 0)
		refill(w);
	if (w->failed)
		return;
	*w->at++ = v;
	w->addr += 8;
	w->left -= 8;
}

static int write_bytes(struct vm *vm, uint64_t addr, const char *src,
		       uint64_t bytes)
{
	while (bytes) {
		uint64_t pa, n;

		if (vm_translate(vm, addr, bytes, true, &pa, &n) < 0)
			return -ENOMEM;
		n = MIN(n, bytes);
		memcpy(pa_to_va(pa), src, n);
		addr += n;
		src += n;
		bytes -= n;
	}
	return 0;
}

/* Straight into the task's copy: it is read for /proc/self/auxv. */
static uint32_t fill_auxv(uint64_t *v, const struct stack_facts *f,
			  const struct task *t, uint64_t path,
			  uint64_t platform, uint64_t random)
{
	uint64_t *first = v;

#define PAIR(type, value) (*v++ = (type), *v++ = (value))
	PAIR(AT_HWCAP, cpu_info.hwcap);
	PAIR(AT_PAGESZ, PAGE_SIZE);
	PAIR(AT_CLKTCK, CLOCK_TICKS);
	PAIR(AT_PHDR, f->phdr);
	PAIR(AT_PHENT, sizeof(Elf64_Phdr));
	PAIR(AT_PHNUM, f->phnum);
	PAIR(AT_BASE, f->base);
	PAIR(AT_FLAGS, 0);
	PAIR(AT_ENTRY, f->entry);
	PAIR(AT_UID, t->uid);
	PAIR(AT_EUID, t->uid);
	PAIR(AT_GID, t->gid);
	PAIR(AT_EGID, t->gid);
	PAIR(AT_SECURE, 0);
	PAIR(AT_RANDOM, random);
	PAIR(AT_HWCAP2, cpu_info.fsgsbase ? HWCAP2_FSGSBASE_BIT : 0);
	PAIR(AT_EXECFN, path);
	PAIR(AT_PLATFORM, platform);
	PAIR(AT_MINSIGSTKSZ_TYPE, signal_frame_bytes());
	PAIR(AT_NULL, 0);
#undef PAIR
	_Static_assert(TASK_AUXV_WORDS >= 40, "auxv");
	return (uint32_t)(v - first);
}

static void put_auxv(struct writer *w, const uint64_t *v, uint32_t words)
{
	if (!w->failed && w->left >= words * sizeof(*v)) {
		memcpy(w->at, v, words * sizeof(*v));
		return;
	}
	for (uint32_t i = 0; i < words; i++)
		put(w, v[i]);
}

/* @count strings from @text on; returns the first byte after them. */
static const char *put_pointers(struct writer *w, const char *text,
				uint64_t user, uint32_t count)
{
	const char *p = text;

	for (uint32_t i = 0; i < count; i++) {
		put(w, user + (uint64_t)(p - text));
		p += strlen(p) + 1;
	}
	put(w, 0);
	return p;
}

int stack_build(struct vm *vm, uint64_t top, const char *path,
		const struct exec_strings *strings,
		const struct stack_facts *facts, struct task *t,
		uint64_t *ret_rsp)
{
	static const char platform[8] = "x86_64";
	uint64_t path_bytes = strlen(path) + 1;
	uint64_t path_at = (top - 8 - path_bytes) & ~7ul;
	uint64_t text_at = (path_at - strings->bytes) & ~7ul;
	uint64_t platform_at = text_at - sizeof(platform);
	uint64_t random_at = platform_at - RANDOM_BYTES;
	struct writer w = {.vm = vm};
	uint32_t words = fill_auxv(t->auxv, facts, t, path_at, platform_at,
				   random_at);
	uint64_t total = (3 + (uint64_t)strings->argc + strings->envc + words) *
			 8;
	uint64_t env_offset;
	const char *env;

	if (strings->bytes > EXEC_STRINGS_MAX || total > EXEC_STRINGS_MAX)
		return -E2BIG;
	w.addr = (random_at - total) & ~15ul;
	*ret_rsp = w.addr;
	if (write_bytes(vm, path_at, path, path_bytes) < 0 ||
	    write_bytes(vm, text_at, strings->text, strings->bytes) < 0 ||
	    write_bytes(vm, platform_at, platform, sizeof(platform)) < 0 ||
	    write_bytes(vm, random_at, (const char *)facts->random,
			RANDOM_BYTES) < 0)
		return -ENOMEM;

	put(&w, strings->argc);
	env = put_pointers(&w, strings->text, text_at, strings->argc);
	env_offset = (uint64_t)(env - strings->text);
	put_pointers(&w, env, text_at + env_offset, strings->envc);
	put_auxv(&w, t->auxv, words);
	t->user_arg_start = text_at;
	t->user_arg_end = t->user_env_start = text_at + env_offset;
	t->user_env_end = text_at + strings->bytes;
	return w.failed ? -ENOMEM : 0;
}
