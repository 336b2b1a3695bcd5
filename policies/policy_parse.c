/* SPDX-License-Identifier: Apache-2.0 */
/* policy_parse.c - policy files: text to data, by recursive descent. Trusts:
 * no byte of the text. Must not: read past its end, or accept a line that means
 * something else than it seems to. */
#include "policies/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/policy_names.h"
#include "policies/syscall_names.h"

#define WORD_BYTES 48u

struct reader {
	const char *at, *end, *line_start;
	uint32_t line;
	uint32_t comment_line; /* of the last comment that says something */
	uint32_t token_line, token_column; /* where the last token began */
	char word[WORD_BYTES];             /* of the last word */
	struct policy *policy;
	struct policy_error *error;
};

__attribute__((format(printf, 2, 3))) static int fail(struct reader *r,
						      const char *fmt, ...)
{
	va_list ap;

	r->error->line = r->token_line;
	r->error->column = r->token_column;
	va_start(ap, fmt);
	(void)vsnprintf(r->error->text, sizeof(r->error->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_';
}

/** mark() - this is where the next token begins, or is missing. */
static void mark(struct reader *r)
{
	r->token_line = r->line;
	r->token_column = (uint32_t)(r->at - r->line_start) + 1;
}

/** comment() - note whether it says anything. Return: its end. */
static const char *comment(struct reader *r)
{
	const char *p;

	for (p = r->at; p < r->end && *p != '\n'; p++) {
		if (is_word(*p))
			r->comment_line = r->line;
	}
	return p;
}

/** skip() - blanks; line ends and comments too if @lines. */
static void skip(struct reader *r, bool lines)
{
	while (r->at < r->end) {
		mark(r);
		if (*r->at == '#') {
			const char *end = comment(r);

			if (!lines)
				return;
			r->at = end;
		} else if (*r->at == '\n' && lines) {
			r->line++;
			r->line_start = ++r->at;
		} else if (*r->at == ' ' || *r->at == '\t') {
			r->at++;
		} else {
			return;
		}
	}
	mark(r);
}

/** take() - the punctuation @text, if it comes next on this line. */
static bool take(struct reader *r, const char *text)
{
	size_t len = strlen(text);

	skip(r, false);
	if ((size_t)(r->end - r->at) < len || memcmp(r->at, text, len) != 0)
		return false;
	r->at += len;
	return true;
}

/** word() - a name or number into r->word. */
static int word(struct reader *r, const char *wanted)
{
	size_t len = 0;

	skip(r, false);
	while (r->at + len < r->end && is_word(r->at[len]))
		len++;
	if (!len)
		return fail(r, "expected %s", wanted);
	if (len >= sizeof(r->word))
		return fail(r, "this word is too long");
	memcpy(r->word, r->at, len);
	r->word[len] = '\0';
	r->at += len;
	return 0;
}

/** peek() - is the word @text next? Taken if so. */
static bool peek(struct reader *r, const char *text)
{
	size_t len = strlen(text);

	skip(r, false);
	if ((size_t)(r->end - r->at) < len || memcmp(r->at, text, len) != 0 ||
	    (r->at + len < r->end && is_word(r->at[len])))
		return false;
	r->at += len;
	return true;
}

static int number(struct reader *r, uint64_t *ret)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(r->word, &end, 0);
	if (*end || errno)
		return fail(r, "'%s' is not a number", r->word);
	*ret = value;
	return 0;
}

/** value() - NUMBER or NAME, joined with '|'; a line may end behind one. */
static int value(struct reader *r, uint64_t *ret)
{
	uint64_t sum = 0, part = 0;
	uint32_t line, column;

	skip(r, true);
	line = r->token_line;
	column = r->token_column;
	do {
		int err;

		skip(r, true);
		err = word(r, "a number or the name of a constant");
		if (err)
			return err;
		if (r->word[0] >= '0' && r->word[0] <= '9')
			err = number(r, &part);
		else if (policy_constant(r->word, &part) < 0)
			err = fail(r, "'%s' is no constant that is known here",
				   r->word);
		if (err)
			return err;
		sum |= part;
	} while (take(r, "|"));
	r->token_line =
		line; /* what is wrong with it is wrong with all of it */
	r->token_column = column;
	*ret = sum;
	return 0;
}

static int add_value(struct reader *r, struct policy_term *term, uint64_t v)
{
	struct policy *p = r->policy;

	if (term->word && v > UINT32_MAX)
		return fail(r, "this value never fits: the kernel looks at 32 "
			       "bits of the argument");
	if (p->values == POLICY_VALUES_MAX)
		return fail(r, "too many values in one file (at most %u)",
			    POLICY_VALUES_MAX);
	p->value[p->values++] = v;
	term->count++;
	return 0;
}

static int one_value(struct reader *r, struct policy_term *term)
{
	uint64_t v = 0;
	int err = value(r, &v);

	return err ? err : add_value(r, term, v);
}

/** list() - "{ VALUE, VALUE }"; may go over several lines. */
static int list(struct reader *r, struct policy_term *term)
{
	int err;

	if (!take(r, "{"))
		return fail(r, "expected '{' after 'in'");
	do {
		skip(r, true);
		err = one_value(r, term);
		skip(r, true);
	} while (!err && take(r, ","));
	if (!err && !take(r, "}"))
		err = fail(r, "expected ',' or '}'");
	return err;
}

/** bits() - after '&': the mask, and what must be left of it. */
static int bits(struct reader *r, struct policy_term *term, bool none)
{
	int err = value(r, &term->mask);

	term->op = POLICY_BITS;
	if (err)
		return err;
	if (!term->mask)
		return fail(r, "a mask of no bits says nothing");
	if (none)
		return add_value(r, term, 0);
	if (!take(r, "=="))
		return fail(r, "expected '== VALUE' after the bits");
	err = one_value(r, term);
	if (!err && r->policy->value[term->first] & ~term->mask)
		err = fail(r,
			   "never true: the value has bits outside the mask");
	return err;
}

static int comparison(struct reader *r, struct policy_term *term)
{
	static const struct {
		const char *text;
		enum policy_op op;
	} ops[] = {
		{"==", POLICY_EQ}, {"!=", POLICY_NE}, {"<=", POLICY_LE},
		{"<", POLICY_LT},  {">=", POLICY_GE}, {">", POLICY_GT},
	};

	if (peek(r, "in"))
		return list(r, term);
	if (take(r, "&"))
		return bits(r, term, false);
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!take(r, ops[i].text))
			continue;
		term->op = ops[i].op;
		if (term->word && term->op != POLICY_EQ)
			return fail(r,
				    "'%s' does not work on an argument of "
				    "32 bits: use ==, in or &",
				    ops[i].text);
		return one_value(r, term);
	}
	return fail(r, "expected ==, in, &, !=, <, <=, > or >=");
}

