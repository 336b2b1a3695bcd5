/* SPDX-License-Identifier: Apache-2.0 */
/* test_image_label.c - labels, users, digests, packed files: what an image
 * build reads beside archives. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "runner/image/label.h"
#include "runner/image/sha256.h"
#include "runner/image/unpack.h"
#include "runner/image/user.h"

Test(image_label, survives)
{
	struct label label = {.uid = 7, .gid = 8, .cwd = strdup("/w")}, back;
	const char *why = NULL;
	char *json = NULL;

	strlist_add(&label.command, "/bin/sh");
	strlist_add(&label.command, "a \"b\"\n");
	strlist_add(&label.env, "A=1=2");
	cr_assert_eq(label_encode(&label, &json), 0);
	cr_assert_eq(label_decode(json, strlen(json), &back, &why), 0, "%s",
		     why);
	cr_expect_eq(back.command.count, 2);
	cr_expect_str_eq(back.command.item[1], "a \"b\"\n");
	cr_expect_str_eq(back.env.item[0], "A=1=2");
	cr_expect_str_eq(back.cwd, "/w");
	cr_expect_eq(back.uid, 7);
	cr_expect_eq(back.gid, 8);
	free(json);
	label_done(&label);
	label_done(&back);
}

Test(image_label, refuses_what_is_no_utf8)
{
	struct label label = {0};
	char *json = NULL;

	strlist_add(&label.command, "\xff");
	cr_expect_eq(label_encode(&label, &json), -EINVAL);
	label_done(&label);
}

Test(image_label, names_what_is_wrong)
{
	static const char *const bad[][2] = {
		{"", "JSON"},
		{"[]", "JSON"},
		{"{\"command\":\"x\"}", "command"},
		{"{\"command\":[1]}", "command"},
		{"{\"env\":[\"x\"]}", "env"},
		{"{\"env\":[\"=x\"]}", "env"},
		{"{\"cwd\":\"x\"}", "cwd"},
		{"{\"cwd\":1}", "cwd"},
		{"{\"uid\":-1}", "uid"},
		{"{\"gid\":4294967296}", "gid"},
		{"{\"uid\":\"0\"}", "uid"},
		{"{\"uid\":0,\"uid\":1}", "JSON"},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *why = "";
		struct label label = {0};

		cr_expect_eq(label_decode(bad[i][0], strlen(bad[i][0]), &label,
					  &why),
			     -EBADMSG, "%s", bad[i][0]);
		cr_expect_not_null(strstr(why, bad[i][1]), "%s: '%s'",
				   bad[i][0], why);
		cr_expect_null(label.cwd);
	}
}

/** file_of() - a file with these bytes, then a footer. */
static int file_of(const char *text, const struct label_footer *footer)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(write(fd, footer, sizeof(*footer)),
		     (ssize_t)sizeof(*footer));
	return fd;
}

Test(image_label, is_found_behind_the_filesystem)
{
	static const char text[] = "junk{\"uid\":5}";
	const struct label_footer good = {LABEL_MAGIC, LABEL_VERSION, 9, 4, 0};
	struct label_footer bad[] = {good, good, good, good, good};
	const char *why = NULL;
	struct label label;
	int fd = file_of(text, &good);

	cr_expect_eq(label_read(fd, &label, &why), 0);
	cr_expect_eq(label.uid, 5);
	close(fd);
	bad[0].version++;
	bad[1].reserved = 1;
	bad[2].json_bytes = LABEL_JSON_MAX + 1;
	bad[3].json_offset = 5; /* its last byte is the footer's */
	bad[4].json_offset = UINT64_MAX;
	for (size_t i = 0; i < 5; i++) {
		fd = file_of(text, &bad[i]);
		cr_expect_eq(label_read(fd, &label, &why), -EBADMSG, "%zu", i);
		close(fd);
	}
	bad[0].magic++;
	fd = file_of(text, &bad[0]);
	cr_expect_eq(label_read(fd, &label, &why), 0, "there is none");
	cr_expect_eq(label.uid, 0);
	close(fd);
}

Test(image_user, is_looked_up_in_the_image)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
				     "bad\n:::\nodd:x:zz:1::/:\n"
				     "app:x:77:88:App:/:/bin/sh";
	static const char group[] = "root:x:0:\nstaff:x:50:app\n";
	static const struct {
		const char *user;
		int err;
		uint32_t uid, gid;
	} cases[] = {
		{"root", 0, 0, 0},         {"app", 0, 77, 88},
		{"77", 0, 77, 88},         {"78", 0, 78, 0},
		{"app:staff", 0, 77, 50},  {"app:9", 0, 77, 9},
		{"5:6", 0, 5, 6},          {"app:", 0, 77, 88},
		{"nobody", -ENOENT, 1, 1}, {"app:nobody", -ENOENT, 1, 1},
		{"odd", -ENOENT, 1, 1},    {"ap", -ENOENT, 1, 1},
		{"-1", -ENOENT, 1, 1},     {"4294967296", -ENOENT, 1, 1},
		{":5", -ENOENT, 1, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t uid = 1, gid = 1;
		int err =
			user_resolve(cases[i].user, passwd, group, &uid, &gid);

		cr_expect_eq(err, cases[i].err, "%s", cases[i].user);
		cr_expect_eq(uid, cases[i].uid, "%s", cases[i].user);
		cr_expect_eq(gid, cases[i].gid, "%s", cases[i].user);
	}
}

