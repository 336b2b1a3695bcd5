/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h - a policy file as data: which system calls a thread role may make.
 * Pure text to data; knows no file, no BPF. Trusts: no byte of the text.
 *
 *	# why this role exists
 *	role vcpu
 *	limit 8                          # at most 8 different calls
 *
 *	getrandom                        # why
 *	ioctl: request == KVM_RUN        # why; lines of one call are "or"
 *	mmap: not prot & PROT_EXEC and flags in {MAP_SHARED, MAP_PRIVATE}  # why
 *	clone3 -> ENOSYS                 # refused with an errno, not deadly
 *
 * What no line allows kills the process. A term compares one argument:
 *
 *	ARG == VALUE    ARG in {VALUE, ...}    ARG & BITS == VALUE
 *	not ARG & BITS  (none of the bits)     ARG < <= > >= != VALUE
 *
 * A VALUE is a number or a name of policy_names.c, joined with "|". A line may
 * end before a VALUE. Every rule has a comment, on it or on the line above. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POLICY_RULES_MAX  96u
#define POLICY_TERMS_MAX  6u /* an argument is compared once a rule */
#define POLICY_VALUES_MAX 256u
#define POLICY_ROLE_BYTES 16u
#define POLICY_TEXT_MAX   (64u << 10)

enum policy_op {
	POLICY_EQ, /* one of the values */
	POLICY_NE,
	POLICY_LT,
	POLICY_LE,
	POLICY_GT,
	POLICY_GE,
	POLICY_BITS, /* (argument & mask) == the value */
};

struct policy_term {
	uint8_t arg; /* 0..5 */
	bool word;   /* the kernel looks at 32 bits only */
	enum policy_op op;
	uint64_t mask;         /* POLICY_BITS */
	uint16_t first, count; /* in policy.value[] */
};

struct policy_rule {
	uint32_t call; /* number on x86-64 */
	uint32_t line;
	uint32_t terms;
	int error; /* 0: allowed; else refused with this errno */
	struct policy_term term[POLICY_TERMS_MAX]; /* all must hold */
};

struct policy {
	char role[POLICY_ROLE_BYTES];
	uint32_t limit; /* of different calls; 0: none */
	uint32_t rules, values;
	struct policy_rule rule[POLICY_RULES_MAX];
	uint64_t value[POLICY_VALUES_MAX];
};

struct policy_error {
	uint32_t line, column; /* from 1; column in bytes */
	char text[160];
};

/** policy_parse() - @text: @bytes bytes, not NUL-terminated. Besides the
 * grammar it holds every file to the rules of the house: no call that opens,
 * connects, executes, traces or forks; arguments checked where a call can do
 * everything; no executable memory.
 * Return: 0; -EINVAL with @ret_error filled, @ret of no use. */
int policy_parse(const char *text, size_t bytes, struct policy *ret,
		 struct policy_error *ret_error);

/** policy_within() - filters stack: what @inner allows, @outer has to name,
 * too. Return: 0; -EINVAL with @ret_error (a line of @inner). */
int policy_within(const struct policy *inner, const struct policy *outer,
		  struct policy_error *ret_error);

/** policy_calls() - how many different calls are allowed. */
uint32_t policy_calls(const struct policy *p);

/** policy_decide() - what happens to a call: 0 allowed, an errno, or -1 the
 * process dies. @ret_line: of the rule that decided; 0 for none. */
int policy_decide(const struct policy *p, uint32_t call, const uint64_t arg[6],
		  uint32_t *ret_line);
