/* SPDX-License-Identifier: Apache-2.0 */
/* test_mote_ldisc.c - mote's line discipline, run natively: what is typed,
 * what the terminal shows, what the program reads. */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <linux/termios.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "kernels/mote/drv/ldisc.h"

static int signalled;

static void note_signal(struct ldisc *from, int signal)
{
	signalled = signal;
}

static struct ldisc *fresh(void)
{
	static struct ldisc d;

	memset(&d, 0, sizeof(d));
	ldisc_init(&d, note_signal);
	signalled = 0;
	return &d;
}

static void type(struct ldisc *d, const char *text)
{
	ldisc_input(d, (const uint8_t *)text, (uint32_t)strlen(text));
}

static const char *shown(struct ldisc *d)
{
	static char text[LDISC_ECHO + 1];

	memcpy(text, d->echo, d->echo_bytes);
	text[d->echo_bytes] = '\0';
	d->echo_bytes = 0;
	return text;
}

static const char *taken(struct ldisc *d, uint32_t cap)
{
	static char text[LDISC_RING + 1];
	bool end;
	uint32_t n = ldisc_read(d, (uint8_t *)text, cap, &end);

	text[n] = '\0';
	return text;
}

struct typing {
	char typed[32], shows[48], reads[32];
};

ParameterizedTestParameters(mote_ldisc, edits_a_line)
{
	static struct typing table[] = {
		{"hello\r", "hello\r\n", "hello\n"},
		{"a\nb", "a\r\nb", "a\n"},
		{"abx\x7f"
		 "c\n",
		 "abx\b \bc\r\n", "abc\n"},
		{"\x7f\n", "\r\n", "\n"},
		{"one two\x17x\n", "one two\b \b\b \b\b \bx\r\n", "one x\n"},
		{"abc\x15xy\n", "abc\b \b\b \b\b \bxy\r\n", "xy\n"},
		{"\x16\x03\n", "^\b^C\r\n", "\x03\n"},
		{"\x16\x03\x7fx\n", "^\b^C\b \b\b \bx\r\n", "x\n"},
		{"a\tb\x7f\x7fz\n",
		 "a\tb\b \b\b \b\b \b\b \b\b \b\b \b\b \b\b \bz\r\n", "az\n"},
		{"\xc3\xa4\x7fx\n", "\xc3\xa4\b \bx\r\n", "x\n"},
		{"end\x04", "end", "end"},
	};

	return cr_make_param_array(struct typing, table,
				   sizeof(table) / sizeof(table[0]));
}

ParameterizedTest(struct typing *t, mote_ldisc, edits_a_line)
{
	struct ldisc *d = fresh();

	type(d, t->typed);
	cr_expect_str_eq(shown(d), t->shows);
	cr_expect_str_eq(taken(d, 100), t->reads);
}

Test(mote_ldisc, gives_no_unfinished_line)
{
	struct ldisc *d = fresh();

	type(d, "abc");
	cr_expect(!ldisc_can_read(d));
	type(d, "\n");
	cr_expect_eq(ldisc_readable(d), 4u);
}

Test(mote_ldisc, gives_one_line_a_read)
{
	struct ldisc *d = fresh();

	type(d, "one\ntwo\n");
	cr_expect_str_eq(taken(d, 100), "one\n");
	cr_expect_str_eq(taken(d, 2), "tw");
	cr_expect_str_eq(taken(d, 100), "o\n");
	cr_expect(!ldisc_can_read(d));
}

Test(mote_ldisc, ends_the_file_at_the_start_of_a_line)
{
	struct ldisc *d = fresh();

	type(d, "\x04x\n");
	cr_expect(ldisc_can_read(d));
	cr_expect_str_eq(taken(d, 100), "");
	cr_expect_str_eq(taken(d, 100), "x\n");
}

Test(mote_ldisc, takes_the_end_mark_with_a_full_read)
{
	struct ldisc *d = fresh();

	type(d, "ab\x04");
	cr_expect_str_eq(taken(d, 2), "ab");
	cr_expect(!ldisc_can_read(d), "or the next read were an end of file");
}

