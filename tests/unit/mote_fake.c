/* SPDX-License-Identifier: Apache-2.0 */
/* mote_fake.c - the kernel's lower layers as a test program has them. */
#include "tests/unit/mote_fake.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/mote/arch/apic.h"
#include "kernels/mote/arch/clock.h"
#include "kernels/mote/arch/smp.h"
#include "kernels/mote/drv/console.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/pte.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/clocks.h"
#include "kernels/mote/proc/limits.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/random.h"
#include "kernels/mote/proc/signal.h"
#include "kernels/mote/proc/signal_state.h"
#include "kernels/mote/proc/syscall.h"
#include "kernels/mote/proc/terminal.h"
#include "kernels/mote/proc/time.h"
#include "kernels/mote/proc/waitq.h"

#define ARENA_PAGES 4096u
#define BAD_BELOW   4096u

/* Static, so that a leak checker finds what is only referred to from here. */
static uint8_t arena[ARENA_PAGES * PAGE_SIZE] __attribute__((aligned(4096)));
static uint32_t refs[ARENA_PAGES];
static uint32_t free_list[ARENA_PAGES];
static uint64_t free_count, used, limit = ARENA_PAGES;
static int last_signal;
static uint64_t armed = UINT64_MAX;
static char output[1 << 16];
static size_t output_bytes;
static const char *input;
static size_t input_bytes;
static struct vm address_space;
static struct fs fs;
static struct process process;
static struct task task = {.process = &process};
struct kstack_top hosted_top = {.task = &task};

static uint32_t frame_of(uint64_t pa)
{
	return (uint32_t)((pa + DIRECT_MAP_BASE - (uint64_t)arena) / PAGE_SIZE);
}

uint64_t kva_to_pa(const void *va)
{
	return (uint64_t)va - DIRECT_MAP_BASE;
}

static bool ours(uint64_t pa)
{
	uint64_t va = pa + DIRECT_MAP_BASE;

	return va >= (uint64_t)arena &&
	       va < (uint64_t)arena + ARENA_PAGES * PAGE_SIZE;
}

void *page_alloc(void)
{
	uint32_t n;

	if (used >= limit || !free_count)
		return NULL;
	used++;
	n = free_list[--free_count];
	refs[n] = 1;
	memset(arena + n * PAGE_SIZE, 0xa5, PAGE_SIZE);
	return arena + n * PAGE_SIZE;
}

void *page_alloc_zero(void)
{
	void *page = page_alloc();

	return page ? memset(page, 0, PAGE_SIZE) : NULL;
}

void page_ref(uint64_t pa)
{
	if (ours(pa))
		refs[frame_of(pa)]++;
}

void page_unref(uint64_t pa)
{
	uint32_t n = frame_of(pa);

	if (!ours(pa))
		return;
	if (!refs[n])
		abort(); /* given back twice */
	if (--refs[n])
		return;
	memset(arena + n * PAGE_SIZE, 0x5a, PAGE_SIZE);
	free_list[free_count++] = n;
	used--;
}

uint64_t pages_total(void)
{
	return limit;
}

uint64_t pages_free(void)
{
	return limit - used;
}

void *kmalloc(size_t bytes)
{
	return malloc(bytes);
}

void *kzalloc(size_t bytes)
{
	return calloc(1, bytes);
}

void kfree(void *p)
{
	free(p);
}

size_t strscpy(char *dst, const char *src, size_t cap)
{
	size_t n = strnlen(src, cap - 1);

	memcpy(dst, src, n);
	dst[n] = '\0';
	return n;
}

size_t kvsnprintf(char *dst, size_t cap, const char *fmt, va_list ap)
{
	int n = vsnprintf(dst, cap, fmt, ap);

	return MIN((size_t)n, cap - 1);
}

size_t ksnprintf(char *dst, size_t cap, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = kvsnprintf(dst, cap, fmt, ap);
	va_end(ap);
	return n;
}

void kprintf(const char *fmt, ...)
{
}

void panic(const char *fmt, ...)
{
	abort();
}

static bool bad(uint64_t user)
{
	return user < BAD_BELOW;
}

