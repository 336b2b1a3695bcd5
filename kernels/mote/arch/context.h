/* SPDX-License-Identifier: Apache-2.0 */
/* context.h - what a thread is to the CPU: a kernel stack, registers at rest,
 * the program's FPU state. Who runs when is decided in proc/. */
#pragma once
#include <stdint.h>

struct kstack_top;
struct regs;
struct vm;

struct context {
	uint64_t sp; /* of the kernel stack, while another thread runs */
	struct kstack_top *top; /* of that stack */
	void *fpu; /* the program's x87, SSE, AVX state, while not loaded */
	uint64_t fs_base, gs_base; /* while another thread runs */
};

/** context_first() - @c takes over the stack the kernel booted on. -ENOMEM. */
int context_first(struct context *c);
/** context_new() - a kernel stack and a clean FPU state. -ENOMEM. */
int context_new(struct context *c);
/** context_free() - give both back; never of the thread that runs. */
void context_free(struct context *c);
/** context_regs() - where the program's frame lies while the thread is in a
 * system call or fault. */
struct regs *context_regs(const struct context *c);
/** context_begin() - the first context_switch() to @c enters the program with
 * the (complete) frame @r. */
void context_begin(struct context *c, const struct regs *r);
/** context_begin_kernel() - the first context_switch() to @c calls @run, which
 * never returns. */
void context_begin_kernel(struct context *c, void (*run)(void));
/** context_fork_fpu() - @c starts with the running thread's FPU state, and FS
 * and GS base. */
void context_fork_fpu(struct context *c);
/** context_reset_fpu() - the running thread's FPU state becomes the initial
 * one, FS and GS base zero: a new program. */
void context_reset_fpu(struct context *c);
/** context_switch() - leave @prev, which runs, and go on with @next in address
 * space @vm (NULL: only the kernel's slot). Returns when somebody switches
 * back to @prev. Interrupts are off. */
void context_switch(struct context *prev, struct context *next,
		    const struct vm *vm);
/** context_fs_base() and the like - of the running thread, which may change
 * its bases without a system call. */
uint64_t context_fs_base(void);
uint64_t context_gs_base(void);
void context_set_fs_base(uint64_t base);
void context_set_gs_base(uint64_t base);
/** fpu_save(), fpu_load() - the running program's x87, SSE and AVX state, as
 * XSAVE lays it out (FXSAVE where the CPU has no more): cpu_info.xsave_bytes,
 * 64-byte aligned. fpu_load() of a damaged area is a fault: check first. */
void fpu_save(void *area);
void fpu_load(const void *area);
/** fpu_reset() - the initial state, by way of @area. */
void fpu_reset(void *area);
/** context_set_work(), context_clear_work() - WORK_* for a thread, running or
 * not. */
void context_set_work(struct context *c, uint32_t flags);
void context_clear_work(struct context *c, uint32_t flags);
/** context_set_vm() - the running thread's program is in @vm from now on; NULL:
 * in none. */
void context_set_vm(const struct vm *vm);