Test(mote_ldisc, turns_keys_into_signals)
{
	struct ldisc *d = fresh();

	type(d, "half a line\x03");
	cr_expect_eq(signalled, SIGINT);
	cr_expect_str_eq(shown(d), "half a line^C");
	type(d, "\n");
	cr_expect_str_eq(taken(d, 100), "\n", "the line was dropped");
	type(d, "\x1c");
	cr_expect_eq(signalled, SIGQUIT);
	type(d, "\x1a");
	cr_expect_eq(signalled, SIGTSTP);
}

Test(mote_ldisc, leaves_keys_alone_in_raw_mode)
{
	struct ldisc *d = fresh();
	struct ldisc_termios t = d->t;

	t.lflag = 0;
	t.iflag = 0;
	t.oflag = 0;
	ldisc_set(d, &t);
	type(d, "\x03\r\x7f\x04");
	cr_expect_eq(signalled, 0);
	cr_expect_str_eq(shown(d), "");
	cr_expect_str_eq(taken(d, 100), "\x03\r\x7f\x04");
}

Test(mote_ldisc, keeps_what_was_typed_over_a_change_of_mode)
{
	struct ldisc *d = fresh();
	struct ldisc_termios cooked = d->t, raw = d->t;

	raw.lflag &= ~(uint32_t)ICANON;
	type(d, "ab");
	ldisc_set(d, &raw);
	cr_expect_str_eq(taken(d, 1), "a");
	ldisc_set(d, &cooked);
	cr_expect_str_eq(taken(d, 100), "b");
	type(d, "c\n");
	cr_expect_str_eq(taken(d, 100), "c\n");
}

Test(mote_ldisc, holds_output_on_request)
{
	struct ldisc *d = fresh();

	type(d, "\x13");
	cr_expect(d->stopped);
	type(d, "\x11");
	cr_expect(!d->stopped);
	cr_expect_str_eq(shown(d), "");
}

Test(mote_ldisc, bounds_an_endless_line)
{
	struct ldisc *d = fresh();

	for (int i = 0; i < 3 * (int)LDISC_RING; i++)
		type(d, "x");
	cr_expect(ldisc_has_room(d), "the newline has to be let in");
	type(d, "\n");
	cr_expect_eq(ldisc_readable(d), LDISC_RING);
	cr_expect_eq(strlen(taken(d, LDISC_RING)), LDISC_RING);
}

Test(mote_ldisc, asks_for_no_more_than_it_holds)
{
	struct ldisc *d = fresh();

	for (int i = 0; i < (int)LDISC_RING / 4; i++)
		type(d, "x\n");
	cr_expect(!ldisc_has_room(d));
	taken(d, 100);
	taken(d, 100);
	cr_expect(ldisc_has_room(d));
}

Test(mote_ldisc, survives_any_bytes_in_any_mode)
{
	struct ldisc *d = fresh();
	unsigned seed = 1;

	for (int round = 0; round < 20000; round++) {
		struct ldisc_termios t = d->t;
		uint8_t c;

		seed = seed * 1103515245 + 12345;
		c = (uint8_t)(seed >> 16);
		if (round % 64 == 0) {
			t.lflag = seed >> 3;
			t.iflag = seed >> 5;
			t.oflag = seed >> 7;
			ldisc_set(d, &t);
		}
		ldisc_input(d, &c, 1);
		cr_assert_leq(d->tail - d->head, LDISC_RING);
		cr_assert_leq(d->canon - d->head, d->tail - d->head);
		cr_assert_leq(d->echo_bytes, LDISC_ECHO);
		if (round % 7 == 0)
			taken(d, c);
		if (round % 5 == 0)
			d->echo_bytes = 0;
	}
}

Test(mote_ldisc, processes_output)
{
	struct ldisc *d = fresh();
	uint8_t out[64];
	uint32_t n = ldisc_output(d, out, (const uint8_t *)"a\nb\tc\r\n", 7);

	cr_expect_eq(n, 9u);
	cr_expect_arr_eq(out, "a\r\nb\tc\r\r\n", 9);
	d->t.oflag |= XTABS;
	n = ldisc_output(d, out, (const uint8_t *)"ab\tc", 4);
	cr_expect_eq(n, 9u);
	cr_expect_arr_eq(out, "ab      c", 9);
	d->t.oflag = 0;
	n = ldisc_output(d, out, (const uint8_t *)"\n\t", 2);
	cr_expect_eq(n, 2u);
}
