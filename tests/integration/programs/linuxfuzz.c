/* SPDX-License-Identifier: Apache-2.0 */
/* linuxfuzz.c - root of a Linux guest, gone mad: linuxfuzz SEED SECONDS. Makes
 * accesses of every width to all I/O ports, to all that the machine has by
 * address (device windows, configuration space, BARs, I/O APIC, local APIC,
 * ACPI tables, holes), to MSRs and by hypercalls. What the kernel refuses is
 * left out and counted. Prints "seed SEED", then what was done:
 *
 *	NAME TIMES		"no NAME" where the kernel has no way to it
 *
 * The same seed makes the same choices. What ends a VM by its purpose is rare,
 * and what hangs a guest (interrupt controllers, MSRs that its kernel lives by)
 * is left for the second half of the time.
 * Atomic operations are not made: KVM itself says once in its log that it
 * cannot do them on devices, whoever the VMM is. */
#include <errno.h>
#include <linux/virtio_mmio.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/abi/harness.h"
#include "base/plan.h"
#include "linuxfuzz.h"
#include "physical.h"

#define PAGES 32u

static struct page page[PAGES];
static sigjmp_buf again;
static bool gentle = true;

static void caught(int signal)
{
	(void)signal;
	siglongjmp(again, 1);
}

static uint64_t value(struct whim *w)
{
	if (whim_one_in(w, 6))
		return page[whim_below(w, PAGES)].pa + whim_below(w, PAGE);
	return whim_edge(w);
}

/* --- memory */

static struct region {
	const char *name;
	uint64_t base, bytes;
	unsigned weight; /* how often */
	bool deadly;     /* a guest that writes there soon hangs */
	uint8_t *va;
} regions[] = {
	{"holes", 0xa0000, 0x40000, 2, false, NULL},
	{"tables", 0xe0000, 0x20000, 4, false, NULL},
	{"gap", PLAN_GAP_START, 0x10000, 2, false, NULL},
	{"windows", PLAN_MMIO_BASE, PLAN_DEVICES_MAX *PLAN_MMIO_STRIDE, 100,
	 false, NULL},
	{"behind", PLAN_MMIO_BASE + PLAN_DEVICES_MAX *PLAN_MMIO_STRIDE, 0x8000,
	 2, false, NULL},
	{"ecam", PLAN_ECAM_BASE, 32 * 0x8000, 40, false, NULL},
	{"bars", PLAN_PCI_BASE, 0x100000, 100, false, NULL},
	{"ioapic", 0xfec00000, 0x1000, 4, true, NULL},
	{"apic", 0xfee00000, 0x1000, 1, true, NULL},
	{"top", 0xfffb0000, 0x50000, 2, false, NULL},
	{"above", 1ull << 39, 0x10000, 2, false, NULL},
};

static void map_regions(void)
{
	for (unsigned i = 0; i < COUNT(regions); i++) {
		struct region *r = &regions[i];

		r->va = physical_try(r->base, r->bytes);
		if (!r->va) {
			printf("no %s\n", r->name);
			r->weight = 0;
		}
	}
}

static struct region *choose_region(struct whim *w)
{
	unsigned all = 0, at;

	for (unsigned i = 0; i < COUNT(regions); i++)
		all += regions[i].weight;
	at = whim_below(w, all);
	for (unsigned i = 0;; i++) {
		if (at < regions[i].weight)
			return &regions[i];
		at -= regions[i].weight;
	}
}

/** place() - an offset into @r: near the beginning of one of its pages, most
 * often, where registers are. */
static uint64_t place(struct whim *w, const struct region *r, unsigned bytes)
{
	static const unsigned spread[] = {0x40, 0x100, 0x140, PAGE};
	uint64_t pages = r->bytes / PAGE, at;

	if (!whim_one_in(w, 5) && pages > 64)
		pages = 64;
	at = whim_below(w, (unsigned)pages) * PAGE;
	at += whim_below(w, spread[whim_below(w, COUNT(spread))]);
	if (!whim_one_in(w, 4))
		at &= ~(uint64_t)(bytes - 1);
	return at + bytes > r->bytes ? r->bytes - bytes : at;
}

