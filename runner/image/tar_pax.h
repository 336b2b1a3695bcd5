/* SPDX-License-Identifier: Apache-2.0 */
/* tar_pax.h - the records of a pax extended header (POSIX.1, pax): what it says
 * of the next entry. Pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tar_pax {           /* zero-initialised: says nothing */
	char *path, *link; /* owned */
	bool has_size, has_mtime, has_uid, has_gid;
	bool sparse; /* GNU's holes */
	uint64_t size, mtime;
	uint32_t mtime_nsec;
	uint32_t uid, gid;
};

void tar_pax_done(struct tar_pax *pax);

/** tar_pax_parse() - "LENGTH KEY=VALUE\n", again and again; unknown keys are
 * passed over. Return: 0; -EBADMSG; -ENOMEM. */
int tar_pax_parse(const char *text, size_t bytes, struct tar_pax *pax);
