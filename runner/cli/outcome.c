/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.c - what jailer and VMM reported about a run. */
#include "runner/cli/outcome.h"

#include "base/log.h"
#include "policies/syscall_names.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define CODE_FAILED 125u
#define CODE_MAX    255u
#define MISSING_MAX 50u

static void take_error(struct outcome *o, struct report_msg *msg)
{
	if (o->failed) /* the first cause counts */
		return;
	o->failed = true;
	o->code =
		msg->value && msg->value <= CODE_MAX ? msg->value : CODE_FAILED;
	memcpy(o->text, msg->u.text, sizeof(o->text));
	report_sanitize(o->text, sizeof(o->text));
}

static int take_exit(struct outcome *o, const struct report_msg *msg)
{
	if (!WIFEXITED(msg->value) && !WIFSIGNALED(msg->value))
		return -EPROTO;
	if (!o->ended) {
		o->ended = true;
		o->wait_status = msg->value & 0xffff;
	}
	return 0;
}

static void take_crash(struct outcome *o, const struct report_msg *msg)
{
	o->crashed = true;
	o->signal = msg->u.crash.signal;
	o->address = msg->u.crash.address;
	o->rip = msg->u.crash.rip;
}

static int take_missing(struct outcome *o, const struct report_msg *msg)
{
	if (msg->value > MISSING_MAX)
		return -EPROTO;
	for (uint32_t i = 0; i < msg->value; i++) {
		uint32_t number = msg->u.missing[i].number;
		uint32_t count = msg->u.missing[i].count;

		if (number >= OUTCOME_SYSCALLS)
			number = OUTCOME_SYSCALLS - 1;
		if (!count)
			continue;
		if (!o->missing[number])
			o->missing_kinds++;
		o->missing[number] = count;
	}
	return 0;
}

static int take_stamps(struct outcome *o, const struct report_msg *msg)
{
	if (msg->value > REPORT_STAMPS_MAX)
		return -EPROTO;
	for (uint32_t i = 0; i < msg->value; i++) {
		uint64_t id = msg->u.stamp[i].id;

		if (id >= STAMP_JAILER_START && id <= STAMP_VMM_END)
			o->stamp_ns[id] = msg->u.stamp[i].ns;
	}
	return 0;
}

static void take_usage(struct outcome *o, const struct report_msg *msg)
{
	o->has_usage = true;
	o->exits_mmio = msg->u.usage.exits_mmio;
	o->exits_io = msg->u.usage.exits_io;
	o->exits_hlt = msg->u.usage.exits_hlt;
	o->exits_other = msg->u.usage.exits_other;
	o->bytes_in = msg->u.usage.bytes_in;
	o->bytes_out = msg->u.usage.bytes_out;
}

static void note_forbidden(struct outcome *o, const struct report_msg *msg)
{
	struct outcome_forbidden f = {
		.call = msg->u.forbidden.call,
		.count = 1,
		.offset = msg->u.forbidden.ip - msg->u.forbidden.base,
	};

	memcpy(f.thread, msg->u.forbidden.thread, sizeof(f.thread));
	report_sanitize(f.thread, sizeof(f.thread));
	memcpy(f.arg, msg->u.forbidden.arg, sizeof(f.arg));
	for (uint32_t i = 0; i < o->forbidden_kinds; i++) {
		struct outcome_forbidden *known = &o->forbidden[i];

		if (known->call == f.call && known->offset == f.offset &&
		    !strcmp(known->thread, f.thread)) {
			known->count++;
			return;
		}
	}
	if (o->forbidden_kinds < OUTCOME_FORBIDDEN)
		o->forbidden[o->forbidden_kinds++] = f;
}

/** take_forbidden() - the VMM is at its end, unless it only learns. */
static void take_forbidden(struct outcome *o, const struct report_msg *msg)
{
	const struct outcome_forbidden *f = &o->forbidden[0];
	const char *name;
	char number[24];

	note_forbidden(o, msg);
	if (msg->value || o->failed)
		return;
	for (uint32_t i = 1; i < o->forbidden_kinds; i++)
		f = &o->forbidden[i]; /* the last one */
	name = syscall_name(f->call);
	(void)snprintf(number, sizeof(number), "number %u", f->call);
	o->failed = true;
	o->code = CODE_FAILED;
	(void)snprintf(o->text, sizeof(o->text),
		       "the VM was ended: thread %s of the VMM asked the host "
		       "for the system call %s, which its policy forbids, at "
		       "ampoule-vmm+0x%llx; the call was not made. This is an "
		       "attack by the guest or a mistake of Ampoule's: please "
		       "report it",
		       f->thread, name ? name : number,
		       (unsigned long long)f->offset);
}

/** take_serial() - lines of a guest kernel: control characters of a terminal
 * become '?', but for those that lines are made of. */
static int take_serial(struct report_msg *msg)
{
	if (msg->value > sizeof(msg->u.text))
		return -EPROTO;
	for (uint32_t i = 0; i < msg->value; i++) {
		char *c = &msg->u.text[i];

		if (*c != '\n' && *c != '\t' && *c != '\r' &&
		    (*c < 0x20 || *c > 0x7e))
			*c = '?';
	}
	return 0;
}

int outcome_take(struct outcome *o, struct report_msg *msg, size_t bytes)
{
	if (bytes != sizeof(*msg) || msg->version != REPORT_VERSION)
		return -EPROTO;
	switch (msg->type) {
	case REPORT_ERROR:
		take_error(o, msg);
		return 0;
	case REPORT_LOG:
		report_sanitize(msg->u.text, sizeof(msg->u.text));
		return msg->value > LOG_LEVEL_TRACE ? -EPROTO : 0;
	case REPORT_EXIT:
		return take_exit(o, msg);
	case REPORT_CRASH:
		take_crash(o, msg);
		return 0;
	case REPORT_MISSING:
		return take_missing(o, msg);
	case REPORT_OOM:
		o->oom = true;
		o->pages_total = msg->u.oom.pages_total;
		o->pages_free = msg->u.oom.pages_free;
		return 0;
	case REPORT_TIMELINE:
		return take_stamps(o, msg);
	case REPORT_USAGE:
		take_usage(o, msg);
		return 0;
	case REPORT_NETWORK:
		o->has_network = true;
		o->network = msg->u.network;
		return 0;
	case REPORT_FORBIDDEN:
		take_forbidden(o, msg);
		return 0;
	case REPORT_STARTED:
		return 0;
	case REPORT_SERIAL:
		return take_serial(msg);
	default:
		return -EPROTO;
	}
}

int outcome_exit_code(const struct outcome *o)
{
	if (o->failed)
		return (int)o->code;
	if (!o->ended)
		return -1;
	if (WIFSIGNALED(o->wait_status))
		return 128 + (int)WTERMSIG(o->wait_status);
	return (int)WEXITSTATUS(o->wait_status);
}
