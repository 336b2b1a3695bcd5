/* SPDX-License-Identifier: Apache-2.0 */
/* policyc.c - the policy compiler: a tool of the build. Text through
 * libseccomp to BPF, written as C. Runs before there is a guest.
 *
 *	policyc bpf  OUT.c FILE...    the filters, for the VMM
 *	policyc text OUT.c FILE...    the texts, for `ampoule policy`
 *
 * The first file is the role that the others start under, but for one that
 * stands alone. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "policies/policy.h"
#include "policies/policy_names.h"
#include "policies/syscall_names.h"

#define FILES_MAX   8
#define FILTER_MAX  4096
#define FIRST_COMES 255 /* libseccomp's highest priority */

struct source {
	const char *path;
	char *text;
	size_t bytes;
	struct policy policy;
};

static int complain(const struct source *s, const struct policy_error *e)
{
	(void)fprintf(stderr, "%s:%u:%u: %s\n", s->path, e->line, e->column,
		      e->text);
	return -EINVAL;
}

static int read_source(struct source *s)
{
	FILE *f = fopen(s->path, "re");
	struct policy_error error;

	s->text = malloc(POLICY_TEXT_MAX + 1);
	if (!f || !s->text) {
		(void)fprintf(stderr, "%s: %s\n", s->path, error_text(errno));
		if (f)
			(void)fclose(f);
		return -EINVAL;
	}
	s->bytes = fread(s->text, 1, POLICY_TEXT_MAX + 1, f);
	(void)fclose(f);
	if (policy_parse(s->text, s->bytes, &s->policy, &error))
		return complain(s, &error);
	return 0;
}

/** compare() - a term with one of its values, as libseccomp has it. */
static struct scmp_arg_cmp compare(const struct policy_term *t, uint64_t value)
{
	static const enum scmp_compare ops[] = {
		[POLICY_EQ] = SCMP_CMP_EQ,          [POLICY_NE] = SCMP_CMP_NE,
		[POLICY_LT] = SCMP_CMP_LT,          [POLICY_LE] = SCMP_CMP_LE,
		[POLICY_GT] = SCMP_CMP_GT,          [POLICY_GE] = SCMP_CMP_GE,
		[POLICY_BITS] = SCMP_CMP_MASKED_EQ,
	};
	struct scmp_arg_cmp cmp = {.arg = t->arg, .op = ops[t->op]};

	cmp.datum_a = value;
	if (t->op == POLICY_BITS) {
		cmp.datum_a = t->word ? (uint32_t)t->mask : t->mask;
		cmp.datum_b = value;
	} else if (t->word) { /* the upper half is whatever was there */
		cmp.op = SCMP_CMP_MASKED_EQ;
		cmp.datum_a = UINT32_MAX;
		cmp.datum_b = value;
	}
	return cmp;
}

/** add_rule() - every combination of the values of its terms. */
static int add_rule(scmp_filter_ctx ctx, const struct policy *p,
		    const struct policy_rule *rule)
{
	uint32_t action = rule->error ? SCMP_ACT_ERRNO((uint32_t)rule->error)
				      : SCMP_ACT_ALLOW;
	struct scmp_arg_cmp cmp[POLICY_TERMS_MAX];
	uint16_t at[POLICY_TERMS_MAX] = {0};
	uint32_t t;

	do {
		int err;

		for (t = 0; t < rule->terms; t++)
			cmp[t] = compare(&rule->term[t],
					 p->value[rule->term[t].first + at[t]]);
		err = seccomp_rule_add_exact_array(ctx, action, (int)rule->call,
						   rule->terms, cmp);
		if (err)
			return err;
		for (t = 0; t < rule->terms; t++) {
			if (++at[t] < rule->term[t].count)
				break;
			at[t] = 0;
		}
	} while (t < rule->terms);
	return 0;
}

/** build() - calls of another architecture's table die without a report:
 * nothing of ours makes them. */
