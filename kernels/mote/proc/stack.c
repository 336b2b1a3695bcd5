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
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/signal.h"

#define AT_MINSIGSTKSZ_TYPE 51
#define HWCAP2_FSGSBASE_BIT 2u
#define CLOCK_TICKS         100u
#define RANDOM_BYTES        16u

/* Writes by way of the direct map. Nearly always the whole of a first stack
 * is in one page, which is translated once. */
struct writer {
	struct vm *vm;
	uint64_t page;    /* address of the page that is open */
	uint8_t *content; /* where the kernel sees it */
	bool failed;
};
#define NO_PAGE (-PAGE_SIZE) /* no address of a program is in it */

/* Open the page of @addr. */
static __attribute__((noinline)) bool open_page(struct writer *w, uint64_t addr)
{
	uint64_t page = addr & ~(PAGE_SIZE - 1), pa, bytes;

	w->page = NO_PAGE;
	if (vm_translate(w->vm, page, PAGE_SIZE, true, &pa, &bytes) < 0) {
		w->failed = true;
		return false;
	}
	w->page = page;
	w->content = pa_to_va(pa);
	return true;
}

/* Where the kernel sees @addr, or NULL. Inline: a call is worth eight words
 * written. */
static inline __attribute__((always_inline)) void *locate(struct writer *w,
							  uint64_t addr)
{
	if (addr - w->page >= PAGE_SIZE && !open_page(w, addr))
		return NULL;
	return w->content + (addr - w->page);
}

static void put_bytes(struct writer *w, uint64_t addr, const void *from,
		      uint64_t bytes)
{
	const uint8_t *src = from;

	while (bytes) {
		uint64_t n = MIN(bytes, PAGE_SIZE - (addr & (PAGE_SIZE - 1)));
		void *dst = locate(w, addr);

		if (!dst)
			return;
		memcpy(dst, src, n);
		addr += n;
		src += n;
		bytes -= n;
	}
}

static inline void put_word(struct writer *w, uint64_t addr, uint64_t v)
{
	uint64_t *dst = locate(w, addr);

	if (dst)
		*dst = v;
}

/* Straight into the task's copy: it is read for /proc/self/auxv. */
static uint32_t fill_auxv(uint64_t *v, const struct stack_facts *f,
			  const struct process *p, uint64_t path,
			  uint64_t platform, uint64_t random)
{
	uint64_t *first = v;

#define PAIR(type, value) (*v++ = (type), *v++ = (value))
	PAIR(AT_SYSINFO_EHDR, f->vdso);
	PAIR(AT_HWCAP, cpu_info.hwcap);
	PAIR(AT_PAGESZ, PAGE_SIZE);
	PAIR(AT_CLKTCK, CLOCK_TICKS);
	PAIR(AT_PHDR, f->phdr);
	PAIR(AT_PHENT, sizeof(Elf64_Phdr));
	PAIR(AT_PHNUM, f->phnum);
	PAIR(AT_BASE, f->base);
	PAIR(AT_FLAGS, 0);
	PAIR(AT_ENTRY, f->entry);
	PAIR(AT_UID, p->uid);
	PAIR(AT_EUID, p->uid);
	PAIR(AT_GID, p->gid);
	PAIR(AT_EGID, p->gid);
	PAIR(AT_SECURE, 0);
	PAIR(AT_RANDOM, random);
	PAIR(AT_HWCAP2, cpu_info.fsgsbase ? HWCAP2_FSGSBASE_BIT : 0);
	PAIR(AT_EXECFN, path);
	PAIR(AT_PLATFORM, platform);
	PAIR(AT_MINSIGSTKSZ_TYPE, signal_frame_bytes());
	PAIR(AT_NULL, 0);
#undef PAIR
	_Static_assert(PROCESS_AUXV_WORDS >= 42, "auxv");
	return (uint32_t)(v - first);
}

/* Pointers to @count strings and a NULL, from *@at on. @text: the strings,
 * which end at @end, @user: where the program finds them.
 * Return: what comes after them; NULL: there are not as many. */
static const char *put_pointers(struct writer *w, uint64_t *at,
				const char *text, const char *end,
				uint64_t user, uint32_t count)
{
	uint64_t to = *at, delta = user - (uint64_t)text;
	const char *p = text;

	for (; count; count--) {
		if (p >= end)
			return NULL;
		put_word(w, to, (uint64_t)p + delta);
		to += sizeof(uint64_t);
		p += strlen(p) + 1;
	}
	put_word(w, to, 0);
	*at = to + sizeof(uint64_t);
	return p;
}

int stack_build(struct vm *vm, uint64_t top, const char *path,
		const struct exec_strings *strings,
		const struct stack_facts *facts, struct process *p,
		uint64_t *ret_rsp)
{
	static const union {
		char text[8];
		uint64_t word;
	} platform = {"x86_64"};
	const char *end = strings->text + strings->bytes, *env;
	uint64_t path_bytes = strlen(path) + 1;
	uint64_t path_at = (top - 8 - path_bytes) & ~7ul;
	uint64_t text_at = (path_at - strings->bytes) & ~7ul;
	uint64_t platform_at = text_at - sizeof(uint64_t);
	uint64_t random_at = platform_at - RANDOM_BYTES;
	struct writer w = {.vm = vm, .page = NO_PAGE};
	uint32_t words =
		fill_auxv(p->auxv, facts, p, path_at, platform_at, random_at);
	uint64_t total = (3 + (uint64_t)strings->argc + strings->envc + words) *
			 sizeof(uint64_t);
	uint64_t env_at, at = (random_at - total) & ~15ul;

	if (strings->bytes > EXEC_STRINGS_MAX || total > EXEC_STRINGS_MAX)
		return -E2BIG;
	*ret_rsp = at;
	put_bytes(&w, path_at, path, path_bytes);
	put_bytes(&w, text_at, strings->text, strings->bytes);
	put_word(&w, platform_at, platform.word);
	put_bytes(&w, random_at, facts->random, RANDOM_BYTES);

	put_word(&w, at, strings->argc);
	at += sizeof(uint64_t);
	env = put_pointers(&w, &at, strings->text, end, text_at, strings->argc);
	if (!env)
		return -EBADMSG;
	env_at = text_at + (uint64_t)(env - strings->text);
	if (!put_pointers(&w, &at, env, end, env_at, strings->envc))
		return -EBADMSG;
	put_bytes(&w, at, p->auxv, words * sizeof(uint64_t));
	p->user_arg_start = text_at;
	p->user_arg_end = p->user_env_start = env_at;
	p->user_env_end = text_at + strings->bytes;
	return w.failed ? -ENOMEM : 0;
}
