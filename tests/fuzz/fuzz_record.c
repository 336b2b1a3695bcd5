/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_record.c - any bytes as the record of a VM, and as /proc/PID/stat.
 * Oracle: the sanitizers; what is accepted is in range, and its command reads
 * the same after it is written again. */
#include <stdlib.h>
#include <string.h>

#include "runner/cli/record.h"
#include "tests/fuzz/fuzz_driver.h"

static void write_again(const struct record *r)
{
	char *none[] = {NULL};
	char *text = record_head(r, r->command.item ? r->command.item : none);
	struct record back;
	unsigned line;

	if (!text || record_parse(text, strlen(text), &back, &line))
		abort();
	if (back.created_ns != r->created_ns || back.detached != r->detached ||
	    back.mem_bytes != r->mem_bytes ||
	    back.command.count > r->command.count)
		abort();
	/* The last one may have been cut, those before are whole. */
	for (size_t i = 0; i + 1 < back.command.count; i++) {
		if (strcmp(back.command.item[i], r->command.item[i]) != 0)
			abort();
	}
	record_done(&back);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct process_stat stat;
	struct record r;
	unsigned line = 0;
	char text[1024];
	size_t n = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
	int err = record_parse((const char *)data, size, &r, &line);

	if (err && !line)
		abort();
	if (r.exit_code < 0 || r.exit_code > 255 || r.vm.pid < 0 ||
	    r.monitor.pid < 0)
		abort();
	if (!err)
		write_again(&r);
	record_done(&r);
	memcpy(text, data, n);
	text[n] = '\0';
	(void)process_parse_stat(text, &stat);
	return 0;
}
