/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - mote, from its first line of C to the program's first instruction.
 * The order below is the order of dependence. */
#include "kernels/mote/main.h"

#include <errno.h>

#include "base/abi/bootinfo.h"
#include "base/abi/runblock.h"
#include "kernels/mote/arch/apic.h"
#include "kernels/mote/arch/bootparam.h"
#include "kernels/mote/arch/clock.h"
#include "kernels/mote/arch/cpu.h"
#include "kernels/mote/arch/layout.h"
#include "kernels/mote/arch/paging.h"
#include "kernels/mote/arch/regs.h"
#include "kernels/mote/arch/smp.h"
#include "kernels/mote/arch/trap.h"
#include "kernels/mote/drv/balloon.h"
#include "kernels/mote/drv/console.h"
#include "kernels/mote/drv/harness.h"
#include "kernels/mote/drv/root_image.h"
#include "kernels/mote/drv/virtio.h"
#include "kernels/mote/fs/devmem.h"
#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/proc/exec.h"
#include "kernels/mote/proc/random.h"
#include "kernels/mote/proc/task.h"

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND      127
#define EXIT_STATUS(code)   ((code) << 8) /* as wait(2) encodes it */

static void init_memory(const struct boot *b)
{
	struct page_range keep[3] = {
		{KERNEL_PA, KERNEL_END_PA},
		b->initrd,
	};

	paging_init(b->ram, b->ram_count, keep, 2, &keep[2]);
	page_init(b->ram, b->ram_count, keep, 3);
}

/* The control plane wrote the block; a damaged one is refused all the same. */
static const struct runblock *find_runblock(void)
{
	uint64_t bytes;
	const struct runblock *rb = fs_runblock(&bytes);

	if (!rb || bytes < sizeof(*rb) || rb->magic != RUNBLOCK_MAGIC ||
	    rb->version != RUNBLOCK_VERSION || rb->string_bytes < 2 ||
	    rb->string_bytes > bytes - sizeof(*rb) || rb->argc == 0 ||
	    ((const char *)(rb + 1))[rb->string_bytes - 1] != '\0')
		return NULL;
	return rb;
}

static const char *error_text(int error)
{
	switch (error) {
	case -ENOENT:
		return "No such file or directory";
	case -EACCES:
		return "Permission denied";
	case -ENOEXEC:
		return "Exec format error (not an x86-64 ELF program or "
		       "script)";
	case -ENOMEM:
		return "Cannot allocate memory";
	case -ELOOP:
		return "Too many levels of symbolic links";
	case -ENOTDIR:
		return "Not a directory";
	case -ELIBBAD:
		return "Its interpreter is not an x86-64 ELF program";
	case -E2BIG:
		return "Argument list too long";
	case -EBADMSG:
		return "The run block is damaged";
	default:
		return NULL;
	}
}

static _Noreturn void fail(const char *what, int error)
{
	const char *text = error_text(error);

	if (text)
		kprintf("mote: %s: %s\n", what, text);
	else
		kprintf("mote: %s: error %d\n", what, -error);
	task_exit(EXIT_STATUS(error == -ENOENT ? EXIT_NOT_FOUND
					       : EXIT_NOT_EXECUTABLE));
}

static void start_program(const struct runblock *rb, struct regs *r)
{
	const char *path = (const char *)(rb + 1);
	const char *end = path + rb->string_bytes;
	const char *cwd = path + strlen(path) + 1;
	const char *args = cwd + strlen(cwd) + 1;
	struct exec_strings strings = {
		.text = args,
		.argc = rb->argc,
		.envc = rb->envc,
	};
	int error;

	if (args >= end)
		panic("the run block is damaged");
	strings.bytes = (uint64_t)(end - args);
	error = fs_start_task(cwd);
	if (error < 0)
		fail(cwd, error);
	if (rb->flags & RUNBLOCK_FLAG_ROOT_IMAGE)
		path = exec_search(path, &strings);
	error = exec_program(path, &strings, r);
	if (error < 0)
		fail(path, error);
}

void start_kernel(uint64_t params_pa, uint64_t start_info_pa, uint64_t tsc)
{
	static struct boot boot;
	static struct regs frame;
	const struct runblock *rb;
	const void *initrd;

	cpu_info.entry_tsc = tsc;
	cpu_init();
	pcpu_init(&pcpu_boot);
	clock_init();
	apic_init();
	if (cpu_info.emulated)
		paging_drop();
	boot_parse(params_pa, start_info_pa, &boot);
	init_memory(&boot);
	smp_init(boot.devices ? boot.devices->cpus : 1);
	virtio_find_all(boot.devices, boot.cmdline);
	if (*boot.cmdline)
		devmem_init(boot.cmdline);
	harness_init();
	console_init();
	balloon_init();
	random_init(boot.seed, boot.seed_bytes);
	initrd = boot.initrd.end > boot.initrd.start
			 ? pa_to_va(boot.initrd.start)
			 : NULL;
	fs_init(initrd, boot.initrd.end - boot.initrd.start);
	rb = find_runblock();
	if (!rb)
		panic("no run block (%s) in the initrd", RUNBLOCK_NAME);
	task_start(rb->uid, rb->gid);
	if (rb->flags & RUNBLOCK_FLAG_ROOT_IMAGE)
		root_image_mount(!(rb->flags & RUNBLOCK_FLAG_OVERLAY));
	tty_init(rb->stream, rb->tty_rows, rb->tty_cols);
	start_program(rb, &frame);
	harness_ready(rdtsc() - tsc);
	enter_user(&frame);
}
