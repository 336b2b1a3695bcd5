/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - doubly linked circular lists whose links lie in the things they
 * link. A head is a link too; an empty list's head points at itself. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *next, *prev;
};

/** container_of() - the struct @type whose @member is *@at. */
#define container_of(at, type, member)                                         \
	((type *)(void *)((char *)(at)-offsetof(type, member)))

/** LIST_EACH() - @at walks @head; the body may take @at itself out. */
/* NOLINTBEGIN(bugprone-macro-parentheses): @at is a name */
#define LIST_EACH(at, head)                                                    \
	for (struct list *at = (head)->next, *at##_next = at->next;            \
	     at != (head); at = at##_next, at##_next = at->next)
/* NOLINTEND(bugprone-macro-parentheses) */

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

/** list_push() - @l becomes the last of @head. */
static inline void list_push(struct list *head, struct list *l)
{
	l->prev = head->prev;
	l->next = head;
	head->prev->next = l;
	head->prev = l;
}

/** list_push_first() - @l becomes the first of @head. */
static inline void list_push_first(struct list *head, struct list *l)
{
	list_push(head->next, l);
}

/** list_remove() - @l is in no list afterwards; may be done twice. */
static inline void list_remove(struct list *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
	list_init(l);
}
