/* SPDX-License-Identifier: Apache-2.0 */
/* platform.c - the machine around the CPUs: I/O APIC, ports, ACPI. */
#include "runner/vmm/platform.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>

#include "base/report.h"
#include "runner/vmm/acpi.h"
#include "runner/vmm/stop.h"
#include "runner/vmm/vmgenid.h"

#define EXIT_FAILED 125u

static const struct bus_ops ioapic_ops = {
	.read = ioapic_read,
	.write = ioapic_write,
};

static void send_msi(void *ctx, uint32_t address, uint32_t data)
{
	const struct platform *p = ctx;
	struct kvm_msi msi = {.address_lo = address, .data = data};

	/* 0, or an error: no such CPU, or it masks it. The guest chose so. */
	(void)ioctl(p->guest->vm->fd, KVM_SIGNAL_MSI, &msi);
}

/** say() - a line of the serial port, on its way to the user's stderr. */
static void say(void *ctx, const char *text, size_t bytes)
{
	const struct platform *p = ctx;
	struct report_msg msg = {
		.version = REPORT_VERSION,
		.type = REPORT_SERIAL,
		.value = (uint32_t)bytes,
	};

	_Static_assert(UART_LINE_BYTES <= REPORT_TEXT_BYTES, "a line fits");
	memcpy(msg.u.text, text, bytes);
	report_send(p->guest->stop->report_fd, &msg);
}

static void serial_interrupt(void *ctx)
{
	struct platform *p = ctx;

	(void)ioapic_raise(&p->ioapic, p->serial_pin);
}

uint8_t platform_pin(const struct plan *plan, uint32_t n)
{
	uint8_t pin = IOAPIC_PIN_FIRST;

	_Static_assert(IOAPIC_PIN_FIRST + PLAN_DEVICES_MAX + 1 <=
			       IOAPIC_PINS_MAX,
		       "a pin for each, and the serial port's");
	for (uint32_t i = 0; i < n; i++)
		if (!(plan->flags & PLAN_FLAG_PCI) ||
		    plan->device[i].kind == PLAN_DEVICE_HARNESS)
			pin++;
	return pin;
}

/** pins() - how many the machine of @plan has. */
static unsigned pins(const struct plan *plan)
{
	bool serial = plan->flags & PLAN_FLAG_SERIAL;

	return platform_pin(plan, plan->device_count) + serial;
}

int platform_init(struct platform *p, const struct plan *plan,
		  struct guest *guest, struct bus *bus)
{
	const struct uart_host host = {say, serial_interrupt, p};

	p->guest = guest;
	p->flags = plan->flags;
	for (uint32_t n = 0; n < plan->device_count; n++) {
		if (plan->device[n].kind != PLAN_DEVICE_HARNESS)
			continue;
		p->has_harness = true;
		p->button_pin = platform_pin(plan, n);
	}
	p->serial_pin = platform_pin(plan, plan->device_count);
	if (!(p->flags & PLAN_FLAG_ACPI))
		return 0;
	ioapic_init(&p->ioapic, pins(plan), send_msi, p);
	uart_init(&p->uart, &host);
	return bus_add(bus, gpa(IOAPIC_GPA), IOAPIC_BYTES, &ioapic_ops,
		       &p->ioapic);
}

struct ioapic *platform_ioapic(struct platform *p)
{
	return p->flags & PLAN_FLAG_ACPI ? &p->ioapic : NULL;
}

/** new_generation() - no two starts of a VM have the same id. */
static int new_generation(const struct gmem *gm)
{
	uint8_t id[VMGENID_BYTES];

	if (getrandom(id, sizeof(id), 0) != sizeof(id))
		return -errno;
	return vmgenid_set(gm, NULL, id);
}

