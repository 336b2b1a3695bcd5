/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy.c - policy files: what is accepted, what it means, and where the
 * error is in what is not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "policies/policy.h"
#include "policies/policy_names.h"

static struct policy policy;
static struct policy_error error;

static int parse(const char *text)
{
	return policy_parse(text, strlen(text), &policy, &error);
}

static void good(const char *text)
{
	cr_assert_eq(parse(text), 0, "%u:%u: %s\n%s", error.line, error.column,
		     error.text, text);
}

static int decide(uint32_t call, uint64_t a0, uint64_t a1, uint64_t a2)
{
	const uint64_t arg[6] = {a0, a1, a2};
	uint32_t line;

	return policy_decide(&policy, call, arg, &line);
}

Test(policy, the_smallest_file_allows_nothing)
{
	good("role r\n");
	cr_expect_str_eq(policy.role, "r");
	cr_expect_eq(policy_calls(&policy), 0);
	cr_expect_eq(decide(SYS_read, 0, 0, 0), -1);
}

Test(policy, a_call_without_terms_is_allowed_with_any_argument)
{
	good("role r # x\nread # why\n");
	cr_expect_eq(decide(SYS_read, 1, ~0ull, 2), 0);
	cr_expect_eq(decide(SYS_write, 0, 0, 0), -1);
}

Test(policy, lines_of_one_call_are_alternatives)
{
	good("role r\nioctl: request == 1 # a\n# b\nioctl: request == 2\n");
	cr_expect_eq(policy_calls(&policy), 1);
	cr_expect_eq(decide(SYS_ioctl, 0, 1, 0), 0);
	cr_expect_eq(decide(SYS_ioctl, 0, 2, 0), 0);
	cr_expect_eq(decide(SYS_ioctl, 0, 3, 0), -1);
}

Test(policy, terms_of_one_line_must_all_hold)
{
	good("role r\npoll: count == 1 and timeout == 0 # why\n");
	cr_expect_eq(decide(SYS_poll, 0, 1, 0), 0);
	cr_expect_eq(decide(SYS_poll, 0, 1, 5), -1);
	cr_expect_eq(decide(SYS_poll, 0, 2, 0), -1);
}

Test(policy, a_word_ignores_what_the_kernel_ignores)
{
	good("role r\nioctl: request == 7 # why\n");
	cr_expect_eq(decide(SYS_ioctl, 0, 0xffffffff00000007, 0), 0);
	good("role r\nlseek: arg1 == 7 # 64 bits\n");
	cr_expect_eq(decide(SYS_lseek, 0, 0xffffffff00000007, 0), -1);
}

Test(policy, lists_go_over_lines_and_names_are_known)
{
	good("role r\n# why\nioctl: request in {KVM_RUN, # one\n\t0x10 |\n"
	     "\t0x01, 3}\n");
	cr_expect_eq(decide(SYS_ioctl, 0, 0xae80, 0), 0);
	cr_expect_eq(decide(SYS_ioctl, 0, 0x11, 0), 0);
	cr_expect_eq(decide(SYS_ioctl, 0, 3, 0), 0);
	cr_expect_eq(decide(SYS_ioctl, 0, 0x10, 0), -1);
}

Test(policy, not_means_none_of_the_bits)
{
	good("role r\nmmap: not prot & PROT_EXEC # why\n");
	cr_expect_eq(decide(SYS_mmap, 0, 0, PROT_READ | PROT_WRITE), 0);
	cr_expect_eq(decide(SYS_mmap, 0, 0, PROT_READ | PROT_EXEC), -1);
}

Test(policy, a_refusal_is_an_errno)
{
	good("role r\nclone3 -> ENOSYS # why\nopenat -> EPERM # as well\n");
	cr_expect_eq(decide(SYS_clone3, 0, 0, 0), ENOSYS);
	cr_expect_eq(decide(SYS_openat, 0, 0, 0), EPERM);
	cr_expect_eq(policy_calls(&policy), 0);
}

