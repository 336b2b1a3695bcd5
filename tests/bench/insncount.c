/* SPDX-License-Identifier: Apache-2.0 */
/* insncount.c - a plugin for the QEMU that emulates the bed (L0): counts the
 * instructions that programs of L1 execute in user mode while they boot a VM.
 * The interface is QEMU's, "TCG plugins", version 1; Debian has no header of
 *it.
 *
 *	-plugin insncount.so,out=FILE,start=ADDRESS,init=ADDRESS
 *
 * writes a line "NUMBER BEFORE AFTER" for each boot that came to its end:
 *
 *   start     ...exec, set-up...      first         ...exits...      init
 *   address   user mode: BEFORE       instruction   user mode: AFTER  address
 *   in L1                             of the VM                       in the VM
 *
 * What is user mode is told by the address of an instruction: position
 * independent programs and all libraries lie above 0x500000000000, kernels of
 *L1 and of the VM above that, and the VM's firmware, boot code and process 1
 *below. A program that is linked to a fixed address (busybox) is not counted.
 *One CPU: the counter is not atomic. */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

#define API_VERSION    1
#define INLINE_ADD     0 /* QEMU_PLUGIN_INLINE_ADD_U64 */
#define NO_REGISTERS   0 /* QEMU_PLUGIN_CB_NO_REGS */
#define USER_START     0x500000000000ull
#define USER_END       0x800000000000ull
#define FIXED_START    0x400000ull  /* where L1's busybox lies */
#define FIXED_END      0x1000000ull /* where kernels are put, by convention */
#define PHYSICAL_END   0x100000000ull
#define PHYSICAL_START 0x1000ull

struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef uint64_t qemu_plugin_id_t;
typedef void (*on_block)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*on_insn)(unsigned cpu, void *arg);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, on_block cb);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t n);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    on_insn cb, int flags, void *arg);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
						int op, void *counter,
						uint64_t amount);

EXPORT extern const int qemu_plugin_version;
EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
			       char **argv);

EXPORT const int qemu_plugin_version = API_VERSION;

/* QEMU hands no context to its callbacks on blocks. */
static struct {
	FILE *out;
	uint64_t start, init; /* addresses */
	uint64_t count;
	uint64_t before; /* count at the VM's first instruction */
	unsigned boots;
	bool starting, booting;
} state;

static void at_start(unsigned cpu, void *arg)
{
	state.boots++;
	state.count = 0;
	state.starting = true;
	state.booting = false;
}

static void at_first(unsigned cpu, void *arg)
{
	if (!state.starting)
		return;
	state.before = state.count;
	state.starting = false;
	state.booting = true;
}

static void at_init(unsigned cpu, void *arg)
{
	if (!state.booting)
		return;
	(void)fprintf(state.out, "%u %" PRIu64 " %" PRIu64 "\n", state.boots,
		      state.before, state.count - state.before);
	(void)fflush(state.out);
	state.booting = false;
}

static bool is_guests(uint64_t at)
{
	return (at >= PHYSICAL_START && at < FIXED_START) ||
	       (at >= FIXED_END && at < PHYSICAL_END);
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t count = qemu_plugin_tb_n_insns(tb);

	for (size_t n = 0; n < count; n++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, n);
		uint64_t at = qemu_plugin_insn_vaddr(insn);
		on_insn mark = NULL;

		if (at >= USER_START && at < USER_END)
			qemu_plugin_register_vcpu_insn_exec_inline(
				insn, INLINE_ADD, &state.count, 1);
		else if (at == state.start)
			mark = at_start;
		else if (at == state.init)
			mark = at_init;
		else if (n == 0 && is_guests(at))
			mark = at_first;
		if (mark)
			qemu_plugin_register_vcpu_insn_exec_cb(
				insn, mark, NO_REGISTERS, NULL);
	}
}

/** value_of() - what follows "name=" in @arg, or NULL. */
static const char *value_of(const char *arg, const char *name)
{
	size_t bytes = strlen(name);

	if (strncmp(arg, name, bytes) != 0 || arg[bytes] != '=')
		return NULL;
	return arg + bytes + 1;
}

int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc,
			char **argv)
{
	for (int i = 0; i < argc; i++) {
		const char *value;

		if ((value = value_of(argv[i], "out")))
			state.out = fopen(value, "we");
		else if ((value = value_of(argv[i], "start")))
			state.start = strtoull(value, NULL, 0);
		else if ((value = value_of(argv[i], "init")))
			state.init = strtoull(value, NULL, 0);
	}
	if (!state.out || !state.start || !state.init) {
		(void)fprintf(stderr, "insncount: out, start and init are to "
				      "be given, and out to be writable\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
