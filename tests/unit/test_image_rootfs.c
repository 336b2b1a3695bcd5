/* SPDX-License-Identifier: Apache-2.0 */
/* test_image_rootfs.c - layers over each other as a container engine lays
 * them; names that lead out lead nowhere. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "runner/image/rootfs.h"

static struct rootfs *fs;

static void set_up(void)
{
	cr_assert_eq(rootfs_new(&fs), 0);
	cr_assert_eq(rootfs_begin_layer(fs), 1);
}

static void tear_down(void)
{
	rootfs_free(fs);
}

TestSuite(image_rootfs, .init = set_up, .fini = tear_down);

static int add_file(const char *path, uint64_t size)
{
	const struct inode like = {.mode = S_IFREG | 0644, .size = size};

	return rootfs_add(fs, path, &like, NULL);
}

static int add_dir(const char *path, uint32_t mode)
{
	const struct inode like = {.mode = S_IFDIR | mode};

	return rootfs_add(fs, path, &like, NULL);
}

static int add_link(const char *path, const char *target)
{
	const struct inode like = {
		.mode = S_IFLNK | 0644,
		.target = (char *)(uintptr_t)target,
	};

	return rootfs_add(fs, path, &like, NULL);
}

static bool has(const char *path)
{
	return rootfs_find(fs, path) != NULL;
}

Test(image_rootfs, makes_missing_directories)
{
	cr_expect_eq(add_file("./a//b/./c", 7), 0);
	cr_assert(has("/a/b/c"));
	cr_expect_eq(rootfs_find(fs, "a/b/c")->size, 7);
	cr_expect_eq(rootfs_find(fs, "/a/b")->mode, S_IFDIR | 0755);
	cr_expect_eq(rootfs_find(fs, "/a")->nlink, 3);
	cr_expect_eq(rootfs_find(fs, "/")->nlink, 3);
	cr_expect_eq(rootfs_inodes(fs), 4);
}

Test(image_rootfs, refuses_to_leave)
{
	cr_expect_eq(add_file("../x", 1), -EINVAL);
	cr_expect_eq(add_file("a/../../x", 1), -EINVAL);
	cr_expect_eq(add_file("a/..", 1), -EINVAL);
	cr_expect_eq(add_file("/", 1), -EINVAL);
	cr_expect_eq(add_file("", 1), -EINVAL);
	cr_expect_eq(rootfs_link(fs, "x", "../../etc/passwd"), -EINVAL);
	cr_expect_eq(rootfs_white_out(fs, "..", "x"), -EINVAL);
	cr_expect_eq(rootfs_white_out(fs, "", ".."), -EINVAL);
}

Test(image_rootfs, keeps_links_inside)
{
	cr_expect_eq(add_link("up", "../../.."), 0);
	cr_expect_eq(add_link("abs", "/etc"), 0);
	cr_expect_eq(add_file("up/here", 1), 0);
	cr_expect_eq(add_file("abs/passwd", 1), 0);
	cr_expect(has("/here"));
	cr_expect(has("/etc/passwd"));
	cr_expect_eq(rootfs_find(fs, "/abs/passwd"),
		     rootfs_find(fs, "/etc/passwd"));
}

Test(image_rootfs, ends_in_loops_of_links)
{
	cr_expect_eq(add_link("a", "b"), 0);
	cr_expect_eq(add_link("b", "a"), 0);
	cr_expect_eq(add_file("a/x", 1), -ELOOP);
	cr_expect_not(has("/a"));
	cr_expect_not(has("/a/x"));
}

Test(image_rootfs, bounds_names)
{
	char name[4200];

	memset(name, 'n', sizeof(name));
	name[256] = '\0';
	cr_expect_eq(add_file(name, 1), -ENAMETOOLONG);
	name[255] = '\0';
	cr_expect_eq(add_file(name, 1), 0);
	for (unsigned i = 0; i < 600; i += 2)
		memcpy(name + i, "d/", 2);
	strcpy(name + 600, "f");
	cr_expect_eq(add_file(name, 1), -ENAMETOOLONG, "too deep");
	memset(name, 't', sizeof(name));
	name[4096] = '\0';
	cr_expect_eq(add_link("l", name), -ENAMETOOLONG);
	cr_expect_eq(add_link("l", ""), -EINVAL);
}

Test(image_rootfs, replaces_files_and_merges_directories)
{
	cr_expect_eq(add_file("d/a", 1), 0);
	cr_expect_eq(add_dir("d", 0700), 0);
	cr_expect(has("/d/a"));
	cr_expect_eq(rootfs_find(fs, "/d")->mode, S_IFDIR | 0700);
	cr_expect_eq(add_file("d/a", 2), 0);
	cr_expect_eq(rootfs_find(fs, "/d/a")->size, 2);
	cr_expect_eq(add_file("d", 3), 0);
	cr_expect_not(has("/d/a"));
	cr_expect_eq(add_file("d/a", 1), -ENOTDIR);
	cr_expect_eq(rootfs_find(fs, "/")->nlink, 2);
	cr_expect_eq(rootfs_inodes(fs), 2);
}

Test(image_rootfs, forgets_the_data_of_what_is_gone)
{
	cr_expect_eq(add_file("a", 1), 0);
	cr_expect_eq(add_file("b", 2), 0);
	cr_expect_eq(add_file("a", 3), 0);
	cr_expect_eq(rootfs_sources(fs, 1), 3);
	cr_expect_null(rootfs_source(fs, 1, 0));
	cr_expect_eq(rootfs_source(fs, 1, 1), rootfs_find(fs, "/b"));
	cr_expect_eq(rootfs_source(fs, 1, 2), rootfs_find(fs, "/a"));
	cr_expect_null(rootfs_source(fs, 1, 3));
	cr_expect_null(rootfs_source(fs, 2, 0));
}

Test(image_rootfs, links_files)
{
	cr_expect_eq(add_file("a", 5), 0);
	cr_expect_eq(rootfs_link(fs, "d/b", "a"), 0);
	cr_expect_eq(rootfs_find(fs, "/d/b"), rootfs_find(fs, "/a"));
	cr_expect_eq(rootfs_find(fs, "/a")->nlink, 2);
	cr_expect_eq(add_file("a", 6), 0);
	cr_expect_eq(rootfs_find(fs, "/d/b")->size, 5);
	cr_expect_eq(rootfs_find(fs, "/d/b")->nlink, 1);
	cr_expect_eq(rootfs_link(fs, "c", "nothing"), -ENOENT);
	cr_expect_eq(rootfs_link(fs, "c", "d"), -EISDIR);
	cr_expect_eq(rootfs_link(fs, "c", "/"), -EISDIR);
	cr_expect_eq(rootfs_link(fs, "a", "./a"), 0, "to itself");
	cr_expect_eq(rootfs_find(fs, "/a")->nlink, 1);
}

Test(image_rootfs, links_over_what_holds_the_file)
{
	cr_expect_eq(add_file("d/a", 5), 0);
	cr_expect_eq(rootfs_link(fs, "d", "d/a"), 0);
	cr_expect_eq(rootfs_find(fs, "/d")->size, 5);
	cr_expect_eq(rootfs_find(fs, "/d")->nlink, 1);
	cr_expect_eq(rootfs_inodes(fs), 2);
}

Test(image_rootfs, whites_out_lower_layers_only)
{
	cr_expect_eq(add_file("d/a", 1), 0);
	cr_expect_eq(add_file("d/b", 1), 0);
	cr_expect_eq(add_file("e/x/y", 1), 0);
	cr_expect_eq(rootfs_begin_layer(fs), 2);
	cr_expect_eq(add_file("d/c", 1), 0);
	cr_expect_eq(rootfs_white_out(fs, "d", "a"), 0);
	cr_expect_eq(rootfs_white_out(fs, "d/", "c"), 0);
	cr_expect_eq(rootfs_white_out(fs, "d", "nothing"), 0);
	cr_expect_eq(rootfs_white_out(fs, "no/where", "x"), 0);
	cr_expect_not(has("/d/a"));
	cr_expect(has("/d/b"));
	cr_expect(has("/d/c"), "of this layer");
	cr_expect_eq(add_file("e/x/z", 1), 0);
	cr_expect_eq(rootfs_white_out(fs, "", "e"), 0);
	cr_expect_not(has("/e/x/y"));
	cr_expect(has("/e/x/z"), "of this layer, below");
}

Test(image_rootfs, opaque_in_any_order)
{
	cr_expect_eq(add_file("d/old", 1), 0);
	cr_expect_eq(add_file("d/sub/old", 1), 0);
	cr_expect_eq(rootfs_begin_layer(fs), 2);
	cr_expect_eq(add_file("d/sub/new", 1), 0);
	cr_expect_eq(rootfs_white_out(fs, "d", NULL), 0);
	cr_expect_eq(add_file("d/after", 1), 0);
	cr_expect_not(has("/d/old"));
	cr_expect_not(has("/d/sub/old"));
	cr_expect(has("/d/sub/new"));
	cr_expect(has("/d/after"));
	cr_expect_eq(rootfs_white_out(fs, "", NULL), 0, "the root");
	cr_expect(has("/d/sub/new"));
}

struct seen {
	char names[64];
};

static int note(struct node *child, void *ctx)
{
	struct seen *seen = ctx;

	strcat(seen->names, child->name);
	return !strcmp(child->name, "stop");
}

Test(image_rootfs, lists_by_bytes)
{
	struct seen seen = {""};

	add_file("b", 1);
	add_file("\xc3\xa9", 1);
	add_file("B", 1);
	add_file("a", 1);
	cr_expect_eq(rootfs_each(rootfs_root(fs), note, &seen), 0);
	cr_expect_str_eq(seen.names, "Bab\xc3\xa9");
	add_file("stop", 1);
	cr_expect_eq(rootfs_each(rootfs_root(fs), note, &seen), 1);
}
