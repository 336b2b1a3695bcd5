/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_reloc.c - a Linux kernel moved by its own table: each kind of place,
 * and tables and headers that lie. */
#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/plan.h"
#include "runner/cli/elf_file.h"
#include "runner/cli/kernel_elf.h"
#include "runner/cli/kernel_kaslr.h"
#include "runner/cli/kernel_reloc.h"

#define LINKED 0x1000000ull /* physical; virtual + KERNEL_RELOC_START */
#define WIDE   8u           /* where in text the places are */
#define NARROW 16u
#define AWAY   24u
#define VALUE  0xffffffff81000010ull

struct file {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[2];
	uint8_t text[64];
	Elf64_Shdr shdr[2];
	uint32_t table[8];
};

/** entry() - the lower half of a place's link address. */
static uint32_t entry(uint32_t offset)
{
	return (uint32_t)(KERNEL_RELOC_START + LINKED + offset);
}

static void good(struct file *f)
{
	const uint64_t wide = VALUE;
	const uint32_t narrow = (uint32_t)VALUE, away = 0x1000;

	memset(f, 0, sizeof(*f));
	memcpy(f->ehdr.e_ident, ELFMAG "\2\1\1", 7);
	f->ehdr.e_type = ET_EXEC;
	f->ehdr.e_machine = EM_X86_64;
	f->ehdr.e_entry = LINKED;
	f->ehdr.e_phoff = offsetof(struct file, phdr);
	f->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	f->ehdr.e_phnum = 2;
	f->ehdr.e_shoff = offsetof(struct file, shdr);
	f->ehdr.e_shentsize = sizeof(Elf64_Shdr);
	f->ehdr.e_shnum = 2;
	f->phdr[0] = (Elf64_Phdr){.p_type = PT_NOTE};
	f->phdr[1] = (Elf64_Phdr){.p_type = PT_LOAD,
				  .p_offset = offsetof(struct file, text),
				  .p_vaddr = KERNEL_RELOC_START + LINKED,
				  .p_paddr = LINKED,
				  .p_filesz = sizeof(f->text),
				  .p_memsz = 0x100000};
	f->shdr[1] = (Elf64_Shdr){.sh_type = SHT_PROGBITS,
				  .sh_offset = offsetof(struct file, text),
				  .sh_size = sizeof(f->text)};
	memcpy(f->text + WIDE, &wide, sizeof(wide));
	memcpy(f->text + NARROW, &narrow, sizeof(narrow));
	memcpy(f->text + AWAY, &away, sizeof(away));
	f->table[1] = entry(WIDE);
	f->table[3] = entry(AWAY);
	f->table[5] = entry(NARROW);
	f->table[6] = entry(NARROW + 4);
	f->table[7] = entry(sizeof(f->text) - 4);
}

static int fd_of(const struct file *f, size_t bytes)
{
	int fd = memfd_create("kernel", MFD_CLOEXEC);

	cr_assert_eq(fd_write_all(fd, f, bytes), 0);
	return fd;
}

/** move() - the first @bytes of @f, by one step. */
static int move(struct file *f, size_t bytes, const char **why)
{
	cleanup_elf_file struct elf_file elf = {.fd = -1};
	int fd = fd_of(f, bytes);
	struct kernel_reloc r;
	int err = elf_file_read(fd, &elf, why);

	if (!err)
		err = kernel_reloc_find(&elf, (uint8_t *)f, &r, why);
	if (!err)
		err = kernel_reloc_apply(&r, (uint8_t *)f, 1, why);
	close(fd);
	return err;
}

static uint64_t get(const struct file *f, size_t at, size_t bytes)
{
	uint64_t value = 0;

	memcpy(&value, f->text + at, bytes);
	return value;
}

static void expect_moved(const struct file *f)
{
	uint64_t moved = VALUE + KERNEL_RELOC_STEP;

	cr_expect_eq(get(f, WIDE, 8), moved);
	cr_expect_eq(get(f, NARROW, 4), moved & UINT32_MAX);
	cr_expect_eq(get(f, NARROW + 4, 4), KERNEL_RELOC_STEP);
	cr_expect_eq(get(f, sizeof(f->text) - 4, 4), KERNEL_RELOC_STEP);
	cr_expect_eq(get(f, 0, 8), 0, "nothing else");
}

Test(cli_reloc, every_kind_of_place_moves)
{
	const char *why;
	struct file f;

	good(&f);
	cr_assert_eq(move(&f, sizeof(f), &why), 0, "%s", why);
	expect_moved(&f);
	cr_expect_eq(get(&f, AWAY, 4), (uint32_t)(0x1000 - KERNEL_RELOC_STEP));
}

Test(cli_reloc, newer_kernels_have_two_groups)
{
	const char *why;
	struct file f;

	good(&f);
	f.table[2] = entry(WIDE + 24); /* twice, and one stop less */
	f.table[3] = entry(WIDE + 24);
	cr_assert_eq(move(&f, sizeof(f), &why), 0, "%s", why);
	expect_moved(&f);
	cr_expect_eq(get(&f, WIDE + 24, 8), 2 * KERNEL_RELOC_STEP);
}

