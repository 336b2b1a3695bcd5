/* SPDX-License-Identifier: Apache-2.0 */
/* ioapic.c - an I/O APIC for edges. Numbers in brackets: Intel 82093AA. */
#include "runner/vmm/ioapic.h"

#include <assert.h>
#include <string.h>

#define REG_SELECT 0x00u
#define REG_WINDOW 0x10u

#define INDEX_ID      0x00u
#define INDEX_VERSION 0x01u
#define INDEX_TABLE   0x10u /* two registers a pin */
#define VERSION       0x11u
#define LAST_PIN      16

/* A redirection entry [3.2.4] */
#define ENTRY_VECTOR      0xffull
#define ENTRY_MODE        0x700ull
#define ENTRY_LOGICAL     (1ull << 11)
#define ENTRY_MASKED      (1ull << 16)
#define ENTRY_WRITABLE    0xff0000000001afffull
#define ENTRY_DESTINATION 56

#define MSI_ADDRESS     0xfee00000u
#define MSI_LOGICAL     (1u << 2)
#define MSI_DESTINATION 12

void ioapic_init(struct ioapic *io, unsigned pins,
		 void (*send)(void *ctx, uint32_t msi_address,
			      uint32_t msi_data),
		 void *ctx)
{
	assert(pins && pins <= IOAPIC_PINS_MAX);
	*io = (struct ioapic){.pins = pins, .send = send, .ctx = ctx};
	pthread_mutex_init(&io->lock, NULL);
	for (unsigned pin = 0; pin < pins; pin++)
		io->entry[pin] = ENTRY_MASKED;
}

/** send() - a pin's message (Intel SDM vol. 3, 11.11): the entry in another
 * arrangement. Its trigger mode is left out: there are only edges. */
static void send(struct ioapic *io, unsigned pin)
{
	uint64_t entry = io->entry[pin];
	uint32_t address = MSI_ADDRESS;

	address |= (uint32_t)(entry >> ENTRY_DESTINATION) << MSI_DESTINATION;
	if (entry & ENTRY_LOGICAL)
		address |= MSI_LOGICAL;
	io->send(io->ctx, address,
		 (uint32_t)(entry & (ENTRY_VECTOR | ENTRY_MODE)));
}

bool ioapic_raise(struct ioapic *io, unsigned pin)
{
	bool used;

	assert(pin < io->pins);
	pthread_mutex_lock(&io->lock);
	used = io->used & (1u << pin);
	if (used && io->entry[pin] & ENTRY_MASKED)
		io->pending |= 1u << pin;
	else if (used)
		send(io, pin);
	pthread_mutex_unlock(&io->lock);
	return used;
}

static uint32_t read_selected(const struct ioapic *io)
{
	uint32_t n = io->selected - INDEX_TABLE;

	if (io->selected == INDEX_VERSION)
		return VERSION | (io->pins - 1) << LAST_PIN;
	if (io->selected < INDEX_TABLE || n >= 2 * io->pins)
		return 0;
	return (uint32_t)(io->entry[n / 2] >> (n % 2 * 32));
}

static void write_selected(struct ioapic *io, uint32_t value)
{
	uint32_t n = io->selected - INDEX_TABLE, pin = n / 2;
	unsigned shift = n % 2 * 32;
	uint64_t entry;

	if (io->selected < INDEX_TABLE || pin >= io->pins)
		return;
	entry = io->entry[pin] & ~(0xffffffffull << shift);
	entry |= (uint64_t)value << shift;
	io->entry[pin] = entry & ENTRY_WRITABLE;
	io->used |= 1u << pin;
	if (!(entry & ENTRY_MASKED) && io->pending & (1u << pin)) {
		io->pending &= ~(1u << pin);
		send(io, pin);
	}
}

void ioapic_read(void *ctx, uint64_t offset, void *data, size_t len)
{
	struct ioapic *io = ctx;
	uint32_t value = 0;

	memset(data, 0, len);
	if (len != sizeof(value))
		return;
	pthread_mutex_lock(&io->lock);
	if (offset == REG_SELECT)
		value = io->selected;
	else if (offset == REG_WINDOW)
		value = read_selected(io);
	pthread_mutex_unlock(&io->lock);
	memcpy(data, &value, sizeof(value));
}

void ioapic_write(void *ctx, uint64_t offset, const void *data, size_t len)
{
	struct ioapic *io = ctx;
	uint32_t value;

	if (len != sizeof(value))
		return;
	memcpy(&value, data, sizeof(value));
	pthread_mutex_lock(&io->lock);
	if (offset == REG_SELECT)
		io->selected = value & 0xff;
	else if (offset == REG_WINDOW)
		write_selected(io, value);
	pthread_mutex_unlock(&io->lock);
}