int copy_from_user(void *dst, uint64_t src, size_t bytes)
{
	if (bytes && bad(src))
		return -EFAULT;
	memcpy(dst, (void *)src, bytes);
	return 0;
}

int copy_to_user(uint64_t dst, const void *src, size_t bytes)
{
	if (bytes && bad(dst))
		return -EFAULT;
	memcpy((void *)dst, src, bytes);
	return 0;
}

int zero_user(uint64_t dst, size_t bytes)
{
	if (bytes && bad(dst))
		return -EFAULT;
	memset((void *)dst, 0, bytes);
	return 0;
}

long strncpy_from_user(char *dst, uint64_t src, size_t cap)
{
	size_t n;

	if (bad(src))
		return -EFAULT;
	n = strnlen((const char *)src, cap);
	memcpy(dst, (const char *)src, n == cap ? n : n + 1);
	return n == cap ? -ENAMETOOLONG : (long)n;
}

void uio_init_user(struct uio *u, uint64_t base, uint64_t bytes)
{
	*u = (struct uio){.span = u->inline_span, .count = 1, .left = bytes};
	u->span[0] = (struct uio_span){base, bytes};
}

void uio_init_kernel(struct uio *u, void *base, uint64_t bytes)
{
	uio_init_user(u, (uint64_t)base, bytes);
	u->kernel = 1;
}

int uio_init_iovec(struct uio *u, uint64_t iov, uint64_t count)
{
	if (count > UIO_SPANS_INLINE)
		return -EINVAL;
	uio_init_user(u, 0, 0);
	u->count = (uint32_t)count;
	if (copy_from_user(u->span, iov, count * sizeof(u->span[0])))
		return -EFAULT;
	for (uint64_t i = 0; i < count; i++)
		u->left += u->span[i].bytes;
	return 0;
}

void uio_done(struct uio *u)
{
}

enum move {
	MOVE_OUT,
	MOVE_IN,
	MOVE_ZERO,
	MOVE_SKIP
};

static long uio_move(struct uio *u, void *kernel, uint64_t bytes, enum move how)
{
	uint64_t done = 0;

	bytes = MIN(bytes, u->left);
	while (done < bytes) {
		struct uio_span *s = &u->span[u->index];
		uint64_t n = MIN(s->bytes, bytes - done);

		if (n && bad(s->base) && how != MOVE_SKIP)
			break;
		if (how == MOVE_OUT)
			memcpy((void *)s->base, (char *)kernel + done, n);
		else if (how == MOVE_IN)
			memcpy((char *)kernel + done, (void *)s->base, n);
		else if (how == MOVE_ZERO)
			memset((void *)s->base, 0, n);
		s->base += n;
		s->bytes -= n;
		u->left -= n;
		done += n;
		if (!s->bytes && u->index + 1 < u->count)
			u->index++;
	}
	return bytes && !done ? -EFAULT : (long)done;
}

long uio_copy_out(struct uio *u, const void *src, uint64_t bytes)
{
	return uio_move(u, (void *)(uintptr_t)src, bytes, MOVE_OUT);
}

long uio_copy_in(struct uio *u, void *dst, uint64_t bytes)
{
	return uio_move(u, dst, bytes, MOVE_IN);
}

long uio_zero_out(struct uio *u, uint64_t bytes)
{
	return uio_move(u, NULL, bytes, MOVE_ZERO);
}

void uio_advance(struct uio *u, uint64_t bytes)
{
	uio_move(u, NULL, bytes, MOVE_SKIP);
}

long console_write(enum console_port port, struct uio *u, bool nonblock)
{
	uint64_t n = MIN(u->left, sizeof(output) - output_bytes);
	long moved = uio_copy_in(u, output + output_bytes, n);

	if (moved > 0)
		output_bytes += (size_t)moved;
	return moved;
}

long console_read(struct uio *u, bool nonblock)
{
	long n = uio_copy_out(u, input, MIN(u->left, input_bytes));

	if (n > 0) {
		input += n;
		input_bytes -= (size_t)n;
	}
	return n;
}

unsigned console_poll(enum console_port port)
{
	return 5; /* POLLIN | POLLOUT */
}

