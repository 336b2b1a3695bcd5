/* SPDX-License-Identifier: Apache-2.0 */
/* closure.h - a program with everything it is started from: its interpreter
 * and libraries, or for a script the program that reads it. */
#pragma once

struct image;
struct problem;
struct strlist;

/** closure_add_program() - pack the program at absolute @path and its closure.
 * @libs: the libraries' paths are appended, once each.
 * Return: 0 or negative with @why (126: not a program). */
int closure_add_program(struct image *image, const char *path,
			struct strlist *libs, struct problem *why);

/** closure_add_needs() - the closure of a packed file that may be a program;
 * other files add nothing. */
int closure_add_needs(struct image *image, const char *path,
		      struct strlist *libs, struct problem *why);

/** closure_add_present() - the libraries of a file of a packed directory, as
 * far as this host has them; other files add nothing.
 * Return: 0 or negative with @why: out of memory. */
int closure_add_present(struct image *image, const char *path,
			struct strlist *libs, struct problem *why);
