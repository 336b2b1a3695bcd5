/* SPDX-License-Identifier: Apache-2.0 */
/* exec.c - from a path to a program that is about to run. Everything that can
 * fail happens in a fresh address space; then the task is switched over. */
#include "kernels/mote/proc/exec.h"

#include <asm/resource.h>
#include <errno.h>
#include <linux/signal.h>
#include <sys/mman.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/regs.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/fs/fdtable.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/elf.h"
#include "kernels/mote/proc/limits.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/process_timers.h"
#include "kernels/mote/proc/random.h"
#include "kernels/mote/proc/script.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/stack.h"
#include "kernels/mote/proc/vdso.h"

/* Where things go, before randomisation; the same places as on Linux. */
#define PIE_BASE     0x555555554000ul
#define STACK_FIRST  0x21000ul   /* mapped at once; grows on demand */
#define STACK_GAP    0x100000ul  /* between stack and mappings */
#define TOP_ROOM     0x10000ul   /* above the stack: the vDSO */
#define RANDOM_PAGES 0xffffffful /* 28 bits for mappings and programs */
#define RANDOM_STACK 0x3ffffful  /* 22 bits for the stack */
#define RANDOM_BRK   0x1ffful    /* 32 MiB for the heap */

struct layout {
	uint64_t pie, mmap, stack;
	uint64_t stack_max;
	uint64_t brk_gap;
};

/* All randomness of a start in 32 bytes, which is what the boot protocol's
 * seed gives: asking for more would mean to start a device. */
struct dice {
	uint64_t a, b;
	uint8_t at_random[16];
};

struct new_program {
	struct vm *vm;
	uint64_t entry, rsp;
};

static void choose_layout(const struct dice *d, const struct process *p,
			  struct layout *l)
{
	uint64_t stack = limit_soft(p, RLIMIT_STACK);

	l->stack_max = MAX(MIN(stack, VM_STACK_LIMIT), STACK_FIRST);
	l->pie = PIE_BASE + (d->a & RANDOM_PAGES) * PAGE_SIZE;
	l->stack = VM_USER_TOP - TOP_ROOM - (d->b & RANDOM_STACK) * PAGE_SIZE;
	l->mmap = l->stack - l->stack_max - STACK_GAP -
		  (d->a >> 32 & RANDOM_PAGES) * PAGE_SIZE;
	l->brk_gap = (d->b >> 32 & RANDOM_BRK) * PAGE_SIZE;
}

static int map_interp(const char *path, struct vm *vm, uint64_t *ret_base,
		      uint64_t *ret_entry)
{
	struct elf_image e;
	struct file *f;
	uint64_t end;
	int r = file_open_kernel(path, &f);

	if (r < 0)
		return r;
	r = file_is_executable(f) ? elf_open(f, &e) : -EACCES;
	if (r == 0) {
		uint64_t bias = 0;

		if (e.position_independent)
			bias = vm->mmap_top - (e.end - e.start) - e.start;
		r = elf_map(&e, vm, bias, &end);
		*ret_base = bias;
		*ret_entry = e.entry + bias;
		elf_close(&e);
	} else if (r == -ENOEXEC) {
		r = -ELIBBAD;
	}
	file_unref(f);
	return r;
}

static int map_stack(struct vm *vm, const struct elf_image *e,
		     const struct layout *l)
{
	uint32_t prot =
		PROT_READ | PROT_WRITE | (e->exec_stack ? PROT_EXEC : 0u);
	uint64_t got;

	vm->stack_top = l->stack;
	vm->stack_max = l->stack_max;
	return vm_map(vm, l->stack - STACK_FIRST, STACK_FIRST, prot,
		      VMA_GROWSDOWN, NULL, 0, &got);
}

/* Everything into @n->vm, which the caller frees on failure. */
static int build(const struct elf_image *e, const char *path,
		 const struct exec_strings *strings, struct process *p,
		 struct new_program *n)
{
	struct layout l;
	struct dice dice;
	struct stack_facts f = {.random = dice.at_random};
	uint64_t bias = 0, brk = 0;
	int r;