Test(policy, comparisons_of_64_bits)
{
	good("role r\nlseek: arg1 < 10 # why\nftruncate: len >= 0x100000000 # "
	     "w\n");
	cr_expect_eq(decide(SYS_lseek, 0, 9, 0), 0);
	cr_expect_eq(decide(SYS_lseek, 0, 10, 0), -1);
	cr_expect_eq(decide(SYS_ftruncate, 0, 0x100000000, 0), 0);
	cr_expect_eq(decide(SYS_ftruncate, 0, 0xffffffff, 0), -1);
}

static const struct {
	const char *text;
	uint32_t line, column;
	const char *says; /* part of the message */
} bad[] = {
	{"", 1, 1, "no line names the role"},
	{"role\n", 1, 5, "expected a name"},
	{"role a\nrole b # x\n", 2, 6, "already named"},
	{"role a234567890123456\n", 1, 6, "too long"},
	{"role r x\n", 1, 8, "end of the line"},
	{"role r\nlimit 0\n", 2, 7, "limit is not within"},
	{"role r\nlimit x\n", 2, 7, "not a number"},
	{"role r\nlimit 1\nread # a\nwrite # b\n", 5, 1, "the limit is 1"},
	{"role r\nread\n", 2, 1, "say why"},
	{"role r # why\n\nread\n", 3, 1, "say why"},
	{"role r\nread #   \n", 2, 1, "say why"},
	{"role r\nreed # why\n", 2, 1, "neither a system call"},
	{"role r\n  ?\n", 2, 3, "name of a system call"},
	{"role r\nread # a\nread # b\n", 3, 1, "line 2 already decides"},
	{"role r\nread # a\nread: fd == 1 # b\n", 3, 1, "already decides"},
	{"role r\nread # a\nread -> EPERM # b\n", 3, 1, "already decides"},
	{"role r\nread -> EWHAT # b\n", 2, 9, "no errno"},
	{"role r\nread: fb == 1 # b\n", 2, 7, "read has no argument 'fb' (fd"},
	{"role r\nread: fd == 1 and fd == 2 # b\n", 2, 19, "compared twice"},
	{"role r\nread: fd == 0x100000000 # b\n", 2, 13, "never fits"},
	{"role r\nread: fd < 3 # b\n", 2, 10, "32 bits"},
	{"role r\nread: fd = 3 # b\n", 2, 10, "expected =="},
	{"role r\nread: fd in 3 # b\n", 2, 13, "expected '{'"},
	{"role r\nread: fd in {3 # b\n", 3, 1, "expected ',' or '}'"},
	{"role r\nread: fd in {3, } # b\n", 2, 17, "expected a number"},
	{"role r\nread: fd == KVM_FLY # b\n", 2, 13, "no constant"},
	{"role r\nread: fd == 12ab # b\n", 2, 13, "not a number"},
	{"role r\nread: fd == 99999999999999999999999 # b\n", 2, 13, "number"},
	{"role r\nread: len & 0 == 0 # b\n", 2, 13, "no bits"},
	{"role r\nread: len & 1 == 2 # b\n", 2, 18, "never true"},
	{"role r\nread: len & 1 # b\n", 2, 15, "expected '=="},
	{"role r\nread: not len == 1 # b\n", 2, 15, "expected '& BITS'"},
	{"role r\nioctl # b\n", 2, 1, "check its arguments"},
	{"role r\nprctl # b\n", 2, 1, "check its arguments"},
	{"role r\nmmap: flags == 2 # b\n", 2, 1, "executable memory"},
	{"role r\nmmap: prot == 7 # b\n", 2, 1, "executable memory"},
	{"role r\nmprotect: prot in {1, 5} # b\n", 2, 1, "executable memory"},
	{"role r\nmprotect: not prot & 2 # b\n", 2, 1, "executable memory"},
	{"role r\nmprotect: prot < 9 # b\n", 2, 1, "executable memory"},
	{"role r\nmprotect: prot & 6 == 4 # b\n", 2, 1, "executable memory"},
	{"role r\nopenat # b\n", 2, 1, "never be allowed: the VMM opens"},
	{"role r\nio_uring_setup # b\n", 2, 1, "never be allowed"},
	{"role r\nsocketpair # b\n", 2, 1, "never be allowed"},
	{"role r\nsetresuid # b\n", 2, 1, "never be allowed"},
};

