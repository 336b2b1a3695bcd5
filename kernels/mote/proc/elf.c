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
	if (p->p_memsz == 0)
		return 0;
	if (p->p_filesz > p->p_memsz || p->p_vaddr >= VM_USER_TOP ||
	    p->p_memsz > VM_USER_TOP - p->p_vaddr)
		return -EINVAL;
	if (p->p_offset > INT64_MAX - p->p_filesz)
		return -EINVAL;
	if ((p->p_offset ^ p->p_vaddr) & (PAGE_SIZE - 1))
		return -EINVAL;
	if (e->end && (p->p_vaddr & PAGE_MASK) < e->start)
		return -EINVAL; /* the format asks for ascending order */
	if (!e->end)
		e->start = p->p_vaddr & PAGE_MASK;
	e->end = MAX(e->end, page_up(p->p_vaddr + p->p_memsz));
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

static int take_phdrs(struct elf_image *e, uint64_t phoff)
{
	const Elf64_Phdr *p = e->phdr;
	int r = 0;

	for (uint32_t i = 0; i < e->phnum && r == 0; i++, p++) {
		if (p->p_type == PT_LOAD) {
			r = take_load(e, p);
			if (phoff >= p->p_offset &&
			    phoff - p->p_offset < p->p_filesz)
				e->phdr_vaddr =
					phoff - p->p_offset + p->p_vaddr;
		} else if (p->p_type == PT_INTERP && !e->interp[0]) {
			r = take_interp(e, p);
		} else if (p->p_type == PT_GNU_STACK) {
			e->exec_stack = p->p_flags & PF_X;
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

static uint32_t prot_of(const Elf64_Phdr *p)
{
	return (p->p_flags & PF_R ? PROT_READ : 0u) |
	       (p->p_flags & PF_W ? PROT_WRITE : 0u) |
	       (p->p_flags & PF_X ? PROT_EXEC : 0u);
}

/* Bytes of the last file page behind the segment's end must read zero. */
static int zero_tail(struct vm *vm, uint64_t addr)
{
	uint64_t pa, left, bytes = -addr & (PAGE_SIZE - 1);

	if (bytes == 0)
		return 0;
	if (vm_translate(vm, addr, bytes, true, &pa, &left) < 0)
		return -ENOMEM;
	bulk_zero(pa_to_va(pa), bytes);
	return 0;
}

static int map_load(const struct elf_image *e, const Elf64_Phdr *p,
		    struct vm *vm, uint64_t bias)
{
	uint64_t start = (p->p_vaddr & PAGE_MASK) + bias;
	uint64_t file_end = p->p_vaddr + p->p_filesz + bias;
	uint64_t mem_end = page_up(p->p_vaddr + p->p_memsz + bias);
	uint64_t zero_start = page_up(file_end), got;
	uint32_t prot = prot_of(p);
	int r = 0;

	if (p->p_filesz)
		r = vm_map(vm, start, zero_start - start, prot, 0, e->file,
			   (p->p_offset & PAGE_MASK) / PAGE_SIZE, &got);
	else
		zero_start = start;
	if (r == 0 && p->p_filesz && p->p_memsz > p->p_filesz &&
	    (prot & PROT_WRITE))
		r = zero_tail(vm, file_end);
	if (r == 0 && mem_end > zero_start)
		r = vm_map(vm, zero_start, mem_end - zero_start, prot, 0, NULL,
			   0, &got);
	return r;
}

int elf_map(const struct elf_image *e, struct vm *vm, uint64_t bias,
	    uint64_t *ret_brk)
{
	const Elf64_Phdr *p = e->phdr;
	int r = 0;

	if (bias > VM_USER_TOP - e->end || e->start + bias < VM_USER_MIN)
		return -ENOMEM;
	for (uint32_t i = 0; i < e->phnum && r == 0; i++)
		if (p[i].p_type == PT_LOAD && p[i].p_memsz)
			r = map_load(e, &p[i], vm, bias);
	if (r == 0)
		*ret_brk = e->end + bias;
	return r;
}