Test(cli_reloc, a_kernel_without_a_table_is_named_so)
{
	const char *why;
	struct file f;

	good(&f);
	cr_expect_eq(move(&f, offsetof(struct file, table), &why), -ENOENT);
	cr_expect(strstr(why, "CONFIG_RANDOMIZE_BASE"), "%s", why);
}

static const struct {
	size_t at, bytes;
	uint64_t value;
} lies[] = {
#define LIE(field, value)                                                      \
	{                                                                      \
		offsetof(struct file, field),                                  \
			sizeof(((struct file *)0)->field), value               \
	}
	LIE(table[0], 0x81000008), /* no stop in front */
	LIE(table[1], 0),          /* too many stops */
	LIE(table[1], 0x80000000), /* below the kernel */
	LIE(table[1], 0x7fffffff), /* no address of a kernel */
	LIE(table[1], 1),
	LIE(table[1], 0x81000039), /* its last byte is behind the text */
	LIE(table[5], 0x8100003d),
	LIE(table[5], 0x81000040), /* not from the file */
	LIE(table[3], 0x8103e000),
	LIE(ehdr.e_shoff, UINT64_MAX - 8),
	LIE(ehdr.e_shoff, offsetof(struct file, table)),
	LIE(ehdr.e_shnum, 0xffff),
	LIE(ehdr.e_shentsize, 1),
	LIE(shdr[1].sh_offset, UINT64_MAX),
	LIE(shdr[1].sh_size, sizeof(struct file)),
	LIE(shdr[1].sh_size, offsetof(struct file, table) + 2), /* odd rest */
	LIE(phdr[1].p_paddr, UINT64_MAX - 8),
	LIE(phdr[1].p_paddr, KERNEL_RELOC_ROOM),
	LIE(phdr[1].p_memsz, KERNEL_RELOC_ROOM - LINKED), /* no room to move */
};

Test(cli_reloc, refuses_what_lies)
{
	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		const char *why = NULL;
		struct file f;

		good(&f);
		memcpy((uint8_t *)&f + lies[i].at, &lies[i].value,
		       lies[i].bytes);
		cr_expect_eq(move(&f, sizeof(f), &why), -EINVAL, "lie %zu", i);
		cr_expect(why && *why, "lie %zu", i);
	}
}

Test(cli_reloc, refuses_what_is_cut)
{
	for (size_t size = 0; size < sizeof(struct file); size++) {
		const char *why = NULL;
		struct file f;

		good(&f);
		/* With the last entries gone it is another good table. */
		if (size >= sizeof(f) - 20 && size % 4 == 0)
			continue;
		cr_expect_lt(move(&f, size, &why), 0, "%zu bytes", size);
		cr_expect(why && *why, "%zu bytes", size);
	}
}

Test(cli_reloc, a_file_is_moved_by_chance)
{
	struct file f, got;
	uint64_t delta;
	const char *why;
	int fd;

	good(&f);
	fd = fd_of(&f, sizeof(f));
	cr_assert_eq(kernel_kaslr_move(fd, &why), 0, "%s", why);
	cr_assert_eq(fd_pread_all(fd, &got, sizeof(got), 0), 0);
	delta = get(&got, WIDE, 8) - VALUE;
	cr_expect_neq(delta, 0);
	cr_expect_eq(delta % KERNEL_RELOC_STEP, 0);
	cr_expect_leq(LINKED + 0x100000 + delta, KERNEL_RELOC_ROOM);
	cr_expect_eq(get(&got, NARROW + 4, 4), delta);
	cr_expect_eq(lseek(fd, 0, SEEK_END), sizeof(f));
	close(fd);
}

Test(cli_reloc, its_place_in_memory_stays_within_the_limit)
{
	const struct kernel_image kernel = {
		.segment = {{.gpa = LINKED}, {.gpa = LINKED + 0x2000}},
		.segment_count = 2,
		.entry_gpa = LINKED + 64,
		.end_gpa = LINKED + 0x300000,
	};
	static struct plan plan;
	bool moved = false;

	for (int i = 0; i < 200; i++) {
		uint64_t delta;

		memcpy(plan.segment, kernel.segment, sizeof(plan.segment));
		plan.segment[2].gpa = 77; /* the initrd's */
		plan.entry_gpa = kernel.entry_gpa;
		cr_assert_eq(kernel_kaslr_place(&plan, &kernel, 64 << 20), 0);
		delta = plan.entry_gpa - kernel.entry_gpa;
		moved |= delta != 0;
		cr_assert_eq(delta % KERNEL_RELOC_STEP, 0);
		cr_assert_leq(kernel.end_gpa + delta, 64 << 20);
		cr_assert_eq(plan.segment[0].gpa, LINKED + delta);
		cr_assert_eq(plan.segment[1].gpa, LINKED + 0x2000 + delta);
		cr_assert_eq(plan.segment[2].gpa, 77);
	}
	cr_expect(moved);
	memcpy(plan.segment, kernel.segment, sizeof(plan.segment));
	plan.entry_gpa = kernel.entry_gpa;
	cr_assert_eq(kernel_kaslr_place(&plan, &kernel, LINKED), 0);
	cr_expect_eq(plan.entry_gpa, kernel.entry_gpa, "no room, no move");
}
