/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.h - checks of the host. Each probes one thing and says what to do. */
#pragma once
#include <stddef.h>

enum doctor_grade {
	DOCTOR_OK,
	DOCTOR_WARN,
	DOCTOR_FAIL
};

#define DOCTOR_TEXT_BYTES 256

struct doctor_finding {
	enum doctor_grade grade;
	char text[DOCTOR_TEXT_BYTES];   /* what is */
	char advice[DOCTOR_TEXT_BYTES]; /* what to do; "" when all is well */
};

struct doctor_check {
	const char *key;  /* in JSON */
	const char *name; /* for people */
	void (*probe)(struct doctor_finding *ret);
};

/** doctor_checks() - all checks in the order to print them. */
const struct doctor_check *doctor_checks(size_t *ret_count);

/** finding_set() - what a probe found. @advice NULL: none. */
__attribute__((format(printf, 4, 5))) void finding_set(struct doctor_finding *f,
						       enum doctor_grade grade,
						       const char *advice,
						       const char *fmt, ...);

/* doctor_kvm.c */
void doctor_probe_kvm(struct doctor_finding *f);
void doctor_probe_host_kind(struct doctor_finding *f);

/* doctor_cpu.c */
void doctor_probe_cpu(struct doctor_finding *f);

/* doctor_jail.c */
void doctor_probe_cgroup(struct doctor_finding *f);
void doctor_probe_namespaces(struct doctor_finding *f);
void doctor_probe_jail(struct doctor_finding *f);
/* doctor_share.c */
void doctor_probe_speculation(struct doctor_finding *f);
void doctor_probe_core(struct doctor_finding *f);
