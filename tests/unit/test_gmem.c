/* SPDX-License-Identifier: Apache-2.0 */
/* test_gmem.c - no span leaves its region, whatever the arithmetic. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>

#include "devices-virtio/gmem.h"

#define LOW_BYTES  0x2000u
#define HIGH_GPA   0x100000000ull
#define HIGH_BYTES 0x1000u

static _Alignas(4096) uint8_t low[LOW_BYTES], high[HIGH_BYTES];

static struct gmem memory(void)
{
	struct gmem gm;

	gm_init(&gm);
	cr_assert_eq(gm_add_region(&gm, gpa(0), LOW_BYTES, low), 0);
	cr_assert_eq(gm_add_region(&gm, gpa(HIGH_GPA), HIGH_BYTES, high), 0);
	return gm;
}

struct span {
	const char *what;
	uint64_t at;
	size_t len;
	bool ok;
};

static const struct span spans[] = {
	{"first byte", 0, 1, true},
	{"whole region", 0, LOW_BYTES, true},
	{"last byte", LOW_BYTES - 1, 1, true},
	{"one past the end", LOW_BYTES - 1, 2, false},
	{"starts at the end", LOW_BYTES, 1, false},
	{"in the hole", 0x80000000, 1, false},
	{"before the second region", HIGH_GPA - 1, 2, false},
	{"second region", HIGH_GPA, HIGH_BYTES, true},
	{"end of the second region", HIGH_GPA + HIGH_BYTES, 1, false},
	{"across everything", 0, HIGH_GPA + HIGH_BYTES, false},
	{"length wraps", 1, SIZE_MAX, false},
	{"address and length wrap", UINT64_MAX, 2, false},
	{"last address there is", UINT64_MAX, 1, false},
};

ParameterizedTestParameters(gmem, admits_only_whole_spans)
{
	static unsigned index[sizeof(spans) / sizeof(spans[0])];

	for (unsigned i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		index[i] = i;
	return cr_make_param_array(unsigned, index,
				   sizeof(spans) / sizeof(spans[0]));
}

ParameterizedTest(unsigned *index, gmem, admits_only_whole_spans)
{
	const struct span *s = &spans[*index];
	struct gmem gm = memory();
	struct iovec iov = {0};
	int want = s->ok ? 0 : -EFAULT;

	cr_expect_eq(gm_iov(&gm, gpa(s->at), s->len, &iov), want, "%s",
		     s->what);
	cr_expect_eq(iov.iov_len, s->ok ? s->len : 0, "%s", s->what);
	if (s->len <= LOW_BYTES) {
		uint8_t copy[LOW_BYTES];

		cr_expect_eq(gm_read(&gm, gpa(s->at), copy, s->len), want, "%s",
			     s->what);
		cr_expect_eq(gm_write(&gm, gpa(s->at), copy, s->len), want,
			     "%s", s->what);
	}
}

Test(gmem, refuses_bad_regions)
{
	struct gmem gm = memory();

	cr_expect_eq(gm_add_region(&gm, gpa(0x10000), 0, low), -EINVAL);
	cr_expect_eq(gm_add_region(&gm, gpa(0x10000), 1, NULL), -EINVAL);
	cr_expect_eq(gm_add_region(&gm, gpa(LOW_BYTES - 1), 1, low), -EINVAL);
	cr_expect_eq(gm_add_region(&gm, gpa(0), HIGH_GPA + 1, low), -EINVAL);
	cr_expect_eq(gm_add_region(&gm, gpa(UINT64_MAX), 2, low), -EINVAL);
	cr_expect_eq(gm_add_region(&gm, gpa(LOW_BYTES), 1, low), 0);
	for (unsigned i = gm.count; i < GM_REGIONS_MAX; i++)
		cr_expect_eq(gm_add_region(&gm, gpa(0x10000 * (i + 1)), 1, low),
			     0);
	cr_expect_eq(gm_add_region(&gm, gpa(0x1000000), 1, low), -ENOSPC);
	cr_expect_eq(gm_add_read_only(&gm, gpa(0x1000000), 1, low), -ENOSPC);
}

Test(gmem, rejects_an_empty_span_for_io)
{
	struct gmem gm = memory();
	struct iovec iov;

	cr_expect_eq(gm_iov(&gm, gpa(0), 0, &iov), -EFAULT);
}

Test(gmem, loads_and_stores_aligned_words_only)
{
	struct gmem gm = memory();
	uint16_t v = 0;

	cr_expect_eq(gm_store16(&gm, gpa(8), 0xbeef), 0);
	cr_expect_eq(gm_load16(&gm, gpa(8), &v), 0);
	cr_expect_eq(v, 0xbeef);
	cr_expect_eq(low[8], 0xef);
	cr_expect_eq(gm_load16(&gm, gpa(9), &v), -EFAULT);
	cr_expect_eq(gm_store16(&gm, gpa(9), 1), -EFAULT);
	cr_expect_eq(gm_load16(&gm, gpa(LOW_BYTES), &v), -EFAULT);
	cr_expect_eq(v, 0xbeef, "untouched on failure");
}

Test(gmem, gathers_and_scatters_across_spans)
{
	char a[3], b[1], c[4], text[8] = "abcdefg", back[16] = {0};
	const struct iovec iov[3] = {{a, 3}, {b, 1}, {c, 4}};

	cr_expect_eq(gm_iov_write(iov, 3, text, 7), 7);
	cr_expect(!memcmp(a, "abc", 3) && b[0] == 'd' && !memcmp(c, "efg", 3));
	cr_expect_eq(gm_iov_read(iov, 3, back, 6), 6);
	cr_expect_str_eq(back, "abcdef");
	cr_expect_eq(gm_iov_read(iov, 3, back, sizeof(back)), 8,
		     "no more than the spans hold");
	cr_expect_eq(gm_iov_write(iov, 1, text, 7), 3);
}

/* Read-only memory: a source, never a target. */

