/* SPDX-License-Identifier: Apache-2.0 */
/* elf.c - ELF64 executables: check first, then map. Trusts no byte of the
 * file. The headers are read in place, from the page a mapping would show. */
#include "kernels/mote/proc/elf.h"

#include <elf.h>
#include <errno.h>
#include <sys/mman.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/page.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/mm/vm.h"

#define PAGE_MASK (~(PAGE_SIZE - 1))
#define PHNUM_MAX 128u

static uint64_t page_up(uint64_t v)
{
	return (v + PAGE_SIZE - 1) & PAGE_MASK;
}

static int check_header(const Elf64_Ehdr *h)
{
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	if (h->e_ident[EI_CLASS] != ELFCLASS64 ||
	    h->e_ident[EI_DATA] != ELFDATA2LSB || h->e_machine != EM_X86_64)
		return -ENOEXEC;
	if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
		return -ENOEXEC;
	if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == 0 ||
	    h->e_phnum > PHNUM_MAX)
		return -ENOEXEC;
	return 0;
}

/* Nearly always in the first page, where they are used in place. */
static int find_phdrs(const Elf64_Ehdr *h, struct elf_image *e)
{
	uint64_t bytes = h->e_phnum * sizeof(Elf64_Phdr);
	long n;

	if (h->e_phoff <= PAGE_SIZE - bytes && bytes <= PAGE_SIZE &&
	    h->e_phoff % 8 == 0) {
		e->phdr = (const char *)h + h->e_phoff;
		return 0;
	}
	e->phdr = e->owned = kmalloc(bytes);
	if (!e->owned)
		return -ENOMEM;
	if (h->e_phoff > INT64_MAX - bytes)
		return -ENOEXEC;
	n = file_read_kernel(e->file, e->owned, bytes, h->e_phoff);
	if (n < 0)
		return (int)n;
	return (uint64_t)n == bytes ? 0 : -ENOEXEC;
}

static int take_load(struct elf_image *e, const Elf64_Phdr *p)
{
	uint64_t vaddr = p->p_vaddr, start = vaddr & PAGE_MASK;
	uint64_t offset = p->p_offset, file_bytes = p->p_filesz;
	uint64_t bytes = p->p_memsz;

	if (bytes == 0)
		return 0;
	if (file_bytes > bytes || vaddr >= VM_USER_TOP ||
	    bytes > VM_USER_TOP - vaddr)
		return -EINVAL;
	if (offset > INT64_MAX - file_bytes)
		return -EINVAL;
	if ((offset ^ vaddr) & (PAGE_SIZE - 1))
		return -EINVAL;
	if (!e->end)
		e->start = start;
	else if (start < e->start)
		return -EINVAL; /* the format asks for ascending order */
	e->end = MAX(e->end, page_up(vaddr + bytes));
	return 0;
}

static int take_interp(struct elf_image *e, const Elf64_Phdr *p)
{
	long n;

	if (p->p_filesz < 2 || p->p_filesz > sizeof(e->interp) ||
	    p->p_offset > INT64_MAX - p->p_filesz)
		return -ENOEXEC;
	n = file_read_kernel(e->file, e->interp, p->p_filesz, p->p_offset);
	if (n < 0)
		return (int)n;
	if ((uint64_t)n != p->p_filesz || e->interp[n - 1] != '\0')
		return -ENOEXEC;
	return 0;
}

/* Where the program finds its own headers, if @p shows them. */
static void find_own_phdrs(struct elf_image *e, const Elf64_Phdr *p,
			   uint64_t phoff)
{
	if (phoff - p->p_offset < p->p_filesz && phoff >= p->p_offset)
		e->phdr_vaddr = phoff - p->p_offset + p->p_vaddr;
}