static int term(struct reader *r, struct policy_rule *rule)
{
	struct policy_term *t = &rule->term[rule->terms];
	const char *call = syscall_name(rule->call);
	bool none = peek(r, "not");
	struct policy_arg arg;
	int err = word(r, "the name of an argument");

	if (err)
		return err;
	if (policy_arg(call, r->word, &arg) < 0)
		return fail(r, "%s has no argument '%s' (%s%sarg0 to arg5)",
			    call, r->word, policy_args_of(call),
			    *policy_args_of(call) ? ", " : "");
	for (uint32_t i = 0; i < rule->terms; i++) {
		if (rule->term[i].arg == arg.index)
			return fail(r,
				    "'%s' is compared twice: write a second "
				    "line, or one mask",
				    r->word);
	}
	*t = (struct policy_term){
		.arg = arg.index,
		.word = arg.word,
		.op = POLICY_EQ,
		.first = (uint16_t)r->policy->values,
	};
	rule->terms++;
	if (!none)
		return comparison(r, t);
	if (!take(r, "&"))
		return fail(r, "expected '& BITS' after 'not %s'", r->word);
	return bits(r, t, true);
}

/** is_executable() - does the rule leave PROT_EXEC possible? */
static bool is_executable(const struct policy *p,
			  const struct policy_rule *rule)
{
	for (uint32_t i = 0; i < rule->terms; i++) {
		const struct policy_term *t = &rule->term[i];
		bool any = false;

		if (t->arg != 2)
			continue;
		if (t->op == POLICY_BITS)
			return !(t->mask & 4) || p->value[t->first] & 4;
		for (uint16_t v = 0; v < t->count; v++)
			any |= p->value[t->first + v] & 4;
		return t->op != POLICY_EQ || any;
	}
	return true;
}

/** is_writing() - does the rule leave it possible to open for writing? */
static bool is_writing(const struct policy *p, const struct policy_rule *rule)
{
	const uint64_t ways = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC;

	for (uint32_t i = 0; i < rule->terms; i++) {
		const struct policy_term *t = &rule->term[i];

		if (t->arg == 2)
			return t->op != POLICY_BITS || ~t->mask & ways ||
			       p->value[t->first];
	}
	return true;
}

/** check_allowed() - a rule that lets a call be made. */
static int check_allowed(struct reader *r, const struct policy_rule *rule)
{
	const struct policy *p = r->policy;
	const char *call = syscall_name(rule->call);
	bool opens = policy_opens(p->role, call);

	if (policy_never(call) && !opens && !policy_rings(p->role, call))
		return fail(r, "%s may never be allowed: %s", call,
			    policy_never(call));
	if (opens && !strcmp(call, "openat") && is_writing(p, rule))
		return fail(r,
			    "%s must exclude writing: add 'not flags & "
			    "O_WRONLY | O_RDWR | O_CREAT | O_TRUNC'",
			    call);
	if (policy_needs_terms(call) && !rule->terms)
		return fail(r, "%s can do too much: check its arguments (%s)",
			    call, policy_args_of(call));
	if (policy_maps_memory(call) && is_executable(p, rule))
		return fail(r,
			    "%s must exclude executable memory: add 'not prot "
			    "& PROT_EXEC'",
			    call);
	return 0;
}

