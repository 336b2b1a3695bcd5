/* SPDX-License-Identifier: Apache-2.0 */
/* closure.h - a program with everything it is started from: its interpreter
 * and libraries, or for a script the program that reads it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct image;
struct problem;
struct strlist;

/** closure_add_program() - pack the program at absolute @path and its closure.
 * @runtimes: the standard library of its language too, where it is known.
 * @libs: the libraries' paths are appended, once each.
 * Return: 0 or negative with @why (126: not a program). */
int closure_add_program(struct image *image, const char *path, bool runtimes,
			struct strlist *libs, struct problem *why);

/** closure_add_needs() - the closure of a packed file that may be a program;
 * other files add nothing. */
int closure_add_needs(struct image *image, const char *path,
		      struct strlist *libs, struct problem *why);

/** closure_add_libraries() - what the programs and libraries among the entries
 * from number @first on need, as far as this host has it.
 * Return: 0 or negative with @why: out of memory. */
int closure_add_libraries(struct image *image, uint32_t first,
			  struct strlist *libs, struct problem *why);
