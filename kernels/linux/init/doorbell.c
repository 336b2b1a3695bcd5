/* SPDX-License-Identifier: Apache-2.0 */
/* doorbell.c - the harness device, from user space: its registers are mapped
 * by /dev/mem. Where they are stands in the boot data (base/abi/bootinfo.h),
 * which Linux shows in sysfs. Its interrupt comes as a power button's
 * (runner/vmm/acpi.h), which Linux tells process 1 by a signal. */
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/reboot.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>

#include "base/abi/bootinfo.h"
#include "base/abi/harness.h"
#include "kernels/linux/init/init.h"
#include "kernels/linux/init/sys.h"

#define SETUP_DATA  "/sys/kernel/boot_params/setup_data/"
#define SETUP_NODES 8
#define BUTTON      "/sys/bus/acpi/drivers/tiny-power-button"
#define LOOK_MS     200
#define PAGE_BYTES  4096ul
#define PROT_RW     3 /* PROT_READ | PROT_WRITE */

static volatile uint8_t *window; /* NULL: there is none */
static struct bootinfo info;

static uint32_t get32(unsigned at)
{
	return *(volatile uint32_t *)(window + at);
}

static void set32(unsigned at, uint32_t value)
{
	*(volatile uint32_t *)(window + at) = value;
}

static void ring(unsigned reg, uint64_t value)
{
	*(volatile uint64_t *)(window + VIRTIO_MMIO_CONFIG + reg) = value;
}

/** node_is_ours() - one of the nodes of the boot data in @ret. */
static bool node_is_ours(char number, struct bootinfo *ret)
{
	const char digits[] = {number, '\0'};
	char path[80], type[24];
	long fd, bytes;

	text_join(path, sizeof(path),
		  (const char *const[]){SETUP_DATA, digits, "/type", NULL});
	if (text_file(path, type, sizeof(type)) <= 0 ||
	    text_number(type) != BOOTINFO_SETUP_TYPE)
		return false;
	text_join(path, sizeof(path),
		  (const char *const[]){SETUP_DATA, digits, "/data", NULL});
	fd = sys_open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bytes = sys_read((int)fd, ret, sizeof(*ret));
	sys_close((int)fd);
	return bytes == sizeof(*ret) && ret->version == BOOTINFO_VERSION;
}

/** read_fixed() - a kernel that was entered by PVH shows no setup_data: it is
 * read where it lies (bootinfo.h). */
static bool read_fixed(struct bootinfo *ret)
{
	struct {
		uint64_t next;
		uint32_t type, bytes;
		struct bootinfo info;
	} node = {0};
	long fd = sys_open("/dev/mem", O_RDONLY | O_CLOEXEC), bytes;

	if (fd < 0)
		return false;
	bytes = sys4(__NR_pread64, fd, &node, sizeof(node), BOOTINFO_PVH_GPA);
	sys_close((int)fd);
	if (bytes != sizeof(node) || node.type != BOOTINFO_SETUP_TYPE ||
	    node.bytes != sizeof(*ret) || node.info.version != BOOTINFO_VERSION)
		return false;
	*ret = node.info;
	return true;
}

/** find() - the window of the first device of a kind; 0: there is none. */
static uint64_t find(uint32_t virtio_id)
{
	for (uint32_t i = 0; i < BOOTINFO_DEVICES_MAX; i++) {
		if (i < info.device_count &&
		    info.device[i].device_id == virtio_id)
			return info.device[i].gpa;
	}
	return 0;
}

bool doorbell_has_device(uint32_t virtio_id)
{
	for (uint32_t i = 0; i < BOOTINFO_DEVICES_MAX; i++) {
		if (i < info.device_count &&
		    info.device[i].device_id == virtio_id)
			return true;
	}
	return false;
}

/** handshake() - virtio 1.2, 3.1.1, without queues: then the device may
 * interrupt. */
