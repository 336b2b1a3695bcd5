/* SPDX-License-Identifier: Apache-2.0 */
/* aml.c - writes ACPI Machine Language. Numbers in brackets: ACPI 6.4. */
#include "runner/vmm/aml.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define OP_NAME    0x08
#define OP_BYTE    0x0a
#define OP_WORD    0x0b
#define OP_DWORD   0x0c
#define OP_STRING  0x0d
#define OP_QWORD   0x0e
#define OP_SCOPE   0x10
#define OP_BUFFER  0x11
#define OP_PACKAGE 0x12
#define OP_METHOD  0x14
#define OP_DUAL    0x2e /* a name of two parts follows */
#define OP_EXT     0x5b
#define OP_STORE   0x70
#define OP_REGION  0x80 /* after OP_EXT, the next two as well */
#define OP_FIELD   0x81
#define OP_DEVICE  0x82
#define OP_NOTIFY  0x86

#define REGION_PORTS 1 /* SystemIO [20.2.5.2] */
#define BYTE_BITS    8 /* as a PkgLength, too */

/* Always this form of PkgLength [20.2.4]: four bits, then two bytes. */
#define LENGTH_BYTES      3u
#define LENGTH_MAX        0xfffffu
#define BUFFER_SIZE_BYTES 3u /* OP_WORD and a word */

void aml_init(struct aml *a, void *buffer, size_t bytes)
{
	*a = (struct aml){.at = buffer, .cap = bytes};
}

static void put(struct aml *a, const void *bytes, size_t count)
{
	if (a->failed || count > a->cap - a->used) {
		a->failed = -ENOSPC;
		return;
	}
	memcpy(a->at + a->used, bytes, count);
	a->used += count;
}

static void put_byte(struct aml *a, unsigned value)
{
	const uint8_t byte = (uint8_t)value;

	put(a, &byte, 1);
}

/** put_number() - little-endian, as x86 has it. */
static void put_number(struct aml *a, uint64_t value, size_t bytes)
{
	put(a, &value, bytes);
}

/** put_name() - NameString [20.2.2]: a segment, or a path of two. */
static void put_name(struct aml *a, const char *name)
{
	if (*name == '\\')
		put_byte(a, (uint8_t)*name++);
	if (strlen(name) == 8)
		put_byte(a, OP_DUAL);
	put(a, name, strlen(name));
}

void aml_open(struct aml *a, enum aml_block block, const char *name,
	      uint8_t count)
{
	static const uint8_t op[] = {
		[AML_SCOPE] = OP_SCOPE,   [AML_DEVICE] = OP_DEVICE,
		[AML_METHOD] = OP_METHOD, [AML_PACKAGE] = OP_PACKAGE,
		[AML_BUFFER] = OP_BUFFER, [AML_FIELD] = OP_FIELD,
	};

	assert(a->depth < AML_DEPTH_MAX);
	if (block == AML_DEVICE || block == AML_FIELD)
		put_byte(a, OP_EXT);
	put_byte(a, op[block]);
	a->open[a->depth++] = a->used;
	put_number(a, 0, LENGTH_BYTES);
	if (name)
		put_name(a, name);
	if (block == AML_METHOD || block == AML_PACKAGE || block == AML_FIELD)
		put_byte(a, count);
	else if (block == AML_BUFFER)
		put_number(a, OP_WORD, BUFFER_SIZE_BYTES);
}

void aml_close(struct aml *a)
{
	size_t start, bytes;

	assert(a->depth);
	start = a->open[--a->depth];
	if (a->failed)
		return;
	bytes = a->used - start;
	if (bytes > LENGTH_MAX) {
		a->failed = -ENOSPC;
		return;
	}
	a->at[start] = (uint8_t)(0x80 | (bytes & 0xf));
	a->at[start + 1] = (uint8_t)(bytes >> 4);
	a->at[start + 2] = (uint8_t)(bytes >> 12);
	if (a->at[start - 1] == OP_BUFFER) {
		bytes -= LENGTH_BYTES + BUFFER_SIZE_BYTES;
		a->at[start + LENGTH_BYTES + 1] = (uint8_t)bytes;
		a->at[start + LENGTH_BYTES + 2] = (uint8_t)(bytes >> 8);
	}
}

void aml_name(struct aml *a, const char *name)
{
	put_byte(a, OP_NAME);
	put_name(a, name);
}

