/* SPDX-License-Identifier: Apache-2.0 */
/* which.h - find the program a command line means, as execvp(3) would. */
#pragma once

struct problem;

/** which_program() - by PATH when @name has no slash.
 * @ret_path: absolute path, malloc'ed; symlinks are kept.
 * Return: 0, or negative with @why (127 not found, 126 not executable). */
int which_program(const char *name, char **ret_path, struct problem *why);

/** which_absolute() - @path below @base unless it is absolute; "." and double
 * slashes vanish, ".." stays. Pure: looks at no file.
 * Return: malloc'ed, or NULL: out of memory. */
char *which_absolute(const char *base, const char *path);