static const uint8_t rom[4096] = {'r', 'o', 'm'};

static struct gmem memory_with_rom(void)
{
	struct gmem gm = memory();

	cr_assert_eq(gm_add_read_only(&gm, gpa(0x200000000ull), sizeof(rom),
				      (void *)(uintptr_t)rom),
		     0);
	return gm;
}

Test(gmem, skips_over_spans)
{
	char a[3], b[4];
	const struct iovec iov[] = {{a, 3}, {NULL, 0}, {b, 4}};
	struct iovec rest[3];

	cr_expect_eq(gm_iov_skip(iov, 3, 2, rest), 2); /* none is empty */
	cr_expect(rest[0].iov_base == a + 2 && rest[0].iov_len == 1);
	cr_expect(rest[1].iov_base == b && rest[1].iov_len == 4);
	cr_expect_eq(gm_iov_skip(iov, 3, 3, rest), 1);
	cr_expect(rest[0].iov_base == b && rest[0].iov_len == 4);
	cr_expect_eq(gm_iov_skip(iov, 3, 6, rest), 1);
	cr_expect(rest[0].iov_base == b + 3 && rest[0].iov_len == 1);
	cr_expect_eq(gm_iov_skip(iov, 3, 7, rest), 0);
	cr_expect_eq(gm_iov_skip(iov, 3, 8, rest), 0);
}

Test(gmem, reads_read_only_memory)
{
	struct gmem gm = memory_with_rom();
	struct iovec iov;
	uint16_t word;
	char text[4];

	cr_expect_eq(gm_read(&gm, gpa(0x200000000ull), text, 4), 0);
	cr_expect_str_eq(text, "rom");
	cr_expect_eq(gm_load16(&gm, gpa(0x200000000ull), &word), 0);
	cr_expect_eq(word, 'r' | 'o' << 8);
	cr_expect_eq(gm_iov_source(&gm, gpa(0x200000ff0ull), 16, &iov), 0);
	cr_expect_eq(iov.iov_base, (void *)(uintptr_t)(rom + 0xff0));
	cr_expect_eq(gm_iov_source(&gm, gpa(0x200000ff0ull), 17, &iov),
		     -EFAULT);
	cr_expect_eq(gm_iov_source(&gm, gpa(0x200000000ull), 0, &iov), -EFAULT);
}

Test(gmem, never_writes_read_only_memory)
{
	struct gmem gm = memory_with_rom();
	struct iovec iov;

	cr_expect_eq(gm_write(&gm, gpa(0x200000000ull), "x", 1), -EFAULT);
	cr_expect_eq(gm_store16(&gm, gpa(0x200000000ull), 1), -EFAULT);
	cr_expect_eq(gm_iov(&gm, gpa(0x200000000ull), 1, &iov), -EFAULT);
	cr_expect_eq(gm_iov(&gm, gpa(0x200000fffull), 1, &iov), -EFAULT);
	cr_expect_eq(rom[0], 'r');
}

Test(gmem, writes_beside_read_only_memory)
{
	struct gmem gm = memory_with_rom();
	struct iovec iov;

	cr_expect_eq(gm_iov(&gm, gpa(0), 1, &iov), 0);
	cr_expect_eq(gm_iov_source(&gm, gpa(0), 1, &iov), 0);
}
