/* SPDX-License-Identifier: Apache-2.0 */
/* runtimes.h - what a language's program reads at its start that nothing in
 * its file names: the standard library. So that `ampoule run python3 -c ...`
 * is all one has to type. */
#pragma once

struct image;
struct problem;

/** runtimes_add() - pack the standard library of the program at absolute
 * @path, if it is one of those that are known and as far as this host has it.
 * Return: how many directories were packed, or negative with @why. */
int runtimes_add(struct image *image, const char *path, struct problem *why);
