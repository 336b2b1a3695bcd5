/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_elf.c - ELF files of kernels and programs: good ones, and one field
 * wrong at a time. */
#include <criterion/criterion.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "runner/cli/elf_deps.h"
#include "runner/cli/elf_needs.h"
#include "runner/cli/initrd_file.h"
#include "runner/cli/kernel_elf.h"
#include "runner/cli/ldcache.h"
#include "runner/cli/problem.h"

#define KERNEL_GPA 0x100000ull

struct file {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[3];
	Elf64_Dyn dyn[6];
	char text[64]; /* interpreter at 0, strings at 16 */
};

static void good(struct file *f)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->ehdr.e_ident, ELFMAG, SELFMAG);
	f->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	f->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	f->ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	f->ehdr.e_type = ET_EXEC;
	f->ehdr.e_machine = EM_X86_64;
	f->ehdr.e_phoff = offsetof(struct file, phdr);
	f->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	f->ehdr.e_phnum = 1;
	f->ehdr.e_entry = 0xffffffff80000040;
	f->phdr[0] = (Elf64_Phdr){.p_type = PT_LOAD,
				  .p_vaddr = 0xffffffff80000000,
				  .p_paddr = KERNEL_GPA,
				  .p_filesz = sizeof(*f),
				  .p_memsz = 0x3000};
	f->phdr[1] = (Elf64_Phdr){.p_type = PT_INTERP,
				  .p_offset = offsetof(struct file, text),
				  .p_filesz = 11};
	f->phdr[2] = (Elf64_Phdr){.p_type = PT_DYNAMIC,
				  .p_offset = offsetof(struct file, dyn),
				  .p_filesz = sizeof(f->dyn)};
	memcpy(f->text, "/lib/ld.so\0______liba.so\0libb.so\0$ORIGIN", 41);
	f->dyn[0] = (Elf64_Dyn){
		DT_STRTAB,
		{0xffffffff80000000 + offsetof(struct file, text) + 17}};
	f->dyn[1] = (Elf64_Dyn){DT_STRSZ, {40}};
	f->dyn[2] = (Elf64_Dyn){DT_NEEDED, {0}};
	f->dyn[3] = (Elf64_Dyn){DT_NEEDED, {8}};
	f->dyn[4] = (Elf64_Dyn){DT_RUNPATH, {16}};
}

static int fd_of(const void *bytes, size_t size)
{
	int fd = memfd_create("elf", 0);

	cr_assert_eq(pwrite(fd, bytes, size, 0), (ssize_t)size);
	return fd;
}

/** read_by() - @f: the beginning of @size bytes. */
static int read_by(const struct file *f, size_t size, enum kernel_boot boot,
		   struct kernel_image *k, const char **why)
{
	int fd = fd_of(f, size), err;

	*why = NULL;
	err = kernel_elf_read(fd, boot, k, why);
	close(fd);
	return err;
}

static int read_kernel(const struct file *f, size_t size,
		       struct kernel_image *k, const char **why)
{
	return read_by(f, size, KERNEL_BOOT_AUTO, k, why);
}

Test(cli_elf, a_kernel_becomes_segments)
{
	struct kernel_image k;
	const char *why;
	struct file f;

	good(&f);
	cr_assert_eq(read_kernel(&f, sizeof(f), &k, &why), 0, "%s", why);
	cr_expect_eq(k.segment_count, 1);
	cr_expect_eq(k.segment[0].gpa, KERNEL_GPA);
	cr_expect_eq(k.segment[0].mem_bytes, 0x3000);
	cr_expect_eq(k.entry_gpa, KERNEL_GPA + 0x40);
	cr_expect_eq(k.end_gpa, KERNEL_GPA + 0x3000);
	f.ehdr.e_entry = KERNEL_GPA + 0x80; /* a physical one */
	cr_assert_eq(read_kernel(&f, sizeof(f), &k, &why), 0, "%s", why);
	cr_expect_eq(k.entry_gpa, KERNEL_GPA + 0x80);
}

