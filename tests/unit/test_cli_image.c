/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_image.c - the archive: alignment, names, what replaces what, and
 * host trees walked as the kernel would. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runner/cli/cpio.h"
#include "runner/cli/image.h"
#include "runner/cli/problem.h"
#include "runner/cli/tree.h"

#define HEADER 110

static uint8_t archive[1 << 20];

/** field() - the n-th hexadecimal field of the header at @at. */
static uint32_t field(size_t at, int n)
{
	char text[9] = "";

	memcpy(text, archive + at + 6 + 8 * n, 8);
	return (uint32_t)strtoul(text, NULL, 16);
}

/** find() - the header of an entry. @ret_data: where its data starts. */
static size_t find(const char *name, size_t *ret_data)
{
	size_t at = 0;

	for (;;) {
		uint32_t size = field(at, 6), len = field(at, 11);
		size_t data = (at + HEADER + len + 3) & ~3ul;

		cr_assert_arr_eq(archive + at, "070701", 6);
		cr_assert_eq(at % 4, 0);
		if (!strcmp((char *)archive + at + HEADER, name)) {
			*ret_data = data;
			return at;
		}
		cr_assert_str_neq((char *)archive + at + HEADER, "TRAILER!!!",
				  "no %s", name);
		at = (data + size + 3) & ~3ul;
	}
}

static void read_back(int fd, uint64_t bytes)
{
	cr_assert_leq(bytes, sizeof(archive));
	cr_assert_eq(bytes % 4096, 0);
	cr_assert_eq(pread(fd, archive, sizeof(archive), 0), (ssize_t)bytes);
}

Test(cli_image, aligned_data_starts_on_a_page)
{
	int fd = memfd_create("cpio", 0);
	struct cpio *c;
	char name[256];
	uint64_t bytes;
	size_t data;

	cr_assert_eq(cpio_new(fd, &c), 0);
	for (int i = 1; i < 40; i++) {
		struct cpio_entry e = {
			.name = name,
			.mode = S_IFREG | 0644,
			.bytes = (uint64_t)i * 97,
			.page_aligned = i % 2,
		};

		snprintf(name, sizeof(name), "f%0*d", i * 5, i);
		memset(archive, i, e.bytes);
		cr_assert_eq(cpio_add(c, &e, archive), 0);
	}
	cr_assert_eq(cpio_finish(c, &bytes), 0);
	cpio_free(c);
	read_back(fd, bytes);
	for (int i = 1; i < 40; i++) {
		size_t at;

		snprintf(name, sizeof(name), "f%0*d", i * 5, i);
		at = find(name, &data);
		cr_expect_eq(field(at, 6), (uint32_t)i * 97);
		cr_expect_leq(field(at, 11), 4096);
		cr_expect_eq(archive[data], i);
		cr_expect_eq(archive[data + (size_t)i * 97 - 1], i);
		if (i % 2)
			cr_expect_eq(data % 4096, 0, "%s at %zu", name, data);
	}
	close(fd);
}

Test(cli_image, refuses_what_the_format_cannot_hold)
{
	int fd = memfd_create("cpio", 0);
	char name[5000];
	struct cpio_entry e = {.name = name, .mode = S_IFREG};
	struct cpio *c;

	memset(name, 'a', sizeof(name));
	name[4999] = '\0';
	cr_assert_eq(cpio_new(fd, &c), 0);
	cr_expect_eq(cpio_add(c, &e, ""), -ENAMETOOLONG);
	name[4095] = '\0'; /* just fits, but cannot be filled up */
	e.page_aligned = true;
	cr_expect_eq(cpio_add(c, &e, ""), 0);
	name[1] = '\0';
	e.bytes = 1ull << 32;
	cr_expect_eq(cpio_add(c, &e, NULL), -EOVERFLOW);
	cpio_free(c);
	close(fd);
}

Test(cli_image, copies_files_of_any_size)
{
	static const size_t sizes[] = {0, 1, 16384, 16385, 200001};
	int fd = memfd_create("cpio", 0), file = memfd_create("file", 0);
	struct cpio *c;
	uint64_t bytes;
	char name[16];
	size_t data;

	for (size_t i = 0; i < 200001; i++)
		archive[i] = (uint8_t)(i * 7 >> 3);
	cr_assert_eq(write(file, archive, 200001), 200001);
	cr_assert_eq(cpio_new(fd, &c), 0);
	for (size_t i = 0; i < 5; i++) {
		struct cpio_entry e = {.name = name,
				       .mode = S_IFREG,
				       .bytes = sizes[i],
				       .page_aligned = true};

		snprintf(name, sizeof(name), "f%zu", i);
		cr_assert_eq(cpio_add_fd(c, &e, file), 0);
	}
	cr_assert_eq(cpio_add_fd(c,
				 &(struct cpio_entry){.name = "x",
						      .mode = S_IFREG,
						      .bytes = 200002},
				 file),
		     -ENODATA);
	cpio_free(c);
	lseek(fd, 0, SEEK_SET);
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_assert_eq(cpio_new(fd, &c), 0);
	for (size_t i = 0; i < 5; i++) {
		struct cpio_entry e = {.name = name,
				       .mode = S_IFREG,
				       .bytes = sizes[i],
				       .page_aligned = true};

		snprintf(name, sizeof(name), "f%zu", i);
		cr_assert_eq(cpio_add_fd(c, &e, file), 0);
	}
	cr_assert_eq(cpio_finish(c, &bytes), 0);
	cpio_free(c);
	read_back(fd, bytes);
	for (size_t i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "f%zu", i);
		find(name, &data);
		for (size_t k = 0; k < sizes[i]; k++)
			cr_assert_eq(archive[data + k], (uint8_t)(k * 7 >> 3));
	}
	close(fd);
	close(file);
}

