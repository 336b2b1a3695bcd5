/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy_bpf.c - the filters in the VMM mean what the texts say: both
 * decide the same about every call, with arguments near those that matter. */
#include <criterion/criterion.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "policies/policy.h"
#include "policies/policy_bpf.h"
#include "policies/policy_text.h"

#define CALLS  470u
#define ROUNDS 400u

/** interpret() - classic BPF as libseccomp writes it. */
static uint32_t interpret(const struct policy_bpf *p,
			  const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < p->count; pc++) {
		const struct sock_filter *f = &p->filter[pc];
		bool yes = false;

		switch (f->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			cr_assert(f->k <= sizeof(*data) - 4);
			memcpy(&a, (const char *)data + f->k, 4);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= f->k;
			continue;
		case BPF_RET | BPF_K:
			return f->k;
		case BPF_JMP | BPF_JA:
			pc += f->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			yes = a == f->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			yes = a >= f->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			yes = a > f->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			yes = a & f->k;
			break;
		default:
			cr_assert_fail("opcode %#x", f->code);
		}
		pc += yes ? f->jt : f->jf;
	}
	cr_assert_fail("the filter has no end");
	return 0;
}

static uint64_t any64(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^
	       (uint64_t)rand();
}

/** near() - a value of the policy's own, sometimes with a bit changed. */
static uint64_t near(const struct policy *p)
{
	uint64_t v = p->values ? p->value[(unsigned)rand() % p->values] : 0;

	switch (rand() % 8) {
	case 0:
		return v ^ 1ull << (rand() % 64);
	case 1:
		return v + 1;
	case 2:
		return v | 0xffffffff00000000;
	case 3:
		return any64();
	default:
		return v;
	}
}

static uint32_t wanted(const struct policy *p, uint32_t call,
		       const uint64_t arg[6])
{
	uint32_t line;
	int made = policy_decide(p, call, arg, &line);

	if (made < 0)
		return SECCOMP_RET_TRAP;
	return made ? SECCOMP_RET_ERRNO | (uint32_t)made : SECCOMP_RET_ALLOW;
}

Test(policy_bpf, decides_as_the_text)
{
	unsigned allowed = 0;

	for (unsigned role = 0; role < POLICY_ROLES; role++) {
		static struct policy p;
		struct policy_error error;

		cr_assert_str_eq(policy_texts[role].role,
				 policy_filters[role].role);
		cr_assert_eq(policy_parse(policy_texts[role].text,
					  policy_texts[role].bytes, &p, &error),
			     0);
		for (uint32_t i = 0; i < CALLS * ROUNDS; i++) {
			struct seccomp_data data = {
				.nr = (int)(i % CALLS),
				.arch = AUDIT_ARCH_X86_64,
			};
			uint64_t arg[6];
			uint32_t got;

			for (int j = 0; j < 6; j++)
				data.args[j] = arg[j] = near(&p);
			got = interpret(&policy_filters[role], &data);
			cr_assert_eq(got, wanted(&p, i % CALLS, arg),
				     "%s: call %d: %#x", p.role, data.nr, got);
			allowed += got == SECCOMP_RET_ALLOW;
		}
	}
	cr_expect(allowed > 1000, "%u were allowed", allowed);
}

Test(policy_bpf, other_tables_of_calls_kill)
{
	for (unsigned role = 0; role < POLICY_ROLES; role++) {
		for (int nr = 0; nr < 500; nr++) {
			struct seccomp_data data = {.nr = nr,
						    .arch = AUDIT_ARCH_I386};

			cr_assert_eq(interpret(&policy_filters[role], &data),
				     SECCOMP_RET_KILL_PROCESS);
			data.arch = AUDIT_ARCH_X86_64;
			data.nr = nr | 0x40000000;
			cr_assert_eq(interpret(&policy_filters[role], &data),
				     SECCOMP_RET_KILL_PROCESS);
		}
	}
}