Test(cli_elf, a_truncated_kernel_is_named_so)
{
	struct kernel_image k;
	const char *why;
	struct file f;

	good(&f);
	for (size_t size = 0; size < sizeof(f); size++) {
		cr_assert_lt(read_kernel(&f, size, &k, &why), 0, "%zu", size);
		cr_assert_not_null(why);
		if (size >= 4)
			cr_assert(strstr(why, "truncated"), "%zu: %s", size,
				  why);
	}
}

static void damage(struct file *f, int how)
{
	switch (how) {
	case 0:
		f->ehdr.e_machine = EM_AARCH64;
		break;
	case 1:
		f->ehdr.e_ident[EI_CLASS] = ELFCLASS32;
		break;
	case 2:
		f->ehdr.e_type = ET_REL;
		break;
	case 3:
		f->ehdr.e_phnum = 0;
		break;
	case 4:
		f->ehdr.e_phnum = 65535;
		break;
	case 5:
		f->ehdr.e_phentsize = 1;
		break;
	case 6:
		f->ehdr.e_phoff = UINT64_MAX - 10;
		break;
	case 7:
		f->ehdr.e_entry = 0x77;
		break;
	case 8:
		f->phdr[0].p_paddr = PLAN_GAP_START;
		break;
	case 9:
		f->phdr[0].p_paddr = UINT64_MAX - 1;
		break;
	case 10:
		f->phdr[0].p_paddr = 0;
		break;
	case 11:
		f->phdr[0].p_memsz = 1;
		break;
	case 12:
		f->phdr[0].p_memsz = UINT64_MAX;
		break;
	case 13:
		f->phdr[0].p_filesz = UINT64_MAX;
		break;
	case 14:
		f->phdr[0].p_offset = UINT64_MAX;
		break;
	case 15:
		f->ehdr.e_phnum = 2;
		break; /* has an interpreter */
	case 16:
		f->phdr[0].p_type = PT_NOTE;
		break;
	case 17:
		f->phdr[1] = f->phdr[0];
		f->phdr[1].p_paddr += 0x2000;
		f->ehdr.e_phnum = 2;
		break;
	default:
		f->ehdr.e_ident[EI_DATA] = ELFDATA2MSB;
		break;
	}
}

Test(cli_elf, refuses_damaged_kernels)
{
	for (int how = 0; how < 19; how++) {
		struct kernel_image k;
		const char *why;
		struct file f;

		good(&f);
		damage(&f, how);
		cr_expect_lt(read_kernel(&f, sizeof(f), &k, &why), 0, "%d",
			     how);
		cr_expect_not_null(why, "%d", how);
	}
}

/* What stands at the end of the file's text: a foreign note, then Xen's. */
static const struct {
	Elf64_Nhdr other;
	char other_name[4], other_text[4];
	Elf64_Nhdr xen;
	char name[4];
	uint64_t entry;
} __attribute__((packed))
notes = {{4, 3, 1}, "GNU", "abc", {4, 8, 18}, "Xen", KERNEL_GPA + 0x60};

struct noted {
	struct file f;
	uint8_t notes[sizeof(notes)];
};

static void good_noted(struct noted *n)
{
	good(&n->f);
	memcpy(n->notes, &notes, sizeof(notes));
	n->f.ehdr.e_phnum = 2;
	n->f.phdr[0].p_filesz = sizeof(*n);
	n->f.phdr[1] = (Elf64_Phdr){.p_type = PT_NOTE,
				    .p_offset = offsetof(struct noted, notes),
				    .p_filesz = sizeof(notes)};
}

static int read_noted(const struct noted *n, enum kernel_boot boot,
		      struct kernel_image *k, const char **why)
{
	return read_by(&n->f, sizeof(*n), boot, k, why);
}