Test(cli_image, later_files_replace_earlier_ones)
{
	cleanup_image struct image image = {0};
	const struct image_entry *e;

	cr_expect_null(image_find(&image, "/x"));
	cr_assert_eq(image_add(&image, IMAGE_DIR, "/d", NULL, NULL), 0);
	cr_expect_eq(image_add(&image, IMAGE_DIR, "/d", NULL, NULL), 0);
	cr_expect_eq(image_add(&image, IMAGE_LINK, "/d", NULL, "x"), -EEXIST);
	cr_assert_eq(image_add(&image, IMAGE_LINK, "/l", NULL, "a"), 0);
	cr_expect_eq(image_add(&image, IMAGE_DIR, "/l", NULL, NULL), -EEXIST);
	cr_assert_eq(image_add_bytes(&image, "/l", 0600, strdup("hi"), 2), 0);
	e = image_find(&image, "/l");
	cr_expect(e->kind == IMAGE_BYTES && e->size == 2 && !e->source);
	cr_expect_eq(e->mode, S_IFREG | 0600);
	cr_expect_eq(image.count, 2);
	for (int i = 0; i < 5000; i++) {
		char path[32];

		snprintf(path, sizeof(path), "/d/%d", i);
		cr_assert_eq(image_add(&image, IMAGE_DIR, path, NULL, NULL), 0);
	}
	cr_expect_eq(image.count, 5002);
	cr_expect(image_find(&image, "/d/4999") && image_find(&image, "/l"));
}

/** make_tree() - a place of its own in /tmp for a test. */
static void make_tree(char root[64])
{
	strcpy(root, "/tmp/ampoule-unit-XXXXXX");
	cr_assert(mkdtemp(root));
	cr_assert_eq(chdir(root), 0);
	cr_assert(!mkdir("real", 0750) && !mkdir("real/sub", 0755));
	close(open("real/file", O_CREAT | O_WRONLY, 0640));
	cr_assert(!symlink("real", "dir") && !symlink("../dir/file", "real/l"));
	cr_assert(!symlink("loop", "loop") && !symlink("nowhere", "dangling"));
	cr_assert(!mkfifo("real/fifo", 0644));
}

static void remove_tree(const char *root)
{
	static const char *const names[] = {"real/file", "real/l", "real/fifo",
					    "dir",       "loop",   "dangling"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	rmdir("real/sub");
	rmdir("real");
	cr_expect_eq(chdir("/") | rmdir(root), 0);
}

static const struct image_entry *entry(struct image *image, const char *root,
				       const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	return image_find(image, full);
}

Test(cli_image, symlinks_on_the_way_are_kept_and_followed)
{
	cleanup_image struct image image = {0};
	struct problem why = {0};
	char root[64], path[256];

	make_tree(root);
	snprintf(path, sizeof(path), "%s/dir/./sub/../l", root);
	cr_assert_eq(tree_add_host(&image, path, &why), 0, "%s", why.text);
	cr_expect_eq(entry(&image, root, "dir")->kind, IMAGE_LINK);
	cr_expect_eq(entry(&image, root, "real")->kind, IMAGE_DIR);
	cr_expect_eq(entry(&image, root, "real")->mode, S_IFDIR | 0750);
	cr_expect_eq(entry(&image, root, "real/l")->kind, IMAGE_LINK);
	cr_expect_eq(entry(&image, root, "real/file")->kind, IMAGE_HOST_FILE);
	cr_expect(tree_has(&image, path));
	cr_expect_null(entry(&image, root, "real/fifo"));
	snprintf(path, sizeof(path), "%s/dir/other", root);
	cr_expect_not(tree_has(&image, path));
	remove_tree(root);
}

Test(cli_image, directories_bring_what_is_below)
{
	cleanup_image struct image image = {0};
	struct problem why = {0};
	char root[64], path[256];

	make_tree(root);
	snprintf(path, sizeof(path), "%s/dir", root);
	cr_assert_eq(tree_add_as(&image, path, "/a/b/c", &why), 0);
	cr_expect_eq(image_find(&image, "/a/b")->kind, IMAGE_DIR);
	cr_expect_eq(image_find(&image, "/a/b/c/file")->kind, IMAGE_HOST_FILE);
	cr_expect_eq(image_find(&image, "/a/b/c/l")->kind, IMAGE_LINK);
	cr_expect_eq(image_find(&image, "/a/b/c/sub")->kind, IMAGE_DIR);
	cr_expect_null(image_find(&image, "/a/b/c/fifo"));
	cr_assert_eq(tree_add_host(&image, path, &why), 0);
	cr_expect_not_null(entry(&image, root, "real/sub"));
	remove_tree(root);
}

Test(cli_image, says_what_cannot_be_packed)
{
	static const struct {
		const char *path, *words;
	} table[] = {
		{"loop", "too many symbolic links"},
		{"dangling", "nowhere"},
		{"real/fifo", "real/fifo"},
		{"real/file/x", "not a directory"},
		{"none", "none"},
	};
	char root[64], path[256];

	make_tree(root);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		cleanup_image struct image image = {0};
		struct problem why = {0};

		snprintf(path, sizeof(path), "%s/%s", root, table[i].path);
		cr_expect_lt(tree_add_host(&image, path, &why), 0);
		cr_expect(strstr(why.text, table[i].words), "%s", why.text);
	}
	remove_tree(root);
}
