/* SPDX-License-Identifier: Apache-2.0 */
/* parser.h - a child for one piece of work: reading what strangers may have
 * written. It has an id of its own and the policy `parse`, and no way out but
 * the result, and one file if it is given one.
 *
 *	command                          child
 *	  work's context  --fork-->        a copy of it
 *	  result          <--copied when the child is gone--  plain bytes
 *
 *	fds of the child: 0 the caller's, 1 @output, 2 @input */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct problem;

#define PARSER_ID_ANY 65534u /* for what belongs to no VM */

struct parser {
	uint32_t id; /* uid and gid to take; 0: none, stay who we are */
	int input;   /* -1: none. Only read */
	int output;  /* -1: none. The only file that can be written */
};

#define PARSER_INPUT  2
#define PARSER_OUTPUT 1

/** parser_work() - runs in the child. @result: zeroes at first. Return: 0, or
 * negative with @why filled. */
typedef int parser_work(const void *context, void *result, struct problem *why);

/** parser_run() - do @work in a child and wait for it. Ends early when one of
 * the signals that end a command is pending and blocked.
 * @result: @bytes bytes, without pointers. A captured child may have written
 * anything there: check it, as if a file had been read.
 * Return: 0, or negative with @why filled and @result unchanged. */
int parser_run(const struct parser *parser, parser_work *work,
	       const void *context, void *result, size_t bytes,
	       struct problem *why);
