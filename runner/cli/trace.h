/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - a run described: the start-up timeline as a Chrome trace, the
 * result as one JSON object, and both as a table for people. */
#pragma once
#include <stdint.h>
#include <sys/resource.h>

struct outcome;
struct problem;

struct result {
	const struct outcome *outcome;
	const char *name;  /* of the VM */
	int exit_code;     /* what the command ends with */
	const char *error; /* Ampoule's own line, or NULL */
	uint64_t initrd_bytes, mem_bytes;
	struct rusage usage; /* of the VMM */
};

/** trace_create() - make the file of --trace or --json, before the run: what
 * cannot be written is known then. @what: the option's name.
 * @ret_fd: owned by the caller. */
int trace_create(const char *what, const char *path, int *ret_fd,
		 struct problem *why);
/** trace_write() - the timeline, in the Chrome trace format.
 * Return: 0 or -errno. */
int trace_write(const struct result *r, int fd);
/** trace_write_json() - the result as one line. Return: 0 or -errno. */
int trace_write_json(const struct result *r, int fd);
/** trace_print() - for -v, on stderr. */
void trace_print(const struct result *r);
