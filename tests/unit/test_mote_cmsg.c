/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_cmsg.c - lists of control messages, as cmsg(3) builds them and as
 * a hostile program might. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "kernels/mote/net/cmsg.h"

static union {
	uint8_t bytes[256];
	struct cmsghdr align;
} list;

static struct cmsg put(int level, int type, const void *data, uint32_t bytes)
{
	return (struct cmsg){level, type, data, bytes};
}

Test(mote_cmsg, what_is_written_is_what_libc_reads)
{
	struct cmsg_writer w = {list.bytes, sizeof(list), 0, 0};
	struct cmsg a = put(1, 2, "abc", 3), b = put(3, 4, "12345678", 8);
	struct msghdr h = {.msg_control = &list};
	struct cmsghdr *c;

	cmsg_put(&w, &a);
	cmsg_put(&w, &b);
	h.msg_controllen = w.used;
	c = CMSG_FIRSTHDR(&h);
	cr_assert_eq(c->cmsg_len, CMSG_LEN(3));
	cr_assert_eq(c->cmsg_level, 1);
	cr_assert_eq(c->cmsg_type, 2);
	cr_assert_arr_eq(CMSG_DATA(c), "abc", 3);
	c = CMSG_NXTHDR(&h, c);
	cr_assert_eq(c->cmsg_len, CMSG_LEN(8));
	cr_assert_arr_eq(CMSG_DATA(c), "12345678", 8);
	cr_assert_null(CMSG_NXTHDR(&h, c));
	cr_assert_eq(w.used, CMSG_SPACE(3) + CMSG_SPACE(8));
	cr_assert_eq(w.cut, 0);
}

Test(mote_cmsg, what_libc_writes_is_read)
{
	struct msghdr h = {.msg_control = &list, .msg_controllen = 64};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	uint32_t at = 0;
	struct cmsg got;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(4);
	memcpy(CMSG_DATA(c), "\1\2\3\4", 4);
	c = CMSG_NXTHDR(&h, c);
	c->cmsg_level = 7;
	c->cmsg_len = CMSG_LEN(0);
	cr_assert_eq(cmsg_next(list.bytes, 40, &at, &got), 1);
	cr_assert_eq(got.type, SCM_RIGHTS);
	cr_assert_eq(got.bytes, 4);
	cr_assert_arr_eq(got.data, "\1\2\3\4", 4);
	cr_assert_eq(cmsg_next(list.bytes, 40, &at, &got), 1);
	cr_assert_eq(got.level, 7);
	cr_assert_eq(got.bytes, 0);
	cr_assert_eq(cmsg_next(list.bytes, 40, &at, &got), 0);
}

struct bad {
	uint64_t length; /* that the header tells */
	uint32_t bytes;  /* that there are */
	int want;
};

ParameterizedTestParameters(mote_cmsg, lengths_are_checked)
{
	static struct bad cases[] = {
		{16, 16, 1},
		{16, 15, 0},
		{16, 0, 0},
		{15, 16, -EINVAL},
		{0, 16, -EINVAL},
		{17, 16, -EINVAL},
		{17, 17, 1},
		{1ull << 32, 64, -EINVAL},
		{(1ull << 32) + 16, 64, -EINVAL},
		{UINT64_MAX, 64, -EINVAL},
		{UINT64_MAX - 6, 64, -EINVAL},
	};

	return cr_make_param_array(struct bad, cases,
				   sizeof(cases) / sizeof(cases[0]));
}

ParameterizedTest(struct bad *bad, mote_cmsg, lengths_are_checked)
{
	uint32_t at = 0;
	struct cmsg got;

	memcpy(list.bytes, &bad->length, sizeof(bad->length));
	cr_assert_eq(cmsg_next(list.bytes, bad->bytes, &at, &got), bad->want);
	cr_assert_leq(at, bad->bytes);
}

Test(mote_cmsg, too_little_room_cuts)
{
	struct cmsg c = put(1, 2, "abcdefgh", 8);

	for (uint32_t room = 0; room < 24; room++) {
		struct cmsg_writer w = {list.bytes, room, 0, 0};

		memset(&list, 0x55, sizeof(list));
		cmsg_put(&w, &c);
		cr_assert(w.cut);
		cr_assert_leq(w.used, room);
		cr_assert_eq(w.used ? list.align.cmsg_len : 0,
			     room < 16 ? 0 : room);
		cr_assert_eq(list.bytes[room], 0x55);
	}
}