static int build(const struct policy *p, scmp_filter_ctx *ret)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_TRAP);
	int err;

	if (!ctx)
		return -ENOMEM;
	err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
			       SCMP_ACT_KILL_PROCESS);
	for (uint32_t i = 0; !err && i < p->rules; i++) {
		uint8_t priority = (uint8_t)(FIRST_COMES - i);

		err = add_rule(ctx, p, &p->rule[i]);
		if (!err)
			err = seccomp_syscall_priority(
				ctx, (int)p->rule[i].call, priority);
	}
	if (err)
		seccomp_release(ctx);
	else
		*ret = ctx;
	return err;
}

static int write_filter(FILE *out, const struct source *s)
{
	static struct sock_filter bpf[FILTER_MAX];
	int fd = memfd_create("filter", MFD_CLOEXEC);
	scmp_filter_ctx ctx = NULL;
	ssize_t n = -1;
	int err = fd < 0 ? -errno : build(&s->policy, &ctx);

	if (!err)
		err = seccomp_export_bpf(ctx, fd);
	if (!err)
		n = pread(fd, bpf, sizeof(bpf), 0);
	if (ctx)
		seccomp_release(ctx);
	if (fd >= 0)
		close(fd);
	if (err || n <= 0 || n == sizeof(bpf)) {
		(void)fprintf(stderr, "%s: libseccomp: %s\n", s->path,
			      err ? error_text(err) : "the filter is too long");
		return -EINVAL;
	}
	(void)fprintf(out, "static const struct sock_filter %s_bpf[] = {\n",
		      s->policy.role);
	for (size_t i = 0; i < (size_t)n / sizeof(bpf[0]); i++)
		(void)fprintf(out, "\t{0x%02x, %u, %u, 0x%08x},\n", bpf[i].code,
			      bpf[i].jt, bpf[i].jf, bpf[i].k);
	(void)fputs("};\n\n", out);
	return 0;
}

static void write_text(FILE *out, const struct source *s)
{
	(void)fprintf(out, "static const char %s_text[] = {", s->policy.role);
	for (size_t i = 0; i < s->bytes; i++)
		(void)fprintf(out, "%s%d,", i % 16 ? " " : "\n\t", s->text[i]);
	(void)fputs("\n};\n\n", out);
}

static int write_all(const char *kind, FILE *out, const struct source *s,
		     int count)
{
	bool bpf = !strcmp(kind, "bpf");
	int err = 0;

	(void)fprintf(out,
		      "/* Generated by policyc. */\n"
		      "#include \"policies/policy_%s.h\"\n\n",
		      kind);
	for (int i = 0; i < count && !err; i++) {
		if (bpf)
			err = write_filter(out, &s[i]);
		else
			write_text(out, &s[i]);
	}
	(void)fprintf(out,
		      "const struct policy_%s policy_%s[POLICY_ROLES] = {\n",
		      kind, bpf ? "filters" : "texts");
	for (int i = 0; i < count; i++)
		(void)fprintf(out,
			      "\t{\"%s\", %s_%s,\n\t sizeof(%s_%s) / "
			      "sizeof(%s_%s[0])},\n",
			      s[i].policy.role, s[i].policy.role, kind,
			      s[i].policy.role, kind, s[i].policy.role, kind);
	(void)fputs("};\n", out);
	return err;
}

int main(int argc, char **argv)
{
	static struct source source[FILES_MAX];
	int count = argc - 3, err = 0;
	struct policy_error error;
	FILE *out;

	if (count < 1 || count > FILES_MAX ||
	    (strcmp(argv[1], "bpf") != 0 && strcmp(argv[1], "text") != 0)) {
		(void)fputs("usage: policyc bpf|text OUT.c FILE...\n", stderr);
		return 2;
	}
	for (int i = 0; i < count && !err; i++) {
		source[i].path = argv[i + 3];
		err = read_source(&source[i]);
		if (!err && !policy_stands_alone(source[i].policy.role) &&
		    policy_within(&source[i].policy, &source[0].policy, &error))
			err = complain(&source[i], &error);
	}
	if (err)
		return 1;
	out = fopen(argv[2], "we");
	if (!out) {
		(void)fprintf(stderr, "%s: %s\n", argv[2], error_text(errno));
		return 1;
	}
	err = write_all(argv[1], out, source, count);
	if (fclose(out))
		err = -EIO;
	for (int i = 0; i < count; i++)
		free(source[i].text);
	if (err)
		(void)remove(argv[2]);
	return err ? 1 : 0;
}