static int take_phdrs(struct elf_image *e, uint64_t phoff)
{
	const Elf64_Phdr *p = e->phdr, *end = p + e->phnum;
	int r = 0;

	for (; p < end && r == 0; p++) {
		switch (p->p_type) {
		case PT_LOAD:
			if (!e->first_load)
				e->first_load = p;
			e->loads_end = p + 1;
			find_own_phdrs(e, p, phoff);
			r = take_load(e, p);
			break;
		case PT_INTERP:
			if (!e->interp[0])
				r = take_interp(e, p);
			break;
		case PT_GNU_STACK:
			e->exec_stack = p->p_flags & PF_X;
			break;
		default:
			break;
		}
	}
	if (r == 0 && !e->end)
		r = -ENOEXEC;
	return r;
}

int elf_open(struct file *file, struct elf_image *ret)
{
	const Elf64_Ehdr *h;
	int r;

	memset(ret, 0, offsetof(struct elf_image, interp));
	ret->interp[0] = '\0';
	ret->file = file;
	if (file_size(file) < sizeof(*h))
		return -ENOEXEC;
	r = file->ops->map_page
		    ? file->ops->map_page(file, 0, false, &ret->header_pa)
		    : -EACCES;
	if (r < 0)
		return r;
	h = pa_to_va(ret->header_pa);
	r = check_header(h);
	if (r == 0) {
		ret->phnum = h->e_phnum;
		ret->entry = h->e_entry;
		ret->position_independent = h->e_type == ET_DYN;
		r = find_phdrs(h, ret);
	}
	if (r == 0)
		r = take_phdrs(ret, h->e_phoff);
	if (r < 0)
		elf_close(ret);
	return r;
}

void elf_close(struct elf_image *e)
{
	page_unref(e->header_pa);
	kfree(e->owned);
	e->owned = NULL;
}

/* The two write the same three bits in opposite order. */
static uint32_t prot_of(const Elf64_Phdr *p)
{
	uint32_t flags = p->p_flags;

	_Static_assert(PF_R >> 2 == PROT_READ && PF_W == PROT_WRITE &&
			       PF_X << 2 == PROT_EXEC,
		       "ELF flags");
	return (flags >> 2 & PROT_READ) | (flags & PROT_WRITE) |
	       (flags << 2 & PROT_EXEC);
}

/* Bytes of the last file page behind the segment's end must read zero. */
static int zero_tail(struct vm *vm, uint64_t addr)
{
	uint64_t pa, left, bytes = -addr & (PAGE_SIZE - 1);

	if (bytes == 0)
		return 0;
	if (vm_translate(vm, addr, bytes, true, &pa, &left) < 0)
		return -ENOMEM;
	memset(pa_to_va(pa), 0, bytes);
	return 0;
}

static int map_load(const struct elf_image *e, const Elf64_Phdr *p,
		    struct vm *vm, uint64_t bias)
{
	uint64_t vaddr = p->p_vaddr + bias, start = vaddr & PAGE_MASK;
	uint64_t file_bytes = p->p_filesz, bytes = p->p_memsz;
	uint64_t mem_end = page_up(vaddr + bytes), zero_start = start, got;
	uint32_t prot = prot_of(p);
	int r;

	if (file_bytes) {
		zero_start = page_up(vaddr + file_bytes);
		r = vm_map(vm, start, zero_start - start, prot, 0, e->file,
			   p->p_offset / PAGE_SIZE, &got);
		if (r == 0 && bytes > file_bytes && (prot & PROT_WRITE))
			r = zero_tail(vm, vaddr + file_bytes);
		if (r < 0)
			return r;
	}
	if (mem_end <= zero_start)
		return 0;
	return vm_map(vm, zero_start, mem_end - zero_start, prot, 0, NULL, 0,
		      &got);
}

int elf_map(const struct elf_image *e, struct vm *vm, uint64_t bias,
	    uint64_t *ret_brk)
{
	const Elf64_Phdr *p = e->first_load, *end = e->loads_end;

	if (bias > VM_USER_TOP - e->end || e->start + bias < VM_USER_MIN)
		return -ENOMEM;
	for (; p < end; p++) {
		int r = 0;

		if (p->p_type == PT_LOAD && p->p_memsz)
			r = map_load(e, p, vm, bias);
		if (r < 0)
			return r;
	}
	*ret_brk = e->end + bias;
	return 0;
}