int platform_describe(struct platform *p, const struct plan *plan,
		      const struct gmem *gm)
{
	struct acpi_config config = {
		.cpus = plan->cpus,
		.device_count = plan->device_count,
		.pci = plan->flags & PLAN_FLAG_PCI,
		.serial = plan->flags & PLAN_FLAG_SERIAL,
		.serial_pin = (uint8_t)p->serial_pin,
	};
	int err;

	if (!(p->flags & PLAN_FLAG_ACPI))
		return 0;
	for (uint32_t n = 0; n < plan->device_count; n++) {
		struct acpi_device *dev = &config.device[n];

		dev->pin = platform_pin(plan, n);
		dev->harness = plan->device[n].kind == PLAN_DEVICE_HARNESS;
		if (!dev->harness && !config.pci)
			dev->gpa = PLAN_MMIO_BASE + n * PLAN_MMIO_STRIDE;
	}
	err = acpi_write(gm, &config);
	return err ? err : new_generation(gm);
}

/** uart_of() - the serial port, if there is one and @port is its. */
static struct uart *uart_of(struct platform *p, uint16_t port)
{
	const uint32_t both = PLAN_FLAG_ACPI | PLAN_FLAG_SERIAL;

	if ((p->flags & both) != both || port < UART_PORT ||
	    port >= UART_PORT + UART_PORTS)
		return NULL;
	return &p->uart;
}

void platform_in(struct platform *p, uint16_t port, void *data, size_t bytes)
{
	struct uart *uart = uart_of(p, port);
	uint8_t value;

	memset(data, 0xff, bytes);
	if (uart) {
		value = uart_read(uart, port - UART_PORT);
		memcpy(data, &value, 1);
	} else if (port == ACPI_PORT_PANIC && p->flags & PLAN_FLAG_ACPI) {
		value = ACPI_PANICKED; /* the one event it takes */
		memcpy(data, &value, 1);
	}
}

static _Noreturn void panicked(struct platform *p)
{
	platform_flush(p);
	stop_fail(p->guest->stop, EXIT_FAILED, "the guest kernel panicked; %s",
		  p->flags & PLAN_FLAG_SERIAL
			  ? "its last messages on stderr say why"
			  : "run it with --serial to see its messages");
}

/** acpi_out() - ports that our ACPI tables name. */
static void acpi_out(struct platform *p, uint16_t port, uint8_t value)
{
	if (port == ACPI_PORT_PANIC && value & ACPI_PANICKED)
		panicked(p);
	if (port == ACPI_PORT_RESET && value == ACPI_RESET_VALUE)
		guest_rebooted(p->guest);
	if (port == ACPI_PORT_SLEEP && acpi_is_sleep(value))
		guest_shut_down(p->guest);
	if (port == ACPI_PORT_BUTTON)
		atomic_store(&p->button_noticed, true);
}

/** is_power_off() - the ways in which kernels end a PC without our tables:
 * keyboard controller reset, ACPI sleep of QEMU and of older ones, PCI reset.
 */
static bool is_power_off(uint16_t port, uint32_t value)
{
	switch (port) {
	case 0x64:
		return (value & 0xff) == 0xfe;
	case 0x604:
	case 0xb004:
		return value & 0x2000;
	case 0xcf9:
		return value & 0x4;
	default:
		return false;
	}
}

void platform_out(struct platform *p, uint16_t port, const void *data,
		  size_t bytes)
{
	struct uart *uart = uart_of(p, port);
	uint32_t value = 0;

	memcpy(&value, data, bytes < sizeof(value) ? bytes : sizeof(value));
	if (uart)
		uart_write(uart, port - UART_PORT, (uint8_t)value);
	else if (is_power_off(port, value))
		guest_powered_off(p->guest, p->has_harness);
	else if (p->flags & PLAN_FLAG_ACPI)
		acpi_out(p, port, (uint8_t)value);
}

void platform_press_button(struct platform *p)
{
	if (!p->has_harness || !(p->flags & PLAN_FLAG_ACPI))
		return;
	atomic_store(&p->button_noticed, false);
	(void)ioapic_raise(&p->ioapic, p->button_pin);
}

bool platform_button_noticed(const struct platform *p)
{
	return atomic_load(&p->button_noticed);
}

void platform_flush(struct platform *p)
{
	if (p->flags & PLAN_FLAG_ACPI)
		uart_flush(&p->uart);
}