Test(cli_elf, pvh_is_taken_when_asked_for_or_alone)
{
	struct kernel_image k;
	const char *why;
	struct noted n;

	good_noted(&n);
	cr_assert_eq(read_noted(&n, KERNEL_BOOT_AUTO, &k, &why), 0, "%s", why);
	cr_expect_not(k.pvh);
	cr_expect_eq(k.entry_gpa, KERNEL_GPA + 0x40);
	cr_assert_eq(read_noted(&n, KERNEL_BOOT_PVH, &k, &why), 0, "%s", why);
	cr_expect(k.pvh);
	cr_expect_eq(k.entry_gpa, KERNEL_GPA + 0x60);
	n.f.ehdr.e_entry = 0;
	cr_assert_eq(read_noted(&n, KERNEL_BOOT_AUTO, &k, &why), 0, "%s", why);
	cr_expect(k.pvh);
	cr_expect_lt(read_noted(&n, KERNEL_BOOT_LINUX, &k, &why), 0);
	cr_expect(strstr(why, "entry"));
	good_noted(&n);
	n.f.phdr[1].p_type = PT_NULL;
	cr_expect_lt(read_noted(&n, KERNEL_BOOT_PVH, &k, &why), 0);
	cr_expect(strstr(why, "PHYS32_ENTRY"), "%s", why);
}

static void damage_note(struct noted *n, int how)
{
	Elf64_Nhdr *first = (Elf64_Nhdr *)n->notes;
	uint64_t far = KERNEL_GPA + sizeof(*n);

	switch (how) {
	case 0:
		n->f.phdr[1].p_offset = UINT64_MAX - 4;
		break;
	case 1:
		n->f.phdr[1].p_filesz = 1ull << 40;
		break;
	case 2:
		n->f.phdr[1].p_filesz = sizeof(notes) - 1;
		break;
	case 3:
		first->n_namesz = UINT32_MAX;
		break;
	case 4:
		first->n_descsz = UINT32_MAX;
		break;
	case 5:
		n->notes[offsetof(typeof(notes), xen) + 4] = 2;
		break;
	case 6:
		memcpy(n->notes + offsetof(typeof(notes), entry), &far, 8);
		break;
	default:
		n->f.phdr[1].p_filesz = 0;
		break;
	}
}

Test(cli_elf, refuses_damaged_notes)
{
	for (int how = 0; how < 8; how++) {
		struct kernel_image k;
		const char *why;
		struct noted n;

		good_noted(&n);
		damage_note(&n, how);
		cr_expect_lt(read_noted(&n, KERNEL_BOOT_PVH, &k, &why), 0, "%d",
			     how);
		cr_expect_not_null(why, "%d", how);
		/* Nobody needs them. */
		cr_expect_eq(read_noted(&n, KERNEL_BOOT_AUTO, &k, &why), 0,
			     "%d: %s", how, why);
	}
}

