/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_elf.c - any bytes as a program the guest kernel loads. Oracle: reads
 * stay inside the file, mappings inside the span that the check announced. */
#include <stdlib.h>
#include <string.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/vm.h"
#include "kernels/mote/proc/elf.h"
#include "tests/fuzz/fuzz_driver.h"

#define BIAS 0x555555554000ul

static const uint8_t *file_data;
static size_t file_bytes;
static uint8_t *first_page; /* of the file, zero behind its end */
static uint64_t span_start, span_end;

static int map_page(struct file *f, uint64_t index, bool shared_write,
		    uint64_t *ret_pa)
{
	*ret_pa = (uint64_t)first_page - DIRECT_MAP_BASE;
	return 0;
}

long file_read_kernel(struct file *f, void *dst, uint64_t bytes, uint64_t pos)
{
	uint64_t n = pos < file_bytes ? file_bytes - pos : 0;

	n = n < bytes ? n : bytes;
	memcpy(dst, file_data + (n ? pos : 0), n);
	return (long)n;
}

uint64_t file_size(const struct file *f)
{
	return file_bytes;
}

void *kmalloc(size_t bytes)
{
	return malloc(bytes);
}

void kfree(void *p)
{
	free(p);
}

void page_unref(uint64_t pa)
{
}

int vm_translate(struct vm *vm, uint64_t addr, uint64_t want, bool write,
		 uint64_t *ret_pa, uint64_t *ret_bytes)
{
	static uint8_t page[PAGE_SIZE];

	if (addr < span_start || want > span_end - addr || want > PAGE_SIZE)
		abort();
	*ret_pa = (uint64_t)page - DIRECT_MAP_BASE;
	*ret_bytes = want;
	return 0;
}

int vm_map(struct vm *vm, uint64_t addr, uint64_t bytes, uint32_t prot,
	   uint32_t flags, struct file *file, uint64_t index,
	   uint64_t *ret_addr)
{
	if (addr % PAGE_SIZE || !bytes || addr < span_start ||
	    addr > span_end || bytes > span_end - addr || prot > 7)
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct file_ops ops = {.map_page = map_page};
	struct file f = {.ops = &ops};
	struct elf_image e;
	uint64_t bias, brk;

	file_data = data;
	file_bytes = size;
	first_page = calloc(1, PAGE_SIZE);
	memcpy(first_page, data, size < PAGE_SIZE ? size : PAGE_SIZE);
	if (elf_open(&f, &e) == 0) {
		bias = e.position_independent ? BIAS - e.start : 0;
		span_start = e.start + bias;
		span_end = e.end + bias;
		if (memchr(e.interp, 0, sizeof(e.interp)) == NULL)
			abort();
		elf_map(&e, NULL, bias, &brk);
		elf_close(&e);
	}
	free(first_page);
	return 0;
}
