/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_outcome.c - reports of a VMM that may lie. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/log.h"
#include "runner/cli/outcome.h"

static struct report_msg message(enum report_type type, uint32_t value)
{
	return (struct report_msg){
		.version = REPORT_VERSION, .type = type, .value = value};
}

static int take(struct outcome *o, struct report_msg msg)
{
	return outcome_take(o, &msg, sizeof(msg));
}

Test(cli_outcome, statuses_become_exit_codes)
{
	static const struct {
		uint32_t status;
		int code;
	} table[] = {{0, 0},         {42 << 8, 42},         {255 << 8, 255},
		     {SIGSEGV, 139}, {SIGSEGV | 0x80, 139}, {SIGKILL, 137}};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct outcome o = {0};

		cr_expect_eq(outcome_exit_code(&o), -1);
		cr_expect_eq(take(&o, message(REPORT_EXIT, table[i].status)),
			     0);
		cr_expect_eq(outcome_exit_code(&o), table[i].code);
	}
}

Test(cli_outcome, the_first_word_counts)
{
	struct outcome o = {0};
	struct report_msg error = message(REPORT_ERROR, 124);

	strcpy(error.u.text, "first");
	take(&o, message(REPORT_EXIT, 1 << 8));
	take(&o, message(REPORT_EXIT, 2 << 8));
	cr_expect_eq(outcome_exit_code(&o), 1);
	take(&o, error);
	strcpy(error.u.text, "second");
	take(&o, error);
	cr_expect_str_eq(o.text, "first");
	cr_expect_eq(outcome_exit_code(&o), 124);
}

Test(cli_outcome, rejects_what_is_no_message)
{
	struct outcome o = {0};
	struct report_msg msg = message(REPORT_EXIT, 0);

	cr_expect_eq(outcome_take(&o, &msg, sizeof(msg) - 1), -EPROTO);
	cr_expect_eq(outcome_take(&o, &msg, sizeof(msg) + 1), -EPROTO);
	msg.version = 2;
	cr_expect_eq(take(&o, msg), -EPROTO);
	cr_expect_eq(take(&o, message(0, 0)), -EPROTO);
	cr_expect_eq(take(&o, message(99, 0)), -EPROTO);
	cr_expect_eq(take(&o, message(REPORT_EXIT, 0x137f)), -EPROTO);
	cr_expect_eq(take(&o, message(REPORT_LOG, 99)), -EPROTO);
	cr_expect_eq(take(&o, message(REPORT_MISSING, 51)), -EPROTO);
	cr_expect_eq(take(&o, message(REPORT_TIMELINE, 25)), -EPROTO);
	cr_expect_eq(outcome_exit_code(&o), -1);
}

Test(cli_outcome, text_is_made_harmless)
{
	struct outcome o = {0};
	struct report_msg msg = message(REPORT_ERROR, 0);

	memset(msg.u.text, '\033', sizeof(msg.u.text));
	cr_assert_eq(take(&o, msg), 0);
	cr_expect_eq(strlen(o.text), REPORT_TEXT_BYTES - 1);
	cr_expect_null(strchr(o.text, '\033'));
	cr_expect_eq(o.code, 125);
	o = (struct outcome){0};
	msg.value = 100000;
	take(&o, msg);
	cr_expect_eq(outcome_exit_code(&o), 125);
}

Test(cli_outcome, only_stamps_of_others_are_taken)
{
	struct outcome o = {0};
	struct report_msg msg = message(REPORT_TIMELINE, 4);

	msg.u.stamp[0].id = STAMP_VM_CREATED;
	msg.u.stamp[0].ns = 5;
	msg.u.stamp[1].id = STAMP_PROCESS_START; /* ours */
	msg.u.stamp[1].ns = 6;
	msg.u.stamp[2].id = UINT64_MAX;
	msg.u.stamp[3].id = STAMP_PROCESS_END;
	msg.u.stamp[3].ns = 7;
	cr_assert_eq(take(&o, msg), 0);
	cr_expect_eq(o.stamp_ns[STAMP_VM_CREATED], 5);
	cr_expect_eq(o.stamp_ns[STAMP_PROCESS_START], 0);
	cr_expect_eq(o.stamp_ns[STAMP_PROCESS_END], 0);
}

Test(cli_outcome, missing_calls_of_any_number_are_counted)
{
	struct outcome o = {0};
	struct report_msg msg = message(REPORT_MISSING, 3);

	msg.u.missing[0].number = 298;
	msg.u.missing[0].count = 3;
	msg.u.missing[1].number = UINT32_MAX;
	msg.u.missing[1].count = 1;
	msg.u.missing[2].number = 1; /* count 0 */
	cr_assert_eq(take(&o, msg), 0);
	cr_expect_eq(o.missing[298], 3);
	cr_expect_eq(o.missing[OUTCOME_SYSCALLS - 1], 1);
	cr_expect_eq(o.missing_kinds, 2);
}

static struct report_msg forbidden(uint32_t learned, uint32_t call)
{
	static const char thread[] = "vcpu0\n\033[31mred";
	struct report_msg msg = message(REPORT_FORBIDDEN, learned);

	memcpy(msg.u.forbidden.thread, thread, sizeof(thread));
	msg.u.forbidden.call = call;
	msg.u.forbidden.base = 0x1000;
	msg.u.forbidden.ip = 0x1234;
	return msg;
}

Test(cli_outcome, a_forbidden_call_is_a_failure_that_names_it)
{
	struct outcome o = {0};

	cr_expect_eq(take(&o, forbidden(0, 257)), 0);
	cr_expect_eq(outcome_exit_code(&o), 125);
	cr_expect_not_null(strstr(o.text, "vcpu0??[31mred"));
	cr_expect_not_null(strstr(o.text, " openat,"));
	cr_expect_not_null(strstr(o.text, "ampoule-vmm+0x234;"));
	o = (struct outcome){0};
	cr_expect_eq(take(&o, forbidden(0, 123456)), 0);
	cr_expect_not_null(strstr(o.text, " number 123456,"));
}

Test(cli_outcome, learned_calls_are_counted_and_bounded)
{
	struct outcome o = {0};

	for (uint32_t n = 0; n < 3 * OUTCOME_FORBIDDEN; n++)
		cr_expect_eq(take(&o, forbidden(1, n / 2)), 0);
	cr_expect_eq(outcome_exit_code(&o), -1);
	cr_expect_eq(o.forbidden_kinds, OUTCOME_FORBIDDEN);
	cr_expect_eq(o.forbidden[0].count, 2);
}
