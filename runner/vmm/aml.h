/* SPDX-License-Identifier: Apache-2.0 */
/* aml.h - writes ACPI Machine Language (ACPI 6.4, chapter 20) into a buffer.
 * Pure. A buffer that is too small is remembered, not overrun: aml_bytes()
 * tells in the end.
 *
 *	aml_open(scope) | contents ... | aml_close()    nesting as in source
 *text
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define AML_DEPTH_MAX   8u
#define AML_FIELD_BYTES 1u /* its flags: access by the byte, no lock */

struct aml {
	uint8_t *at;
	size_t cap, used;
	size_t open[AML_DEPTH_MAX]; /* where the lengths of packages go */
	unsigned depth;
	int failed; /* -ENOSPC once something did not fit */
};

enum aml_block { /* what has a length and contents */
	AML_SCOPE,
	AML_DEVICE,
	AML_METHOD,
	AML_PACKAGE, /* contents: its elements, counted by the caller */
	AML_BUFFER,  /* contents: aml_resource_...() and aml_end_tag() */
	AML_FIELD,   /* of the region @name; contents: aml_field_byte() */
};

void aml_init(struct aml *a, void *buffer, size_t bytes);

/** aml_open() - @name: four characters, for SCOPE also "\_SB_"; NULL for
 * PACKAGE and BUFFER. @count: of a PACKAGE's elements or a METHOD's arguments;
 * a FIELD's flags, AML_FIELD_BYTES. */
void aml_open(struct aml *a, enum aml_block block, const char *name,
	      uint8_t count);
/** aml_close() - the block opened last ends here. */
void aml_close(struct aml *a);

/** aml_name() - Name (@name, ...): the object written next is its value. */
void aml_name(struct aml *a, const char *name);
void aml_integer(struct aml *a, uint64_t value);
void aml_string(struct aml *a, const char *text);
/** aml_eisa_id() - @id: as "PNP0501", seven characters. */
void aml_eisa_id(struct aml *a, const char *id);
/** aml_notify() - Notify (@path, @value); @path: as "\_SB_PWRB". */
void aml_notify(struct aml *a, const char *path, uint64_t value);

/** aml_port_region() - @name: @count I/O ports from @base on, for an
 * AML_FIELD. */
void aml_port_region(struct aml *a, const char *name, uint16_t base,
		     uint8_t count);
/** aml_field_byte() - the next byte of the region is called @name. */
void aml_field_byte(struct aml *a, const char *name);
/** aml_store() - Store (@value, @name). */
void aml_store(struct aml *a, uint64_t value, const char *name);

/* Resource descriptors (ACPI 6.4, 6.4), in a BUFFER */

/** aml_memory32() - a fixed range, read and write. */
void aml_memory32(struct aml *a, uint32_t base, uint32_t bytes);
/** aml_ports() - a fixed range of I/O ports. */
void aml_ports(struct aml *a, uint16_t base, uint8_t count);
/** aml_interrupt() - a GSI: edge-triggered, active high, not shared. */
void aml_interrupt(struct aml *a, uint32_t gsi);
/** aml_bus_range() - bus numbers that a host bridge produces. */
void aml_bus_range(struct aml *a, uint16_t first, uint16_t last);
/** aml_window32() - memory that a host bridge passes on. */
void aml_window32(struct aml *a, uint32_t base, uint32_t bytes);
void aml_end_tag(struct aml *a);

/** aml_bytes() - what was written. @ret_bytes: set on success only.
 * Return: 0; -ENOSPC. */
int aml_bytes(const struct aml *a, size_t *ret_bytes);