static void access_memory(volatile uint8_t *at, unsigned bytes, bool write,
			  uint64_t any)
{
	switch (bytes) {
	case 1:
		write ? (void)(*at = (uint8_t)any) : (void)*at;
		break;
	case 2:
		write ? (void)(*(volatile uint16_t *)at = (uint16_t)any)
		      : (void)*(volatile uint16_t *)at;
		break;
	case 4:
		write ? (void)(*(volatile uint32_t *)at = (uint32_t)any)
		      : (void)*(volatile uint32_t *)at;
		break;
	case 8:
		write ? (void)(*(volatile uint64_t *)at = any)
		      : (void)*(volatile uint64_t *)at;
		break;
	default: /* one instruction of 16 bytes */
		if (write)
			__asm__ volatile("movups %%xmm0, (%0)" ::"r"(at)
					 : "memory");
		else
			__asm__ volatile("movups (%0), %%xmm0" ::"r"(at)
					 : "memory", "xmm0");
	}
}

/** copy() - one instruction with many accesses. */
static void copy(struct whim *w, uint8_t *at, uint64_t room)
{
	uint8_t *to = at, *from = page[0].va;
	uint64_t count = 1 + whim_below(w, 64);

	if (count > room)
		count = room;
	if (whim_one_in(w, 2)) {
		to = page[0].va;
		from = at;
	}
	__asm__ volatile("rep movsb"
			 : "+D"(to), "+S"(from), "+c"(count)::"memory");
}

/** is_doorbell() - would a write of up to 64 bytes there ring EXIT or POWEROFF
 * of the harness, device 0? */
static bool is_doorbell(const struct region *r, uint64_t at)
{
	return r->base == PLAN_MMIO_BASE &&
	       at + 64 > VIRTIO_MMIO_CONFIG + HARNESS_REG_EXIT &&
	       at < VIRTIO_MMIO_CONFIG + HARNESS_CONFIG_BYTES;
}

static bool do_memory(struct whim *w)
{
	struct region *r = choose_region(w);
	unsigned bytes = 1u << whim_below(w, 5);
	uint64_t at = place(w, r, bytes);
	bool write = whim_one_in(w, 2);

	if (gentle && r->deadly)
		access_memory(r->va + at, bytes, false, 0);
	else if (is_doorbell(r, at) && !whim_one_in(w, 500))
		access_memory(r->va + at, bytes, false, 0);
	else if (whim_one_in(w, 50))
		copy(w, r->va + at, r->bytes - at);
	else
		access_memory(r->va + at, bytes, write, value(w));
	return true;
}

/* --- ports */

/** ends_vm() - is it there to switch the machine off, reset it, panic? */
static bool ends_vm(uint16_t port)
{
	return port == 0x64 || port == 0x505 || port == 0x600 ||
	       port == 0x602 || port == 0x604 || port == 0xb004 ||
	       port == 0xcf9;
}

static uint16_t choose_port(struct whim *w)
{
	static const uint16_t known[] = {0x20,  0x40,  0x60,  0x70,  0x80,
					 0xa0,  0x3f8, 0x505, 0x600, 0x604,
					 0xcf8, 0xcfc, 0xb004};

	if (whim_one_in(w, 3))
		return (uint16_t)whim_any(w);
	return (uint16_t)(known[whim_below(w, COUNT(known))] +
			  whim_below(w, 8));
}

static void strings(struct whim *w, uint16_t port, bool write)
{
	void *at = page[1].va;
	unsigned long count = whim_below(w, 100);

	switch (whim_below(w, 3)) {
	case 0:
		write ? outsb(port, at, count) : insb(port, at, count);
		break;
	case 1:
		write ? outsw(port, at, count) : insw(port, at, count);
		break;
	default:
		write ? outsl(port, at, count) : insl(port, at, count);
	}
}

