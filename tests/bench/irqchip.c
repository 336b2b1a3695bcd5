/* SPDX-License-Identifier: Apache-2.0 */
/* irqchip.c - what each kind of interrupt controller costs the start and the
 * end of a VM. docs/architecture.md rests its choice on what this prints.
 *
 * For every kind: a process makes a VM with one vCPU and 2 MiB, runs it to its
 * first exit, and ends without tidying up, as a VMM does. The time is from
 * before fork() to after waitpid(), because the kernel destroys the VM while
 * the process ends. Kinds take turns, so that a noisy moment hits all.
 *
 * Usage: irqchip [ROUNDS] */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs/clock.h"

#define GUEST_BYTES (2u << 20)
#define ROUNDS_MAX  500
#define SPLIT_PINS  24
#define MSI_ADDRESS 0xfee00000u
#define MSI_VECTOR  0x40u
#define DOORBELL    0xd0000000u /* for the ioeventfd; not memory */

enum {
	FULL = 1,
	SPLIT = 2,
	MSI = 4,
	IOEVENTFD = 8,
	IRQFD = 16
};

static const struct {
	const char *name;
	unsigned has;
} kind[] = {
	{"none", 0},
	{"full", FULL},
	{"split", SPLIT},
	{"split, one MSI signalled", SPLIT | MSI},
	{"split, one ioeventfd", SPLIT | IOEVENTFD},
	{"split, one irqfd", SPLIT | IRQFD},
};
#define KINDS (sizeof(kind) / sizeof(kind[0]))

struct phases { /* shared with the children */
	double created, running;
};

static double ms_since(uint64_t start)
{
	return (double)(clock_ns() - start) / 1e6;
}

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "irqchip: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void add_controller(int vm, unsigned has)
{
	struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP,
				       .args = {SPLIT_PINS}};

	if (has & FULL)
		need(!ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	if (has & SPLIT)
		need(!ioctl(vm, KVM_ENABLE_CAP, &split), "split irqchip");
}

static void add_routes(int vm, unsigned has)
{
	struct kvm_msi msi = {.address_lo = MSI_ADDRESS, .data = MSI_VECTOR};
	struct kvm_ioeventfd io = {.addr = DOORBELL, .len = 4};
	struct kvm_irqfd irq = {0};
	const struct kvm_irq_routing_entry entry = {
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = {.address_lo = MSI_ADDRESS, .data = MSI_VECTOR},
	};
	struct kvm_irq_routing *route;

	if (has & MSI)
		need(ioctl(vm, KVM_SIGNAL_MSI, &msi) >= 0, "KVM_SIGNAL_MSI");
	if (has & IOEVENTFD) {
		io.fd = eventfd(0, EFD_CLOEXEC);
		need(!ioctl(vm, KVM_IOEVENTFD, &io), "KVM_IOEVENTFD");
	}
	if (has & IRQFD) {
		irq.fd = (uint32_t)eventfd(0, EFD_CLOEXEC);
		route = calloc(1, sizeof(*route) + sizeof(entry));
		need(route != NULL, "memory");
		route->nr = 1;
		memcpy(route->entries, &entry, sizeof(entry));
		need(!ioctl(vm, KVM_SET_GSI_ROUTING, route), "MSI route");
		free(route);
		need(!ioctl(vm, KVM_IRQFD, &irq), "KVM_IRQFD");
	}
}

/* Real mode, from address 0: out %al, $0x10; hlt */
static void add_memory(int vm)
{
	static const unsigned char code[] = {0xe6, 0x10, 0xf4};
	void *ram = mmap(NULL, GUEST_BYTES, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.memory_size = GUEST_BYTES,
		.userspace_addr = (uintptr_t)ram,
	};

	need(ram != MAP_FAILED, "guest memory");
	memcpy(ram, code, sizeof(code));
	need(!ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "memory region");
}

static void run_to_exit(int kvm, int vcpu)
{
	int bytes = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	struct kvm_regs regs = {.rflags = 2};
	struct kvm_sregs sregs;
	struct kvm_run *run;

	need(bytes > 0, "KVM_GET_VCPU_MMAP_SIZE");
	run = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		   vcpu, 0);
	need(run != MAP_FAILED, "kvm_run");
	need(!ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	need(!ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	need(!ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
	need(!ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
	errno = EPROTO;
	need(run->exit_reason == KVM_EXIT_IO, "the guest's first exit");
}

static void be_a_vmm(unsigned has, struct phases *phases)
{
	uint64_t start = clock_ns();
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm, vcpu;

	need(kvm >= 0, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	need(vm >= 0, "KVM_CREATE_VM");
	add_controller(vm, has);
	add_memory(vm);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	need(vcpu >= 0, "KVM_CREATE_VCPU");
	phases->created = ms_since(start);
	run_to_exit(kvm, vcpu);
	add_routes(vm, has);
	phases->running = ms_since(start) - phases->created;
	_exit(0);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

static double median(double *value, int count)
{
	qsort(value, (size_t)count, sizeof(*value), compare);
	return value[count / 2];
}

static double total[KINDS][ROUNDS_MAX], created[KINDS][ROUNDS_MAX],
	running[KINDS][ROUNDS_MAX];

static bool measure(unsigned k, int round, struct phases *phases)
{
	uint64_t start = clock_ns();
	pid_t child = fork();
	int status;

	if (!child)
		be_a_vmm(kind[k].has, phases);
	if (child < 0 || waitpid(child, &status, 0) != child || status)
		return false;
	total[k][round] = ms_since(start);
	created[k][round] = phases->created;
	running[k][round] = phases->running;
	return true;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 41;
	struct phases *phases =
		mmap(NULL, sizeof(*phases), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (rounds < 1 || rounds > ROUNDS_MAX || phases == MAP_FAILED) {
		fprintf(stderr, "irqchip: rounds are 1 to %d\n", ROUNDS_MAX);
		return 2;
	}
	for (int i = 0; i < rounds; i++)
		for (unsigned k = 0; k < KINDS; k++)
			if (!measure(k, i, phases))
				return 1;
	puts("| interrupt controller | whole process, ms | min | max | "
	     "create | first exit |\n|---|---|---|---|---|---|");
	for (unsigned k = 0; k < KINDS; k++) {
		double middle = median(total[k], rounds);

		printf("| %s | %.2f | %.2f | %.2f | %.2f | %.2f |\n",
		       kind[k].name, middle, total[k][0], total[k][rounds - 1],
		       median(created[k], rounds), median(running[k], rounds));
	}
	return 0;
}