void aml_integer(struct aml *a, uint64_t value)
{
	if (value <= 1) { /* ZeroOp, OneOp */
		put_byte(a, (unsigned)value);
	} else if (value <= UINT8_MAX) {
		put_byte(a, OP_BYTE);
		put_number(a, value, 1);
	} else if (value <= UINT16_MAX) {
		put_byte(a, OP_WORD);
		put_number(a, value, 2);
	} else if (value <= UINT32_MAX) {
		put_byte(a, OP_DWORD);
		put_number(a, value, 4);
	} else {
		put_byte(a, OP_QWORD);
		put_number(a, value, 8);
	}
}

void aml_string(struct aml *a, const char *text)
{
	put_byte(a, OP_STRING);
	put(a, text, strlen(text) + 1);
}

static unsigned hex_digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
}

/** aml_eisa_id() - three letters of five bits each, then four digits; the
 * 32-bit number has its most significant byte first [19.6.36]. */
void aml_eisa_id(struct aml *a, const char *id)
{
	uint32_t value = 0;

	assert(strlen(id) == 7);
	for (int i = 0; i < 3; i++)
		value = value << 5 | ((uint32_t)id[i] & 0x1f);
	for (int i = 3; i < 7; i++)
		value = value << 4 | hex_digit(id[i]);
	put_byte(a, OP_DWORD);
	put_number(a, __builtin_bswap32(value), 4);
}

void aml_notify(struct aml *a, const char *path, uint64_t value)
{
	put_byte(a, OP_NOTIFY);
	put_name(a, path);
	aml_integer(a, value);
}

void aml_port_region(struct aml *a, const char *name, uint16_t base,
		     uint8_t count)
{
	put_byte(a, OP_EXT);
	put_byte(a, OP_REGION);
	put_name(a, name);
	put_byte(a, REGION_PORTS);
	aml_integer(a, base);
	aml_integer(a, count);
}

void aml_field_byte(struct aml *a, const char *name)
{
	put_name(a, name);
	put_byte(a, BYTE_BITS);
}

void aml_store(struct aml *a, uint64_t value, const char *name)
{
	put_byte(a, OP_STORE);
	aml_integer(a, value);
	put_name(a, name);
}

void aml_memory32(struct aml *a, uint32_t base, uint32_t bytes)
{
	put_byte(a, 0x86); /* [6.4.3.4] */
	put_number(a, 9, 2);
	put_byte(a, 1); /* read and write */
	put_number(a, base, 4);
	put_number(a, bytes, 4);
}

void aml_ports(struct aml *a, uint16_t base, uint8_t count)
{
	put_byte(a, 0x47); /* [6.4.2.5] */
	put_byte(a, 1);    /* all 16 bits are decoded */
	put_number(a, base, 2);
	put_number(a, base, 2);
	put_byte(a, 1);
	put_byte(a, count);
}

void aml_interrupt(struct aml *a, uint32_t gsi)
{
	put_byte(a, 0x89); /* [6.4.3.6] */
	put_number(a, 6, 2);
	put_byte(a, 0x3); /* consumer, edge, active high, exclusive */
	put_byte(a, 1);
	put_number(a, gsi, 4);
}

/** put_address() - an address space descriptor, @width bytes a number
 * [6.4.3.5]: fixed, a range that the bridge produces. */
static void put_address(struct aml *a, unsigned type, unsigned specific,
			uint32_t first, uint32_t last, size_t width)
{
	put_byte(a, width == 2 ? 0x88 : 0x87);
	put_number(a, 3 + 5 * width, 2);
	put_byte(a, type);
	put_byte(a, 0xc); /* both ends are fixed; positively decoded */
	put_byte(a, specific);
	put_number(a, 0, width); /* granularity */
	put_number(a, first, width);
	put_number(a, last, width);
	put_number(a, 0, width); /* not translated */
	put_number(a, (uint64_t)last - first + 1, width);
}

void aml_bus_range(struct aml *a, uint16_t first, uint16_t last)
{
	put_address(a, 2, 0, first, last, 2);
}

void aml_window32(struct aml *a, uint32_t base, uint32_t bytes)
{
	put_address(a, 0, 1, base, base + (bytes - 1), 4);
}

void aml_end_tag(struct aml *a)
{
	put_number(a, 0x79, 2); /* checksum 0: not given */
}

int aml_bytes(const struct aml *a, size_t *ret_bytes)
{
	assert(!a->depth);
	if (a->failed)
		return a->failed;
	*ret_bytes = a->used;
	return 0;
}
