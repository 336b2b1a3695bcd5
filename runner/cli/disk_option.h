/* SPDX-License-Identifier: Apache-2.0 */
/* disk_option.h - the value of --disk: FILE[,OPTION...]. Pure. */
#pragma once
#include "base/plan.h"

#include <stdbool.h>

struct disk_option {
	char *path;    /* owned */
	char *overlay; /* owned; the file of an overlay, or NULL */
	bool read_only;
	/* All but the size of the disk. */
	struct plan_block block;
};

/** disk_option_parse() - a comma that belongs to a name is written twice.
 * @ret: for disk_option_done(), also on failure.
 * Return: NULL, or what is wrong with @text, to be read after it. */
const char *disk_option_parse(const char *text, struct disk_option *ret);
void disk_option_done(struct disk_option *option);
#define cleanup_disk_option __attribute__((cleanup(disk_option_done)))