long tty_read(struct uio *u, bool nonblock)
{
	return console_read(u, nonblock);
}

long tty_write(enum console_port port, struct uio *u, bool nonblock)
{
	return console_write(port, u, nonblock);
}

long tty_ioctl(uint64_t cmd, uint64_t arg)
{
	return -ENOTTY;
}

unsigned tty_poll(void)
{
	return 5;
}

void random_bytes(void *dst, size_t bytes)
{
	memset(dst, 0x42, bytes);
}

uint64_t clock_monotonic_ns(void)
{
	static uint64_t ns = 1000000000;

	return ns += 1000000;
}

uint64_t clock_realtime_ns(void)
{
	return 1700000000000000000ull + clock_monotonic_ns();
}

uint64_t deadline_after(uint64_t ns)
{
	return clock_monotonic_ns() + ns;
}

/* Nobody else is there to make anything ready. */
int wait_until(bool (*ready)(void *arg), void *arg, uint64_t deadline_ns)
{
	if (ready(arg))
		return 0;
	return deadline_ns == WAIT_FOREVER ? -EINTR : -ETIMEDOUT;
}

void wait_uninterrupted(bool (*ready)(void *arg), void *arg)
{
	if (!ready(arg))
		abort();
}

struct waitq *console_waitq(void)
{
	static struct waitq q;

	return &q;
}

struct waitq *tty_waitq(void)
{
	return console_waitq();
}

uint64_t sched_ran_ns(const struct task *t)
{
	return 0;
}

uint64_t sched_idle_ns(void)
{
	return 0;
}

uint32_t sched_runnable(void)
{
	return 1;
}

uint64_t sched_switches(void)
{
	return 0;
}

uint32_t smp_possible(void)
{
	return 1;
}

uint64_t clock_tsc_at(uint64_t ns)
{
	return 2 * ns;
}

void terminal_init(struct terminal *t)
{
}

void terminal_done(struct terminal *t)
{
}

struct terminal *terminal_of(const struct process *p)
{
	return NULL;
}

void terminal_opened(struct terminal *t)
{
}

int terminal_may_read(struct terminal *t)
{
	return 0;
}

int terminal_may_change(struct terminal *t)
{
	return 0;
}

void terminal_signal(struct terminal *t, int signal)
{
	last_signal = signal;
}

void terminal_hangup(struct terminal *t)
{
}

long terminal_ioctl(struct terminal *t, uint64_t cmd, uint64_t arg)
{
	return TERMINAL_NOT_MINE;
}

/* One process of one thread. */
static struct list processes;

struct list *process_all(void)
{
	return &processes;
}

struct process *process_find(int pid)
{
	return pid == process.pid ? &process : NULL;
}

struct task *task_find(int tid)
{
	return tid == task.tid ? &task : NULL;
}

void limit_get(const struct process *p, uint32_t which,
	       struct process_limit *ret)
{
	*ret = (struct process_limit){.soft = 1, .hard = 2};
}

int vm_translate(struct vm *vm, uint64_t addr, uint64_t want, bool write,
		 uint64_t *ret_pa, uint64_t *ret_bytes)
{
	*ret_pa = kva_to_pa((void *)addr);
	*ret_bytes = want;
	return bad(addr) ? -EFAULT : 0;
}

uint64_t *pte_find(struct vm *vm, uint64_t addr, bool *ret_huge)
{
	return NULL;
}

void sched_wake(struct task *t)
{
}

uint64_t wait_deadline(uint64_t fresh_ns)
{
	return fresh_ns;
}

int wait_interrupted(uint64_t deadline_ns)
{
	return -EINTR;
}

uint64_t signals_pending(const struct task *t)
{
	return last_signal ? signal_bit(last_signal) : 0;
}

bool signals_take(struct task *t, uint64_t set, struct signal_info *ret)
{
	if (!(signals_pending(t) & set))
		return false;
	*ret = (struct signal_info){.signo = last_signal};
	last_signal = 0;
	return true;
}

void apic_timer_set(uint64_t deadline_ns)
{
	armed = deadline_ns;
}

uint64_t fake_timer_armed(void)
{
	return armed;
}