Test(image_user, may_have_no_list)
{
	uint32_t uid = 1, gid = 1;

	cr_expect_eq(user_resolve("5", NULL, NULL, &uid, &gid), 0);
	cr_expect_eq(uid, 5);
	cr_expect_eq(gid, 0);
	cr_expect_eq(user_resolve("app", NULL, NULL, &uid, &gid), -ENOENT);
}

/* FIPS 180-4's examples. */
Test(image_sha256, is_sha256)
{
	static const struct {
		const char *text;
		unsigned times;
		const char *hex;
	} cases[] = {
		{"abc", 1,
		 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f200"
		 "15ad"},
		{"", 1,
		 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852"
		 "b855"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db"
		 "06c1"},
		{"aaaaaaaaaa", 100000,
		 "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc711"
		 "2cd0"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t digest[SHA256_BYTES];
		char text[SHA256_TEXT_BYTES];
		struct sha256 sha;

		sha256_init(&sha);
		for (unsigned n = 0; n < cases[i].times; n++)
			sha256_add(&sha, cases[i].text, strlen(cases[i].text));
		sha256_end(&sha, digest);
		sha256_text(digest, text);
		cr_expect_str_eq(text, cases[i].hex);
	}
}

static uint8_t plain[300000], packed[400000];

static size_t pack_gzip(const uint8_t *from, size_t bytes, uint8_t *to)
{
	z_stream z = {0};

	deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (uint8_t *)(uintptr_t)from;
	z.avail_in = (unsigned)bytes;
	z.next_out = to;
	z.avail_out = sizeof(packed) / 2;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return z.total_out;
}

/** expect() - these packed bytes give @bytes of plain ones, or @err. */
static void expect(size_t packed_bytes, size_t bytes, int err, const char *what)
{
	static uint8_t out[sizeof(plain) + 1];
	int fd = memfd_create("packed", MFD_CLOEXEC);
	struct unpack *u = NULL;
	uint8_t digest[SHA256_BYTES], want[SHA256_BYTES];
	struct sha256 sha;
	size_t n = 0;

	cr_assert_eq(write(fd, packed, packed_bytes), (ssize_t)packed_bytes);
	cr_assert_eq(unpack_new(fd, &u), 0);
	cr_expect_eq(unpack_read(u, out, sizeof(out), &n), err, "%s", what);
	if (!err) {
		cr_expect_eq(n, bytes, "%s: %zu", what, n);
		cr_expect(!memcmp(out, plain, n), "%s", what);
	}
	sha256_init(&sha);
	sha256_add(&sha, packed, packed_bytes);
	sha256_end(&sha, want);
	cr_expect_eq(unpack_finish(u, digest), 0);
	cr_expect_arr_eq(digest, want, sizeof(want), "%s: of the whole file",
			 what);
	unpack_free(u);
	close(fd);
}

Test(image_unpack, reads_every_packing)
{
	size_t half = sizeof(plain) / 2, one, two;

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * i >> 7);
	memcpy(packed, plain, sizeof(plain));
	expect(sizeof(plain), sizeof(plain), 0, "plain");
	expect(0, 0, 0, "empty");
	memset(packed, 0, sizeof(packed));
	one = pack_gzip(plain, sizeof(plain), packed);
	expect(one, sizeof(plain), 0, "gzip");
	expect(one + 4096, sizeof(plain), 0, "gzip, zeroes behind");
	expect(one - 1, 0, -EBADMSG, "gzip, cut");
	packed[one / 2] ^= 0xff;
	expect(one, 0, -EBADMSG, "gzip, damaged");
	one = pack_gzip(plain, half, packed);
	two = pack_gzip(plain + half, half, packed + one);
	expect(one + two, sizeof(plain), 0, "gzip, two members");
	one = ZSTD_compress(packed, sizeof(packed), plain, sizeof(plain), 3);
	expect(one, sizeof(plain), 0, "zstd");
	expect(one - 1, 0, -EBADMSG, "zstd, cut");
	one = ZSTD_compress(packed, sizeof(packed), plain, half, 3);
	two = ZSTD_compress(packed + one, sizeof(packed) - one, plain + half,
			    half, 3);
	expect(one + two, sizeof(plain), 0, "zstd, two frames");
	packed[one + 2] ^= 0xff;
	expect(one + two, 0, -EBADMSG, "zstd, damaged");
}
