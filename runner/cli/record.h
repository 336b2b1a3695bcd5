/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - what is known of a VM, as lines of text that are only ever
 * appended: whoever is killed while writing leaves at most a last line without
 * its newline, which does not count.
 *
 *	created 1732367000123456789     when, CLOCK_REALTIME in ns
 *	memory 134217728                of the guest, in bytes
 *	detached                        in the background
 *	keep                            this record, when the VM has ended
 *	arg /bin/busybox                the program and its arguments, in order
 *	monitor 4711 123456             who waits for it: pid and start time
 *	vm 4712 123457                  the VMM, once it is there
 *	exit 0 1732367001123456789      how it ended, and when
 *	error ...                       what was said about the end
 *
 * Bytes that would not fit a line are written as \xHH. Lines with other words
 * are passed over: a later version may have more. */
#pragma once
#include "runner/cli/process.h"
#include "runner/cli/strlist.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_BYTES_MAX 65536u
#define RECORD_ARG_BYTES 16384u /* as written; what is more is left out */

struct record {
	uint64_t created_ns, exited_ns;
	uint64_t mem_bytes;
	bool detached, keep;
	struct process_id monitor, vm; /* pid 0: none yet */
	bool exited;
	int exit_code; /* 0..255 */
	struct strlist command;
	char *error; /* or NULL */
};

/** record_parse() - @ret: for record_done(), also after a failure.
 * @ret_line: of the first line that is wrong.
 * Return: 0; -EINVAL with @ret_line; -ENOMEM. */
int record_parse(const char *text, size_t bytes, struct record *ret,
		 unsigned *ret_line);
void record_done(struct record *r);
#define cleanup_record __attribute__((cleanup(record_done)))

/** record_head() - the lines that are known before the start. @argv: NULL ends
 * it. Return: the text, owned by the caller, or NULL: no memory. */
char *record_head(const struct record *r, char *const *argv);
/** record_process() - a line "monitor" or "vm". Return: its length. */
int record_process(const char *word, const struct process_id *id, char *buf,
		   size_t cap);
/** record_end() - the lines about the end; @error: or NULL.
 * Return: the text, owned by the caller, or NULL: no memory. */
char *record_end(int exit_code, uint64_t when_ns, const char *error);
