/* SPDX-License-Identifier: Apache-2.0 */
/* strlist.c - a growing list of strings. */
#include "runner/cli/strlist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int strlist_add_new(struct strlist *list, char *text)
{
	if (!text)
		return -ENOMEM;
	if (list->count + 1 >= list->room) {
		size_t room = list->room ? list->room * 2 : 16;
		char **item = reallocarray(list->item, room, sizeof(*item));

		if (!item) {
			free(text);
			return -ENOMEM;
		}
		list->item = item;
		list->room = room;
	}
	list->item[list->count++] = text;
	list->item[list->count] = NULL;
	return 0;
}

int strlist_add(struct strlist *list, const char *text)
{
	return strlist_add_new(list, strdup(text));
}

bool strlist_has(const struct strlist *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!strcmp(list->item[i], text))
			return true;
	}
	return false;
}

void strlist_done(struct strlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct strlist){0};
}