Test(policy, errors_have_line_and_column)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_expect_eq(parse(bad[i].text), -EINVAL, "%s", bad[i].text);
		cr_expect(error.line == bad[i].line &&
				  error.column == bad[i].column,
			  "%u:%u, expected %u:%u: %s\n%s", error.line,
			  error.column, bad[i].line, bad[i].column, error.text,
			  bad[i].text);
		cr_expect_not_null(strstr(error.text, bad[i].says),
				   "'%s' is not about '%s'", error.text,
				   bad[i].says);
	}
}

Test(policy, all_that_may_never_be_allowed)
{
	static const char *const calls[] = {
		"open",
		"openat",
		"openat2",
		"creat",
		"socket",
		"connect",
		"execve",
		"execveat",
		"fork",
		"vfork",
		"ptrace",
		"process_vm_readv",
		"bpf",
		"process_vm_writev",
		"userfaultfd",
		"kill",
		"io_uring_setup",
		"io_uring_enter",
		"mount",
		"setns",
		"unshare",
		"init_module",
		"pidfd_open",
		"open_by_handle_at",
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		cr_expect_not_null(policy_never(calls[i]), "%s", calls[i]);
	cr_expect_null(policy_never("read"));
	cr_expect_null(policy_never("set_tid_address"));
	cr_expect_null(policy_never("fstat"));
}

Test(policy, only_the_parser_opens_and_only_to_read)
{
	static const char *const bad[] = {
		"role parse\nopenat # a\n",
		"role parse\nopenat: flags == 0x40 # a\n",
		"role parse\nopenat: mode == 0 # a\n",
		"role parse\nopenat: not flags & O_WRONLY | O_RDWR # a\n",
		"role parse\nopenat: flags & O_WRONLY | O_RDWR | O_CREAT | "
		"O_TRUNC == O_WRONLY # a\n",
		"role parse\nopenat2 # a\n",
		"role loop\nopenat: not flags & O_WRONLY | O_RDWR | O_CREAT | "
		"O_TRUNC # a\n",
		"openat: not flags & O_WRONLY | O_RDWR | O_CREAT | O_TRUNC #a\n"
		"role parse\n",
	};

	good("role parse\nopenat: not flags & O_WRONLY | O_RDWR | O_CREAT | "
	     "O_TRUNC # a\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(parse(bad[i]), -EINVAL, "%s", bad[i]);
	cr_expect(policy_stands_alone("parse"));
	cr_expect_not(policy_stands_alone("loop"));
}

Test(policy, what_lies_on_top_needs_leave_from_below)
{
	static struct policy inner;

	good("role inner\nread # a\nwrite # b\n");
	inner = policy;
	good("role outer\nread # a\nwrite # b\nclose # c\n");
	cr_expect_eq(policy_within(&inner, &policy, &error), 0);
	good("role outer\nread # a\nwrite -> EPERM # b\n");
	cr_expect_eq(policy_within(&inner, &policy, &error), -EINVAL);
	cr_expect_eq(error.line, 3);
}

Test(policy, too_much_is_an_error)
{
	static char text[POLICY_TEXT_MAX + 2];
	size_t used = (size_t)sprintf(text, "role r\n");

	for (unsigned i = 0; i <= POLICY_RULES_MAX; i++)
		used += (size_t)sprintf(text + used,
					"ioctl: request == %u #a\n", i);
	cr_expect_eq(parse(text), -EINVAL);
	cr_expect_not_null(strstr(error.text, "too many rules"));
	used = (size_t)sprintf(text, "role r\nioctl: request in {0");
	for (unsigned i = 1; i <= POLICY_VALUES_MAX; i++)
		used += (size_t)sprintf(text + used, ", %u", i);
	sprintf(text + used, "} # a\n");
	cr_expect_eq(parse(text), -EINVAL);
	cr_expect_not_null(strstr(error.text, "too many values"));
	memset(text, '\n', sizeof(text));
	cr_expect_eq(policy_parse(text, sizeof(text), &policy, &error),
		     -EINVAL);
}
