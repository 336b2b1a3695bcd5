/* SPDX-License-Identifier: Apache-2.0 */
/* policy_lines.c - which lines of the policies were used? Standard input has a
 * call a line, as made under a role:
 *
 *	ROLE NAME ARGUMENT...		arguments as numbers, 0x.. or decimal
 *
 * Prints "used" or "unused", ROLE:LINE and the line, for every rule; and on
 * standard error what no rule allows, with status 1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policies/policy.h"
#include "policies/policy_text.h"
#include "policies/syscall_names.h"

#define ARGS 6

static struct policy policy[POLICY_ROLES];
static bool used[POLICY_ROLES][POLICY_RULES_MAX];

static int find_role(const char *name)
{
	for (int i = 0; i < POLICY_ROLES; i++)
		if (!strcmp(policy_texts[i].role, name))
			return i;
	return -1;
}

/** mark() - the rule that decides about one call. Return: is there one? */
static bool mark(char *line)
{
	char *save, *name = strtok_r(line, " \n", &save);
	int role = name ? find_role(name) : -1, call;
	uint64_t arg[ARGS] = {0};
	const char *word;
	uint32_t at;

	name = role < 0 ? NULL : strtok_r(NULL, " \n", &save);
	call = name ? syscall_number(name) : -1;
	if (call < 0)
		return false;
	for (int i = 0; i < ARGS && (word = strtok_r(NULL, " \n", &save)); i++)
		arg[i] = strtoull(word, NULL, 0);
	if (policy_decide(&policy[role], (uint32_t)call, arg, &at) < 0)
		return false;
	for (uint32_t i = 0; i < policy[role].rules; i++)
		used[role][i] |= policy[role].rule[i].line == at;
	return true;
}

static void print_rule(int role, uint32_t rule)
{
	const char *text = policy_texts[role].text;
	uint32_t line = policy[role].rule[rule].line;

	for (uint32_t n = 1; n < line; n++)
		text = strchr(text, '\n') + 1;
	printf("%s %s:%u %.*s\n", used[role][rule] ? "used" : "unused",
	       policy[role].role, line, (int)strcspn(text, "\n"), text);
}

int main(void)
{
	struct policy_error error;
	char line[512], whole[512];
	int status = 0;

	for (int i = 0; i < POLICY_ROLES; i++)
		if (policy_parse(policy_texts[i].text, policy_texts[i].bytes,
				 &policy[i], &error))
			return 2;
	while (fgets(line, sizeof(line), stdin)) {
		memcpy(whole, line, sizeof(whole));
		if (mark(line))
			continue;
		(void)fprintf(stderr, "no rule: %s", whole);
		status = 1;
	}
	for (int i = 0; i < POLICY_ROLES; i++)
		for (uint32_t n = 0; n < policy[i].rules; n++)
			print_rule(i, n);
	return status;
}
