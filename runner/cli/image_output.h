/* SPDX-License-Identifier: Apache-2.0 */
/* image_output.h - a file that is there when it is whole, and not before: who
 * has the old one keeps it. */
#pragma once

struct problem;

struct image_output {
	const char *path; /* borrowed */
	char *temporary;  /* its name so far; NULL: it has none */
	int fd;           /* owned; -1: none */
};

#define IMAGE_OUTPUT_NONE                                                      \
	{                                                                      \
		.fd = -1                                                       \
	}

/** image_output_open() - beside @path. Return: 0 or negative with @why. */
int image_output_open(struct image_output *o, const char *path,
		      struct problem *why);
/** image_output_commit() - it is whole. Return: as image_output_open(). */
int image_output_commit(struct image_output *o, struct problem *why);
/** image_output_done() - what was not committed is gone. */
void image_output_done(struct image_output *o);