Test(cli_elf, an_initrd_is_known_by_its_first_bytes)
{
	static const char *const good[] = {"070701xx",
					   "070702xx",
					   "\x1f\x8b......",
					   "BZh.....",
					   "\x28\xb5\x2f\xfd....",
					   "\0xxxxxxx"};
	static const char *const bad[] = {"070707xx", "\x1f\x8a......",
					  "\177ELF....", "70701000"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect_null(
			initrd_file_check((const uint8_t *)good[i], NULL),
			"good %zu", i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const uint8_t *head = (const uint8_t *)bad[i];

		cr_expect(initrd_file_check(head, NULL), "bad %zu", i);
		cr_expect(initrd_file_check(head, "root=/dev/vda"));
		cr_expect_null(initrd_file_check(head, "ro root=/dev/ram0"));
	}
}

static int read_needs(const struct file *f, struct elf_needs *needs,
		      const char **why)
{
	int fd = fd_of(f, sizeof(*f)), err;

	*why = NULL;
	err = elf_needs_read(fd, needs, why);
	close(fd);
	return err;
}

Test(cli_elf, a_program_names_its_needs)
{
	cleanup_elf_needs struct elf_needs needs = {0};
	const char *why;
	struct file f;

	good(&f);
	f.ehdr.e_phnum = 3;
	cr_assert_eq(read_needs(&f, &needs, &why), 0, "%s", why);
	cr_expect_str_eq(needs.interp, "/lib/ld.so");
	cr_assert_eq(needs.needed.count, 2);
	cr_expect_str_eq(needs.needed.item[0], "liba.so");
	cr_expect_str_eq(needs.needed.item[1], "libb.so");
	cr_expect_str_eq(needs.runpath, "$ORIGIN");
	cr_expect_null(needs.rpath);
}

Test(cli_elf, refuses_damaged_dynamic_sections)
{
	for (int how = 0; how < 8; how++) {
		cleanup_elf_needs struct elf_needs needs = {0};
		const char *why;
		struct file f;

		good(&f);
		f.ehdr.e_phnum = 3;
		switch (how) {
		case 0:
			f.dyn[0].d_un.d_val = 5;
			break;
		case 1:
			f.dyn[1].d_un.d_val = 3;
			break; /* cuts liba.so */
		case 2:
			f.dyn[2].d_un.d_val = 400;
			break;
		case 3:
			f.dyn[2].d_un.d_val = UINT64_MAX;
			break;
		case 4:
			f.dyn[0].d_tag = DT_DEBUG;
			break; /* no strings */
		case 5:
			f.phdr[1].p_filesz = 1 << 20;
			break;
		case 6:
			f.text[0] = 'x';
			break; /* no absolute path */
		default:
			f.phdr[2].p_filesz = 8;
			break;
		}
		cr_expect_lt(read_needs(&f, &needs, &why), 0, "%d", how);
		cr_expect_not_null(why, "%d", how);
	}
}

Test(cli_elf, finds_what_this_host_loads)
{
	cleanup_elf_deps struct elf_deps deps = {0};
	struct problem why = {0};
	int fd = open("/bin/sh", O_RDONLY);

	cr_assert_eq(elf_deps_find(fd, "/bin/sh", &deps, &why), 0, "%s",
		     why.text);
	cr_assert_not_null(deps.interp);
	cr_expect_eq(access(deps.interp, R_OK), 0);
	cr_assert_gt(deps.libs.count, 0);
	for (size_t i = 0; i < deps.libs.count; i++)
		cr_expect_eq(access(deps.libs.item[i], R_OK), 0);
	close(fd);
}

Test(cli_elf, the_cache_it_writes_it_can_read)
{
	static const char *const paths[] = {
		"/lib/libz.so.1", "/opt/x/libfoo.so.10", "/usr/lib/libfoo.so.9",
		"/lib/x86_64-linux-gnu/libc.so.6"};
	cleanup_strlist struct strlist list = {0};
	char name[] = "/tmp/ampoule-cache-XXXXXX";
	struct ldcache cache;
	uint8_t *bytes;
	uint64_t size;
	int fd = mkstemp(name);

	for (size_t i = 0; i < 4; i++)
		strlist_add(&list, paths[i]);
	cr_assert_eq(ldcache_build(&list, &bytes, &size), 0);
	cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
	ldcache_open(&cache, name);
	for (size_t i = 0; i < 4; i++)
		cr_expect_str_eq(
			ldcache_find(&cache, strrchr(paths[i], '/') + 1),
			paths[i]);
	cr_expect_null(ldcache_find(&cache, "libbar.so"));
	ldcache_done(&cache);
	for (uint64_t cut = 0; cut < size; cut++) { /* any damage is "none" */
		cr_assert_eq(ftruncate(fd, (off_t)cut), 0);
		ldcache_open(&cache, name);
		ldcache_find(&cache, "libc.so.6");
		ldcache_done(&cache);
	}
	close(fd);
	unlink(name);
	free(bytes);
}
