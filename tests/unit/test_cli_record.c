/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_record.c - what is known of a VM: read back as it was written, and
 * damaged lines are found. Processes and the texts of ps. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runner/cli/ps_text.h"
#include "runner/cli/record.h"

static int parse(const char *text, struct record *r, unsigned *line)
{
	return record_parse(text, strlen(text), r, line);
}

Test(cli_record, reads_what_it_writes)
{
	char sh[] = "/bin/sh", c[] = "-c", none[] = "";
	char odd[] = "a\nb\\x41\t\x7f\x01 \xc3\xbc";
	char *argv[] = {sh, c, odd, none, NULL};
	const struct record head = {
		.created_ns = 1732367000123456789ull,
		.mem_bytes = 64 << 20,
		.detached = true,
		.keep = true,
	};
	const struct process_id vm = {.pid = 4712, .start_ticks = 99};
	cleanup_free char *first = record_head(&head, argv);
	cleanup_free char *last = record_end(139, 77, "ended\nby \\SIGSEGV");
	cleanup_record struct record r;
	char text[1000];
	unsigned line;
	int n;

	n = snprintf(text, sizeof(text), "%smonitor 4711 98\n", first);
	record_process("vm", &vm, text + n, sizeof(text) - (size_t)n);
	strcat(text, last);
	cr_assert_eq(parse(text, &r, &line), 0, "line %u of\n%s", line, text);
	cr_expect_eq(r.created_ns, head.created_ns);
	cr_expect_eq(r.mem_bytes, head.mem_bytes);
	cr_expect(r.detached && r.keep && r.exited);
	cr_expect_eq(r.monitor.pid, 4711);
	cr_expect_eq(r.monitor.start_ticks, 98);
	cr_expect_eq(r.vm.pid, vm.pid);
	cr_expect_eq(r.vm.start_ticks, vm.start_ticks);
	cr_expect_eq(r.exit_code, 139);
	cr_expect_eq(r.exited_ns, 77);
	cr_expect_str_eq(r.error, "ended\nby \\SIGSEGV");
	cr_assert_eq(r.command.count, 4);
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(r.command.item[i], argv[i]);
}

Test(cli_record, a_line_without_its_end_does_not_count)
{
	static const char whole[] = "created 5\nvm 12 34\nexit 0 99\n";
	unsigned line;

	for (size_t n = 0; n < sizeof(whole); n++) {
		cleanup_record struct record r;

		cr_assert_eq(record_parse(whole, n, &r, &line), 0, "%zu", n);
		cr_expect_eq(r.created_ns, n >= 10 ? 5 : 0, "%zu", n);
		cr_expect_eq(r.vm.pid, n >= 19 ? 12 : 0, "%zu", n);
		cr_expect_eq(r.exited, n >= 29, "%zu", n);
	}
}

Test(cli_record, passes_over_words_of_later_versions)
{
	cleanup_record struct record r;
	unsigned line;

	cr_expect_eq(parse("colour blue\n\nvm 1 2\nnetwork\n", &r, &line), 0);
	cr_expect_eq(r.vm.pid, 1);
}

Test(cli_record, names_the_line_that_is_damaged)
{
	static const char *const table[] = {
		"created\n",         "created x\n",
		"created 1x\n",      "created 18446744073709551616\n",
		"created -1\n",      "created 1 2\n",
		"memory  1\n",       "detached yes\n",
		"keep it\n",         "arg \\\n",
		"arg \\x\n",         "arg \\x4\n",
		"arg \\x00\n",       "arg \\xg0\n",
		"arg \\n\n",         "vm 0 1\n",
		"vm -1 1\n",         "vm 1\n",
		"vm 2147483648 1\n", "vm 1 2 3\n",
		"monitor 1 \n",      "exit 256 1\n",
		"exit 1\n",          "error \\\n",
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		cleanup_record struct record r;
		unsigned line = 0;
		char text[100];

		snprintf(text, sizeof(text), "created 1\n%sexit 0 1\n",
			 table[i]);
		cr_expect_eq(parse(text, &r, &line), -EINVAL, "%s", table[i]);
		cr_expect_eq(line, 2, "%s: line %u", table[i], line);
	}
}

Test(cli_record, rejects_what_is_no_text)
{
	cleanup_record struct record r;
	unsigned line;

	cr_expect_eq(record_parse("vm 1 2\0 3\n", 10, &r, &line), -EINVAL);
}

Test(cli_record, leaves_out_arguments_that_are_too_many)
{
	static char big[RECORD_ARG_BYTES * 2];
	char a[] = "a", b[] = "b", *argv[] = {a, big, b, NULL};
	const struct record head = {0};
	cleanup_free char *text = NULL;
	cleanup_record struct record r;
	unsigned line;

	memset(big, '\n', sizeof(big) - 1); /* four bytes each */
	text = record_head(&head, argv);
	cr_expect_lt(strlen(text), (size_t)RECORD_ARG_BYTES + 100);
	cr_assert_eq(parse(text, &r, &line), 0);
	cr_expect_eq(r.command.count, 2);
	cr_expect_lt(strlen(r.command.item[1]), (size_t)RECORD_ARG_BYTES);
}

