/* SPDX-License-Identifier: Apache-2.0 */
/* policy_decide.c - what a policy says about a call: the meaning of the text,
 * independent of the BPF that the compiler makes of it. */
#include "policies/policy.h"

#include <errno.h>
#include <stdio.h>

#include "policies/syscall_names.h"

static bool names(const struct policy *p, uint32_t call, bool refused)
{
	for (uint32_t i = 0; i < p->rules; i++) {
		if (p->rule[i].call == call && (refused || !p->rule[i].error))
			return true;
	}
	return false;
}

int policy_within(const struct policy *inner, const struct policy *outer,
		  struct policy_error *ret_error)
{
	for (uint32_t i = 0; i < inner->rules; i++) {
		const struct policy_rule *rule = &inner->rule[i];

		if (names(outer, rule->call, rule->error != 0))
			continue;
		ret_error->line = rule->line;
		ret_error->column = 1;
		(void)snprintf(ret_error->text, sizeof(ret_error->text),
			       "%s has no effect: the role '%s', which this "
			       "one starts under, does not allow it",
			       syscall_name(rule->call), outer->role);
		return -EINVAL;
	}
	return 0;
}

uint32_t policy_calls(const struct policy *p)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < p->rules; i++) {
		bool seen = p->rule[i].error != 0;

		for (uint32_t j = 0; j < i; j++)
			seen |= p->rule[j].call == p->rule[i].call;
		count += !seen;
	}
	return count;
}

static bool holds_for(const struct policy_term *t, uint64_t arg, uint64_t value)
{
	switch (t->op) {
	case POLICY_EQ:
		return arg == value;
	case POLICY_NE:
		return arg != value;
	case POLICY_LT:
		return arg < value;
	case POLICY_LE:
		return arg <= value;
	case POLICY_GT:
		return arg > value;
	case POLICY_GE:
		return arg >= value;
	case POLICY_BITS:
		return (arg & t->mask) == value;
	}
	return false;
}

static bool holds(const struct policy *p, const struct policy_term *t,
		  const uint64_t arg[6])
{
	uint64_t a = t->word ? (uint32_t)arg[t->arg] : arg[t->arg];

	for (uint16_t i = 0; i < t->count; i++) {
		if (holds_for(t, a, p->value[t->first + i]))
			return true;
	}
	return false;
}

int policy_decide(const struct policy *p, uint32_t call, const uint64_t arg[6],
		  uint32_t *ret_line)
{
	*ret_line = 0;
	for (uint32_t i = 0; i < p->rules; i++) {
		const struct policy_rule *rule = &p->rule[i];
		bool all = rule->call == call;

		for (uint32_t t = 0; all && t < rule->terms; t++)
			all = holds(p, &rule->term[t], arg);
		if (!all)
			continue;
		*ret_line = rule->line;
		return rule->error;
	}
	return -1;
}