/** check_rule() - the rules of the house. The token is the call's name. */
static int check_rule(struct reader *r, const struct policy_rule *rule)
{
	const struct policy *p = r->policy;

	for (uint32_t i = 0; i < p->rules; i++) {
		const struct policy_rule *other = &p->rule[i];

		if (other->call != rule->call)
			continue;
		if (!other->terms || !rule->terms || other->error ||
		    rule->error)
			return fail(r, "%s: line %u already decides about it",
				    syscall_name(rule->call), other->line);
	}
	return rule->error ? 0 : check_allowed(r, rule);
}

static int find_call(struct reader *r, struct policy_rule *rule)
{
	int nr = syscall_number(r->word);

	if (nr < 0)
		return fail(r,
			    "'%s' is neither a system call of x86-64 nor "
			    "'role' or 'limit'",
			    r->word);
	rule->call = (uint32_t)nr;
	rule->line = r->token_line;
	return 0;
}

static int refusal(struct reader *r, struct policy_rule *rule)
{
	int err = word(r, "an errno after '->'");

	if (err)
		return err;
	rule->error = policy_errno(r->word);
	if (rule->error < 0)
		return fail(r, "'%s' is no errno that is known here", r->word);
	return 0;
}

/** end_of_line() - nothing but a comment follows. */
static int end_of_line(struct reader *r)
{
	skip(r, false);
	if (r->at < r->end && *r->at != '\n' && *r->at != '#')
		return fail(r, "expected the end of the line");
	return 0;
}

/** rule() - the word is the name of the call. */
static int rule(struct reader *r)
{
	struct policy_rule *rule = &r->policy->rule[r->policy->rules];
	uint32_t above = r->comment_line;
	struct reader start;
	int err;

	if (r->policy->rules == POLICY_RULES_MAX)
		return fail(r, "too many rules in one file (at most %u)",
			    POLICY_RULES_MAX);
	memset(rule, 0, sizeof(*rule));
	err = find_call(r, rule);
	start = *r;
	if (!err && take(r, ":")) {
		do {
			err = term(r, rule);
		} while (!err && peek(r, "and"));
	}
	if (!err && take(r, "->"))
		err = refusal(r, rule);
	if (!err)
		err = end_of_line(r);
	if (err)
		return err;
	if (r->comment_line < rule->line && above + 1 != rule->line)
		return fail(&start, "say why: this rule has no comment");
	err = check_rule(&start, rule);
	r->policy->rules += !err;
	return err;
}

static int role(struct reader *r)
{
	int err = word(r, "a name after 'role'");

	if (err)
		return err;
	if (r->policy->role[0])
		return fail(r, "the role is already named");
	if (strlen(r->word) >= POLICY_ROLE_BYTES)
		return fail(r, "the name of the role is too long");
	memcpy(r->policy->role, r->word, strlen(r->word) + 1);
	return end_of_line(r);
}

static int limit(struct reader *r)
{
	uint64_t most = 0;
	int err = word(r, "a number after 'limit'");

	if (!err)
		err = number(r, &most);
	if (err)
		return err;
	if (!most || most > POLICY_RULES_MAX)
		return fail(r, "the limit is not within 1 to %u",
			    POLICY_RULES_MAX);
	r->policy->limit = (uint32_t)most;
	return end_of_line(r);
}

static int statement(struct reader *r)
{
	if (peek(r, "role"))
		return role(r);
	if (peek(r, "limit"))
		return limit(r);
	if (word(r, "the name of a system call"))
		return -EINVAL;
	return rule(r);
}

int policy_parse(const char *text, size_t bytes, struct policy *ret,
		 struct policy_error *ret_error)
{
	struct reader r = {
		.at = text,
		.end = text + bytes,
		.line_start = text,
		.line = 1,
		.policy = ret,
		.error = ret_error,
	};
	int err = 0;

	memset(ret, 0, sizeof(*ret));
	memset(ret_error, 0, sizeof(*ret_error));
	skip(&r, false);
	if (bytes > POLICY_TEXT_MAX)
		return fail(&r, "a policy of more than %u bytes",
			    POLICY_TEXT_MAX);
	for (skip(&r, true); !err && r.at < r.end; skip(&r, true))
		err = statement(&r);
	if (err)
		return err;
	if (!ret->role[0])
		return fail(&r, "no line names the role ('role NAME')");
	if (ret->limit && policy_calls(ret) > ret->limit)
		return fail(&r, "%u system calls, but the limit is %u",
			    policy_calls(ret), ret->limit);
	return 0;
}