static void handshake(void)
{
	uint32_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	set32(VIRTIO_MMIO_STATUS, 0);
	set32(VIRTIO_MMIO_STATUS, status);
	set32(VIRTIO_MMIO_DRIVER_FEATURES_SEL, 1);
	set32(VIRTIO_MMIO_DRIVER_FEATURES, 1u << (VIRTIO_F_VERSION_1 - 32));
	status |= VIRTIO_CONFIG_S_FEATURES_OK;
	set32(VIRTIO_MMIO_STATUS, status);
	set32(VIRTIO_MMIO_STATUS, status | VIRTIO_CONFIG_S_DRIVER_OK);
}

bool doorbell_find(void)
{
	uint64_t gpa;
	long fd, at;
	char n = '0';

	while (n < '0' + SETUP_NODES && !node_is_ours(n, &info))
		n++;
	if (n == '0' + SETUP_NODES && !read_fixed(&info))
		info.device_count = 0;
	gpa = find(HARNESS_DEVICE_ID);
	if (!gpa)
		return false;
	fd = sys_open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	if (fd < 0)
		return false;
	at = sys6(__NR_mmap, 0, PAGE_BYTES, PROT_RW, MAP_SHARED, fd, (long)gpa);
	sys_close((int)fd);
	if (at < 0 && at > -(long)PAGE_BYTES)
		return false;
	window = (volatile uint8_t *)at; /* NOLINT: what mmap(2) gives */
	if (get32(VIRTIO_MMIO_DEVICE_ID) != HARNESS_DEVICE_ID) {
		window = NULL;
		return false;
	}
	handshake();
	return true;
}

uint32_t doorbell_requests(void)
{
	if (!window)
		return 0;
	set32(VIRTIO_MMIO_INTERRUPT_ACK, get32(VIRTIO_MMIO_INTERRUPT_STATUS));
	return get32(VIRTIO_MMIO_CONFIG + HARNESS_REG_PENDING);
}

uint32_t doorbell_terminal(void)
{
	return window ? get32(VIRTIO_MMIO_CONFIG + HARNESS_REG_TERMINAL) : 0;
}

int doorbell_look_ms(void)
{
	return sys2(__NR_access, BUTTON, 0) ? LOOK_MS : -1;
}

void doorbell_ready(void)
{
	/* A vCPU's TSC starts at 0 when it is made, shortly before entry. */
	if (window)
		ring(HARNESS_REG_READY, __builtin_ia32_rdtsc());
}

/** physical() - of a page of ours that is in memory. 0: cannot be told. */
static uint64_t physical(const void *at)
{
	uint64_t address = (uint64_t)(uintptr_t)at, entry = 0;
	long fd = sys_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	sys4(__NR_pread64, fd, &entry, sizeof(entry),
	     address / PAGE_BYTES * sizeof(entry));
	sys_close((int)fd);
	/* Documentation/admin-guide/mm/pagemap.rst: bits 0-54, bit 63. */
	if (!(entry >> 63))
		return 0;
	return (entry & ((1ull << 55) - 1)) * PAGE_BYTES + address % PAGE_BYTES;
}

void doorbell_panic(const char *text)
{
	static _Alignas(4096) struct harness_report report;
	long fd = sys_open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	uint64_t at;

	sys_write((int)fd, text, text_len(text));
	report.type = HARNESS_REPORT_PANIC;
	report.bytes = (uint32_t)text_len(text);
	__builtin_memcpy(report.payload, text, report.bytes);
	at = physical(&report);
	if (window && at)
		ring(HARNESS_REG_REPORT, at);
}

/** doorbell_exit() - the host ends the machine when the output of the program
 * is where it belongs; until then there is nothing to do. */
void doorbell_exit(uint32_t status)
{
	if (window)
		ring(HARNESS_REG_EXIT, status);
	else
		sys4(__NR_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
		     LINUX_REBOOT_CMD_POWER_OFF, 0);
	for (;;)
		sys0(__NR_pause);
}
