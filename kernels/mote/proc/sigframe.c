/* SPDX-License-Identifier: Apache-2.0 */
/* sigframe.c - what happens when a signal arrives at the program.
 *
 * The frame is that of Linux x86-64 (struct rt_sigframe), because handlers
 * read and change it. From the old stack pointer down:
 *
 *   128 bytes   red zone of the interrupted function
 *   fpstate     xsave image (64-byte aligned), 4 bytes of magic after it
 *   siginfo
 *   ucontext    registers, signal mask, alternate stack
 *   pretcode    return address: the program's restorer    <- rsp
 *
 * Everything read back on return may have been changed by the program, and is
 * checked; the FPU part in sigfpu.c. */
#include "kernels/mote/proc/sigframe.h"

#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/ucontext.h>
#include <asm/unistd.h>
#include <errno.h>
#include <linux/signal.h>
#include <stddef.h>

#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/regs.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/drv/harness.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/exit.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/sigfpu.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/signal_state.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/task.h"

#define RED_ZONE    128u
#define VECTOR_NONE 255u /* not a system call: nothing to restart */
/* Flags a handler may change in its frame (Linux's FIX_EFLAGS). */
#define FLAGS_RESTORED 0x50dd5ul

struct frame_ucontext { /* struct ucontext with its 64-bit mask */
	uint64_t flags, link;
	struct signal_stack stack;
	struct sigcontext_64 mc;
	uint64_t mask;
};

struct frame {
	uint64_t pretcode;
	struct frame_ucontext uc;
	struct signal_info info;
	uint8_t info_rest[128 - sizeof(struct signal_info)];
};

_Static_assert(sizeof(struct frame) == 440, "rt_sigframe of Linux");

uint32_t signal_frame_bytes(void)
{
	return sigfpu_bytes() + (uint32_t)sizeof(struct frame) + RED_ZONE + 64;
}

static bool on_stack(const struct signal_stack *s, uint64_t rsp)
{
	return rsp > s->sp && rsp - s->sp <= s->bytes;
}

static uint64_t frame_top(const struct signals *s,
			  const struct signal_action *a, uint64_t rsp)
{
	if ((a->flags & SA_ONSTACK) && s->stack.bytes &&
	    !on_stack(&s->stack, rsp))
		return s->stack.sp + s->stack.bytes;
	return rsp - RED_ZONE;
}

static void save_regs(struct sigcontext_64 *mc, const struct regs *r,
		      const struct signals *s, uint64_t fpstate)
{
	*mc = (struct sigcontext_64){
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.di = r->rdi,
		.si = r->rsi,
		.bp = r->rbp,
		.bx = r->rbx,
		.dx = r->rdx,
		.ax = r->rax,
		.cx = r->rcx,
		.sp = r->rsp,
		.ip = r->rip,
		.flags = r->rflags,
		.cs = (uint16_t)r->cs,
		.ss = (uint16_t)r->ss,
		.err = s->error,
		.trapno = s->trap,
		.cr2 = s->cr2,
		.oldmask = s->blocked,
		.fpstate = fpstate,
	};
}

static void fill_frame(struct frame *f, const struct signals *s,
		       const struct signal_action *a,
		       const struct signal_info *info, const struct regs *r,
		       uint64_t fpstate)
{
	f->pretcode = a->restorer;
	f->uc.flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS |
		      (cpu_info.xsave ? UC_FP_XSTATE : 0u);
	f->uc.link = 0;
	f->uc.stack = s->stack;
	if (!s->stack.bytes)
		f->uc.stack.flags = SS_DISABLE;
	f->uc.mask = s->restore ? s->saved : s->blocked;
	save_regs(&f->uc.mc, r, s, fpstate);
	f->info = *info;
	memset(f->info_rest, 0, sizeof(f->info_rest));
}

/* Return 0, or -1 when the program's stack cannot take the frame. */
static int enter_handler(struct signals *s, const struct signal_action *a,
			 const struct signal_info *info, struct regs *r)
{
	uint64_t top = frame_top(s, a, r->rsp);
	uint64_t fpstate = (top - sigfpu_bytes()) & ~63ull;
	uint64_t at = ((fpstate - sizeof(struct frame)) & ~15ull) - 8;
	struct frame f;

	if (!(a->flags & SA_RESTORER) || !user_rip_ok(a->handler))
		return -1;
	fill_frame(&f, s, a, info, r, fpstate);
	if (sigfpu_write(fpstate) < 0 || copy_to_user(at, &f, sizeof(f)) < 0)
		return -1;
	(void)sigfpu_read(0);
	r->rsp = at;
	r->rip = a->handler;
	r->rdi = (uint64_t)info->signo;
	r->rsi = at + offsetof(struct frame, info);
	r->rdx = at + offsetof(struct frame, uc);
	r->rax = 0;
	r->rflags &= ~(RFLAGS_DF | RFLAGS_TF);
	r->vector = VECTOR_NONE;
	return 0;
}

/* A system call that the signal interrupted: start it again, or let -EINTR
 * stand. */
static void prepare_restart(struct regs *r, const struct signal_action *a)
{
	bool timed = current()->restart_deadline;

	current()->restart_deadline = 0;
	if (r->vector != REGS_SYSCALL || (long)r->rax != -EINTR || timed ||
	    !(a->flags & SA_RESTART) || !syscall_may_restart(r->error))
		return;
	r->rax = r->error;
	r->rip -= 2; /* the syscall instruction */
}

/* What interrupted the call came to nothing (a stop and its end, another
 * thread was quicker): the program does not hear of it. */
