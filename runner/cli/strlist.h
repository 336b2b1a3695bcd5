/* SPDX-License-Identifier: Apache-2.0 */
/* strlist.h - a growing list of strings that it owns. Zero-initialised is
 * empty. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct strlist {
	char **item; /* NULL-terminated once anything is in it */
	size_t count;
	size_t room;
};

/** strlist_add() - append a copy. Return: 0 or -ENOMEM. */
int strlist_add(struct strlist *list, const char *text);
/** strlist_add_new() - append @text itself, freed on failure too; NULL counts
 * as a failed allocation. Return: 0 or -ENOMEM. */
int strlist_add_new(struct strlist *list, char *text);
bool strlist_has(const struct strlist *list, const char *text);
/** strlist_done() - free all; the list is empty again. */
void strlist_done(struct strlist *list);

#define cleanup_strlist __attribute__((cleanup(strlist_done)))