int clock_find(uint32_t id, struct clock *ret)
{
	ret->kind = id ? CLOCK_OF_MACHINE : CLOCK_OF_WORLD;
	return id > 11 ? -EINVAL : 0;
}

uint64_t clock_now(const struct clock *c)
{
	return clock_monotonic_ns();
}

void signal_send(int signal)
{
	last_signal = signal;
}

void signal_mask_push(uint64_t mask)
{
}

void signal_mask_pop(bool interrupted)
{
}

void signal_stats(const struct task *t, struct signal_stats *ret)
{
	*ret = (struct signal_stats){0};
}

int fake_last_signal(void)
{
	int signal = last_signal;

	last_signal = 0;
	return signal;
}

size_t fake_output(char *dst, size_t cap)
{
	size_t n = MIN(cap, output_bytes);

	memcpy(dst, output, n);
	output_bytes = 0;
	return n;
}

void fake_input(const void *bytes, size_t count)
{
	input = bytes;
	input_bytes = count;
}

void fake_pages_limit(uint64_t pages)
{
	limit = pages;
}

uint64_t fake_pages_used(void)
{
	return used;
}

void fake_ids(uint32_t uid, uint32_t gid)
{
	process.uid = uid;
	process.gid = gid;
}

void fake_start(const void *initrd, uint64_t bytes)
{
	for (uint32_t n = ARENA_PAGES; n--;)
		free_list[free_count++] = n;
	fs = (struct fs){.refs = 1, .umask = 022};
	process = (struct process){.pid = 1, .fs = &fs};
	process.vm = &address_space;
	list_init(&processes);
	list_init(&process.threads);
	list_init(&process.children);
	task = (struct task){.tid = 1, .process = &process, .comm = "test"};
	task.vm = &address_space;
	process.thread_count = 1;
	list_push(&processes, &process.in_all);
	list_push(&process.threads, &task.in_process);
	fs_init(initrd, bytes);
	if (fs_start_task("/"))
		abort();
}

/* The calls that are not the files' own exist only by name. */
#define SYSCALL(number, name)                                                  \
	__attribute__((weak)) extern syscall_fn sys_##name;
#include "kernels/mote/proc/syscall.tbl"
#undef SYSCALL

#define SYSCALL(number, name) [number] = sys_##name,
static syscall_fn *const table[512] = {
#include "kernels/mote/proc/syscall.tbl"
};
#undef SYSCALL

long fake_call(unsigned number, uint64_t a0, uint64_t a1, uint64_t a2,
	       uint64_t a3, uint64_t a4, uint64_t a5)
{
	struct regs r = {.rdi = a0,
			 .rsi = a1,
			 .rdx = a2,
			 .r10 = a3,
			 .r8 = a4,
			 .r9 = a5,
			 .vector = REGS_SYSCALL,
			 .error = number};

	return number < 512 && table[number] ? table[number](&r) : -ENOSYS;
}

static void cpio_bytes(struct fake_cpio *c, const void *bytes, size_t count)
{
	memcpy(c->bytes + c->used, bytes, count);
	c->used += count;
}

static void cpio_align(struct fake_cpio *c, size_t to)
{
	while (c->used % to)
		c->bytes[c->used++] = 0;
}

void fake_cpio_add(struct fake_cpio *c, const char *name, uint32_t mode,
		   const void *data, size_t bytes, int pad_name)
{
	static unsigned ino;
	size_t name_bytes = strlen(name) + 1;
	char header[111];

	if (pad_name)
		while ((c->used + 110 + name_bytes) % 4096)
			name_bytes++;
	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x",
		 ++ino, mode, 1000u, 100u, 1u, 0x5f000000u, bytes, 0u, 0u, 0u,
		 0u, name_bytes, 0u);
	cpio_bytes(c, header, 110);
	cpio_bytes(c, name, strlen(name) + 1);
	c->used += name_bytes - strlen(name) - 1;
	cpio_align(c, 4);
	cpio_bytes(c, data, bytes);
	cpio_align(c, 4);
}

void fake_cpio_end(struct fake_cpio *c)
{
	fake_cpio_add(c, "TRAILER!!!", 0, "", 0, 0);
}