	random_bytes(&dice, sizeof(dice));
	choose_layout(&dice, p, &l);
	n->vm->mmap_top = l.mmap;
	if (e->position_independent)
		bias = l.pie - e->start;
	r = elf_map(e, n->vm, bias, &brk);
	if (r < 0)
		return r;
	n->vm->brk_start = n->vm->brk = brk + l.brk_gap;
	n->entry = f.entry = e->entry + bias;
	if (e->interp[0])
		r = map_interp(e->interp, n->vm, &f.base, &n->entry);
	if (r == 0)
		r = map_stack(n->vm, e, &l);
	if (r == 0)
		r = vdso_map(n->vm, l.stack + PAGE_SIZE, &f.vdso);
	if (r < 0)
		return r;
	f.phdr = e->phdr_vaddr ? e->phdr_vaddr + bias : 0;
	f.phnum = e->phnum;
	return stack_build(n->vm, l.stack, path, strings, &f, p, &n->rsp);
}

/* The name without its directories. */
static void set_comm(struct task *t, const char *path)
{
	const char *end = path + strlen(path), *base = end;
	size_t n;

	while (base > path && base[-1] != '/')
		base--;
	n = MIN((size_t)(end - base), sizeof(t->comm) - 1);
	memcpy(t->comm, base, n);
	t->comm[n] = '\0';
}

static bool is_alone(void *arg)
{
	const struct process *p = arg;

	return p->thread_count == 1;
}

/* Only this thread is left, and the process is the thread. */
static int become_alone(struct process *p)
{
	struct task *t = current();

	if (t->killed)
		return -EINTR;
	process_kill_others(p);
	waitq_wait_device(&p->thread_wait, is_alone, p);
	if (t->killed)
		return -EINTR;
	if (t->tid != p->pid)
		task_renumber(t, p->pid);
	return 0;
}

/* What clone(2) shared stays with the others. */
static int unshare_files(struct process *p)
{
	struct files *copy;

	if (!files_shared(p->files))
		return 0;
	copy = files_copy(p->files);
	if (!copy)
		return -ENOMEM;
	files_unref(p->files);
	p->files = copy;
	return 0;
}

/* A parent in vfork(2) goes on. */
static void end_vfork(struct process *p)
{
	if (!p->vforked)
		return;
	p->vforked = false;
	if (p->parent)
		waitq_wake(&p->parent->child_wait);
}

/* No way back: the old address space goes. */
static void commit(struct process *p, const struct new_program *n,
		   struct file *f, const char *path, struct regs *r)
{
	struct task *t = current();
	struct vm *old = p->vm;
	struct inode *old_exe = p->exe;

	p->vm = t->vm = n->vm;
	context_set_vm(t->vm);
	vm_unref(old);
	p->exe = f->inode;
	inode_ref(p->exe);
	inode_unref(old_exe);
	set_comm(t, path);
	t->clear_tid = t->robust_list = 0;
	if (old) /* the first frame is all zero */
		memset(r, 0, sizeof(*r));
	r->cs = USER_CS;
	r->ss = USER_DS;
	r->rflags = RFLAGS_IF;
	r->rip = n->entry;
	r->rsp = n->rsp;
	if (old) {
		p->execed = true;
		end_vfork(p);
		fs_after_exec();
		posix_timers_free(p);
		context_reset_fpu(&t->context);
		if (signals_after_exec() < 0)
			task_exit(SIGKILL);
	}
}

static int load(struct file *f, const char *path,
		const struct exec_strings *strings, struct regs *r)
{
	struct new_program n = {0};
	struct process *p = current_process();
	struct elf_image e;
	int err = elf_open(f, &e);

	if (err < 0)
		return err;
	err = vm_new(&n.vm);
	if (err == 0) {
		err = build(&e, path, strings, p, &n);
		if (err == 0 && p->vm)
			err = become_alone(p);
		if (err == 0)
			err = unshare_files(p);
		if (err == 0)
			commit(p, &n, f, path, r);
		else
			vm_unref(n.vm);
	}
	elf_close(&e);
	return err;
}

/* @name: what the program is called, @path: what is loaded; they differ for a
 * script's interpreter. */
static int exec_depth(const char *name, const char *path,
		      const struct exec_strings *strings, struct regs *r,
		      int depth)
{
	struct script script;
	struct file *f;
	int err = file_open_kernel(path, &f);

	if (err < 0)
		return err;
	if (!file_is_executable(f)) {
		err = -EACCES;
	} else {
		err = script_parse(f, path, strings, &script);
		if (err == 0)
			err = load(f, name, strings, r);
		else if (err > 0) {
			err = depth < SCRIPT_DEPTH_MAX
				      ? exec_depth(name, script.interp,
						   &script.strings, r,
						   depth + 1)
				      : -ELOOP;
			script_done(&script);
		}
	}
	file_unref(f);
	return err;
}

int exec_program(const char *path, const struct exec_strings *strings,
		 struct regs *r)
{
	return exec_depth(path, path, strings, r, 0);
}