static void restart_unhandled(struct regs *r)
{
	if (r->vector != REGS_SYSCALL || (long)r->rax != -EINTR ||
	    r->error == __NR_rt_sigtimedwait || r->error == __NR_epoll_wait ||
	    r->error == __NR_epoll_pwait || r->error == __NR_epoll_pwait2)
		return;
	r->rax = r->error;
	r->rip -= 2;
}

static bool dumps_core(int signal)
{
	switch (signal) {
	case SIGILL:
	case SIGTRAP:
	case SIGABRT:
	case SIGBUS:
	case SIGFPE:
	case SIGSEGV:
	case SIGSYS:
		return true;
	default:
		return false;
	}
}

static _Noreturn void end_by(const struct signal_info *info,
			     const struct regs *r)
{
	const char *comm = current()->comm;
	bool has_address = info->code > 0 && info->code != SI_KERNEL;
	uint64_t addr = has_address ? info->field[0] : 0;

	if (dumps_core(info->signo) && harness_present())
		harness_report_crash(info->signo, info->code, addr, r->rip,
				     comm);
	else if (dumps_core(info->signo))
		kprintf("mote: %s: signal %d at %lx, rip %lx\n", comm,
			info->signo, addr, r->rip);
	task_exit(info->signo);
}

/* Stand still until SIGCONT or the end. */
static void stand_still(struct process *p)
{
	while (p->stopped && !current()->killed)
		sched_sleep(TASK_STOPPED);
	signals_recheck(current());
}

/* The default action of the four stop signals. The program of the run block
 * goes on: nobody outside could continue it. SIGSTOP knows no other exception,
 * the others need somebody who does job control for the group. */
static void stop(struct process *p, int signo)
{
	if (p == process_init() || p->stopped ||
	    (signo != SIGSTOP && process_group_is_orphaned(p->pgid)))
		return;
	p->stopped = true;
	p->stop_signal = signo;
	p->stop_untold = true;
	p->continue_untold = false;
	LIST_EACH(at, &p->threads)
		signals_recheck(container_of(at, struct task, in_process));
	process_tell_parent(p, CLD_STOPPED, signo);
}

static bool is_stop(int signo)
{
	return signo == SIGSTOP || signo == SIGTSTP || signo == SIGTTIN ||
	       signo == SIGTTOU;
}

static void handle(const struct signal_info *info, struct regs *r)
{
	struct signal_action *action = current_process()->actions->action;
	struct signal_action *slot = &action[info->signo - 1];
	struct signals *s = current()->signals;
	struct signal_action a = *slot;
	uint64_t blocked = s->blocked | a.mask;

	prepare_restart(r, &a);
	if (a.flags & SA_RESETHAND)
		slot->handler = (uint64_t)SIG_DFL;
	if (enter_handler(s, &a, info, r) < 0) {
		if (info->signo == SIGSEGV)
			action[SIGSEGV - 1].handler = (uint64_t)SIG_DFL;
		signal_fault(SIGSEGV, SI_KERNEL, 0, s->trap, s->error);
		return;
	}
	if (!(a.flags & SA_NODEFER))
		blocked |= signal_bit(info->signo);
	s->restore = false;
	signals_set_blocked(current(), blocked);
}

void signal_deliver(struct regs *r)
{
	struct task *t = current();
	struct process *p = t->process;
	struct signals *s = t->signals;
	struct signal_info info;

	stand_still(p);
	while (!t->killed && signals_take(t, ~s->blocked, &info)) {
		uint64_t handler = p->actions->action[info.signo - 1].handler;

		if (signal_ignored(p, info.signo))
			continue;
		if (handler != (uint64_t)SIG_DFL) {
			handle(&info, r);
		} else if (is_stop(info.signo)) {
			stop(p, info.signo);
			stand_still(p);
		} else {
			end_by(&info, r);
		}
	}
	if (t->killed)
		thread_exit(p->status);
	restart_unhandled(r);
	if (s->restore) {
		s->restore = false;
		signals_set_blocked(current(), s->saved);
	}
}

static void load_regs(struct regs *r, const struct sigcontext_64 *mc)
{
	r->r8 = mc->r8, r->r9 = mc->r9, r->r10 = mc->r10, r->r11 = mc->r11;
	r->r12 = mc->r12, r->r13 = mc->r13, r->r14 = mc->r14;
	r->r15 = mc->r15, r->rdi = mc->di, r->rsi = mc->si, r->rbp = mc->bp;
	r->rbx = mc->bx, r->rdx = mc->dx, r->rax = mc->ax, r->rcx = mc->cx;
	r->rsp = mc->sp, r->rip = mc->ip;
	r->rflags =
		(r->rflags & ~FLAGS_RESTORED) | (mc->flags & FLAGS_RESTORED);
	r->vector = VECTOR_NONE;
}

long sys_rt_sigreturn(struct regs *r)
{
	struct signals *s = current()->signals;
	struct frame_ucontext uc;

	if (copy_from_user(&uc, r->rsp, sizeof(uc)) < 0 ||
	    !user_rip_ok(uc.mc.ip) || sigfpu_read(uc.mc.fpstate) < 0) {
		signal_fault(SIGSEGV, SI_KERNEL, 0, 13, 0);
		return 0;
	}
	load_regs(r, &uc.mc);
	if (!on_stack(&s->stack, r->rsp) && !(uc.stack.flags & SS_DISABLE))
		s->stack = uc.stack;
	signals_set_blocked(current(), uc.mask);
	return (long)r->rax;
}
