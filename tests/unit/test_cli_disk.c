/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_disk.c - the value of --disk, word by word. */
#include <criterion/criterion.h>
#include <string.h>

#include "runner/cli/disk_option.h"

static struct disk_option o;

static void done(void)
{
	disk_option_done(&o);
}

TestSuite(cli_disk, .fini = done);

Test(cli_disk, a_file_alone)
{
	cr_expect_null(disk_option_parse("a/b=c", &o));
	cr_expect_str_eq(o.path, "a/b=c");
	cr_expect(!o.read_only && !o.overlay && !o.block.overlay);
	cr_expect_eq(o.block.rate_bytes.per_second, 0);
}

Test(cli_disk, all_options)
{
	cr_expect_null(disk_option_parse("a,overlay=o,serial=01234567890123456"
					 "789,rate=10M,burst=64K,ops=500,"
					 "ops-burst=5,engine=threads",
					 &o));
	cr_expect_str_eq(o.path, "a");
	cr_expect_str_eq(o.overlay, "o");
	cr_expect_eq(o.block.overlay, PLAN_OVERLAY_FILE);
	cr_expect_eq(o.block.rate_bytes.per_second, 10u << 20);
	cr_expect_eq(o.block.rate_bytes.burst, 64u << 10);
	cr_expect_eq(o.block.rate_ops.per_second, 500);
	cr_expect_eq(o.block.rate_ops.burst, 5);
	cr_expect_eq(o.block.engine, PLAN_ENGINE_THREADS);
	cr_expect(!memcmp(o.block.serial, "01234567890123456789", 20));
}

Test(cli_disk, commas_in_names)
{
	cr_expect_null(disk_option_parse("a,,b,,,ro", &o));
	cr_expect_str_eq(o.path, "a,b,");
	cr_expect(o.read_only);
	disk_option_done(&o);
	cr_expect_null(disk_option_parse("a,overlay=c,,d", &o));
	cr_expect_str_eq(o.overlay, "c,d");
}

static const struct {
	const char *text, *says;
} bad[] = {
	{"", "names no file"},
	{",ro", "names no file"},
	{"a,", "unknown option"},
	{"a,rw", "unknown option"},
	{"a,ro=1", "takes none"},
	{"a,RO", "unknown option"},
	{"a,overlay", "overlay=mem"},
	{"a,overlay=", "overlay=mem"},
	{"a,overlay=mem,overlay=mem", "two overlays"},
	{"a,overlay=x,overlay=y", "two overlays"},
	{"a,ro,overlay=mem", "only read"},
	{"a,serial=", "1 to 20"},
	{"a,serial=012345678901234567890", "1 to 20"},
	{"a,serial=\xc3\xa4", "ASCII"},
	{"a,rate=0", "rate="},
	{"a,rate=fast", "rate="},
	{"a,rate=-1", "rate="},
	{"a,rate=99999999999T", "rate="},
	{"a,burst=1M", "without a rate"},
	{"a,ops=0", "ops="},
	{"a,ops=1.5", "ops="},
	{"a,ops-burst=1", "without a rate"},
	{"a,engine=fast", "engine="},
};

Test(cli_disk, says_what_is_wrong)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *wrong = disk_option_parse(bad[i].text, &o);

		cr_expect(wrong && strstr(wrong, bad[i].says), "'%s': %s",
			  bad[i].text, wrong);
		disk_option_done(&o);
	}
}