static bool do_msr(struct whim *w)
{
	return msr_act(w, gentle);
}

static bool do_port(struct whim *w)
{
	uint16_t port = choose_port(w);
	uint32_t any = (uint32_t)value(w);
	bool write = whim_one_in(w, 2);

	if (write && ends_vm(port) && !whim_one_in(w, 2000))
		return false;
	switch (whim_below(w, 4)) {
	case 0:
		write ? outb((uint8_t)any, port) : (void)inb(port);
		break;
	case 1:
		write ? outw((uint16_t)any, port) : (void)inw(port);
		break;
	case 2:
		write ? outl(any, port) : (void)inl(port);
		break;
	default:
		strings(w, port, write);
	}
	return true;
}

/* --- hypercalls */

/** hypercall() - by the instruction at @code, and return. */
static void hypercall(struct whim *w, const uint8_t *code)
{
	uint64_t rax = whim_below(w, 16), rbx = value(w), rcx = value(w);
	uint64_t rdx = value(w), rsi = value(w);

	if (whim_one_in(w, 4))
		rax = value(w);
	__asm__ volatile("sub $128, %%rsp; call *%5; add $128, %%rsp"
			 : "+a"(rax), "+b"(rbx), "+c"(rcx), "+d"(rdx), "+S"(rsi)
			 : "r"(code)
			 : "memory", "cc");
}

/** do_hypercall() - one vendor's instruction or the other's. KVM may write the
 * right one over it; refused by a signal, it was tried as well. */
static bool do_hypercall(struct whim *w)
{
	static uint8_t *code;

	if (!code)
		code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (code == MAP_FAILED)
		return false;
	memcpy(code,
	       whim_one_in(w, 2) ? "\x0f\x01\xc1\xc3" /* vmcall; ret */
				 : "\x0f\x01\xd9\xc3" /* vmmcall; ret */,
	       4);
	if (!sigsetjmp(again, 1))
		hypercall(w, code);
	return true;
}

/* --- all of it */

static struct kind {
	const char *name;
	bool (*act)(struct whim *w);
	unsigned weight;
	unsigned long times;
} kinds[] = {
	{"memory", do_memory, 60, 0},
	{"ports", do_port, 30, 0},
	{"msrs", do_msr, 8, 0},
	{"hypercalls", do_hypercall, 2, 0},
};

static struct kind *choose_kind(struct whim *w)
{
	unsigned at = whim_below(w, 100);

	for (unsigned i = 0;; i++) {
		if (at < kinds[i].weight)
			return &kinds[i];
		at -= kinds[i].weight;
	}
}

static void prepare(void)
{
	static const int signals[] = {SIGSEGV, SIGILL, SIGBUS};
	const struct sigaction action = {.sa_handler = caught};

	map_regions();
	physical_pages(page, PAGES, 0);
	if (iopl(3) < 0) {
		printf("iopl: %s\n", strerror(errno));
		exit(3);
	}
	if (!msr_open())
		printf("no msrs\n");
	for (unsigned i = 0; i < COUNT(signals); i++)
		(void)sigaction(signals[i], &action, NULL);
}

int main(int argc, char **argv)
{
	struct whim w;
	time_t begin, seconds;

	if (argc != 3)
		return 2;
	whim_init(&w, strtoull(argv[1], NULL, 0));
	prepare();
	printf("seed %s\n", argv[1]);
	(void)fflush(stdout);
	begin = time(NULL);
	seconds = atoi(argv[2]);
	while (time(NULL) < begin + seconds) {
		struct kind *kind = choose_kind(&w);

		gentle = time(NULL) < begin + seconds / 2;
		if (!sigsetjmp(again, 1) && kind->act(&w))
			kind->times++;
	}
	for (unsigned i = 0; i < COUNT(kinds); i++)
		printf("%s %lu\n", kinds[i].name, kinds[i].times);
	return 0;
}