Test(cli_process, reads_stat)
{
	struct process_stat s;

	/* Any byte may be in a name, also what looks like the rest. */
	cr_assert_eq(process_parse_stat(
			     "12 (a) R 1 (b)) T 1 2 3 4 -1 6 7 8 9 10 11 12 13 "
			     "14 15 16 17 18 19 20 21 22\n",
			     &s),
		     0);
	cr_expect_eq(s.state, 'T');
	cr_expect_eq(s.cpu_ticks, 11 + 12);
	cr_expect_eq(s.start_ticks, 19);
	cr_expect_eq(s.rss_pages, 21);
}

Test(cli_process, rejects_other_texts)
{
	static const char *const table[] = {
		"",
		"12",
		"12 (a)",
		"12 (a) ",
		"12 (a) R",
		"12 (a) RR 1",
		"12 (a) R 1 2 3",
		("12 (a) R 1 2 3 x 5 6 7 8 9 10 11 12 13 14 "
		 "15 16 17 18 19 20 21 22"),
	};
	struct process_stat s;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		cr_expect_eq(process_parse_stat(table[i], &s), -EINVAL, "%s",
			     table[i]);
}

Test(cli_process, finds_only_the_very_process)
{
	struct process_id id, other;
	struct process_stat s;
	cleanup_fd int fd = -1;

	cr_assert_eq(process_identify(getpid(), &id), 0);
	cr_expect_eq(process_look(&id, &s), 0);
	fd = process_open(&id);
	cr_expect_geq(fd, 0);
	cr_expect_eq(process_signal(fd, 0), 0);
	other = id;
	other.start_ticks--;
	cr_expect_eq(process_look(&other, &s), -ESRCH);
	cr_expect_eq(process_open(&other), -ESRCH);
	other.pid = 0;
	cr_expect_eq(process_open(&other), -ESRCH);
}

Test(cli_process, a_zombie_is_gone)
{
	struct process_id id;
	struct process_stat s;
	siginfo_t si;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	cr_assert_eq(waitid(P_PID, (id_t)pid, &si, WEXITED | WNOWAIT), 0);
	cr_assert_eq(process_identify(pid, &id), 0);
	cr_expect_eq(process_look(&id, &s), -ESRCH);
	cr_expect_eq(process_open(&id), -ESRCH);
	waitpid(pid, NULL, 0);
	cr_expect_eq(process_look(&id, &s), -ESRCH);
}

static void *open_by_number(void *ret)
{
	struct process_id id;

	cr_assert_eq(process_identify(gettid(), &id), 0);
	*(int *)ret = process_open(&id);
	return NULL;
}

/* What Linux says of a number that has a task, but no process any more. */
Test(cli_process, a_number_without_a_process_is_gone)
{
	pthread_t thread;
	int got = 0;

	cr_assert_eq(pthread_create(&thread, NULL, open_by_number, &got), 0);
	pthread_join(thread, NULL);
	cr_expect_eq(got, -ESRCH);
}

Test(cli_ps_text, ages_and_sizes)
{
	static const struct {
		uint64_t value;
		const char *age, *size;
	} table[] = {
		{0, "0s", "0K"},          {59, "59s", "0K"},
		{60, "1m", "0K"},         {3599, "59m", "3K"},
		{3600, "1h", "3K"},       {86399, "23h", "84K"},
		{86400, "1d", "84K"},     {(1 << 20) - 1, "12d", "1023K"},
		{3 << 19, "18d", "1.5M"}, {5ull << 30, "62137d", "5.0G"},
	};
	char text[32];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ps_age(table[i].value, text, sizeof(text));
		cr_expect_str_eq(text, table[i].age);
		ps_size(table[i].value, text, sizeof(text));
		cr_expect_str_eq(text, table[i].size);
	}
}

Test(cli_ps_text, command_lines)
{
	cleanup_strlist struct strlist words = {0};
	char text[PS_COMMAND_BYTES];

	ps_command_text(&words, 0, text);
	cr_expect_str_eq(text, "");
	cr_assert_eq(strlist_add(&words, "sh"), 0);
	cr_assert_eq(strlist_add(&words, "a\x1b\nb\x7f"), 0);
	ps_command_text(&words, 0, text);
	cr_expect_str_eq(text, "sh a??b?");
	ps_command_text(&words, 5, text);
	cr_expect_str_eq(text, "sh a?");
	for (int i = 0; i < 300; i++)
		cr_assert_eq(strlist_add(&words, "0123456789"), 0);
	ps_command_text(&words, 0, text);
	cr_expect_eq(strlen(text), (size_t)PS_COMMAND_BYTES - 1);
}
