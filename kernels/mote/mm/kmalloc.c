/* SPDX-License-Identifier: Apache-2.0 */
/* kmalloc.c - small kernel objects. A page holds objects of one class behind a
 * header; pages with room are on their class's list; a page whose last object
 * goes is given back, unless it is the only one with room. Objects are carved
 * on demand, so a new page costs no loop. */
#include "kernels/mote/mm/kmalloc.h"

#include <stdbool.h>
#include <stdint.h>

#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"

struct object {
	struct object *next;
};

struct slab {
	struct slab *next, *prev; /* the class's list of pages with room */
	struct object *free;
	uint16_t in_use;
	uint16_t carved; /* offset of the first object never handed out */
	uint16_t class;  /* CLASS_LARGE: one object of `pages` pages */
	uint16_t listed;
	uint64_t pages;
};

#define SLAB_DATA   48u
#define CLASS_COUNT 14u
#define CLASS_LARGE 0xffffu
_Static_assert(sizeof(struct slab) <= SLAB_DATA, "header fits its place");

/* Multiples of 16 that fill a page well. */
static const uint16_t class_bytes[CLASS_COUNT] = {
	16, 32, 48, 64, 96, 128, 192, 256, 336, 496, 672, 1008, 1344, 2016,
};
static struct slab *class_list[CLASS_COUNT];

static unsigned class_of(size_t bytes)
{
	unsigned c = bytes > 256 ? 8 : 0;

	while (class_bytes[c] < bytes)
		c++;
	return c;
}

static void list_add(struct slab *s)
{
	struct slab **head = &class_list[s->class];

	s->next = *head;
	s->prev = NULL;
	if (s->next)
		s->next->prev = s;
	*head = s;
	s->listed = true;
}

static void list_del(struct slab *s)
{
	if (s->prev)
		s->prev->next = s->next;
	else
		class_list[s->class] = s->next;
	if (s->next)
		s->next->prev = s->prev;
	s->listed = false;
}

static void *alloc_large(size_t bytes)
{
	uint64_t count;
	struct slab *s;

	if (bytes > SIZE_MAX - SLAB_DATA - PAGE_SIZE)
		return NULL;
	count = (bytes + SLAB_DATA + PAGE_SIZE - 1) >> PAGE_SHIFT;
	s = count == 1 ? page_alloc() : pages_alloc_counted(count);
	if (!s)
		return NULL;
	s->class = CLASS_LARGE;
	s->pages = count;
	return (uint8_t *)s + SLAB_DATA;
}

static struct slab *new_slab(unsigned class)
{
	struct slab *s = page_alloc();

	if (!s)
		return NULL;
	s->free = NULL;
	s->in_use = 0;
	s->carved = SLAB_DATA;
	s->class = (uint16_t) class;
	list_add(s);
	return s;
}

void *kmalloc(size_t bytes)
{
	unsigned class, size;
	struct slab *s;
	void *object;

	if (bytes > class_bytes[CLASS_COUNT - 1])
		return alloc_large(bytes);
	class = class_of(bytes);
	size = class_bytes[class];
	s = class_list[class];
	if (!s)
		s = new_slab(class);
	if (!s)
		return NULL;
	if (s->free) {
		object = s->free;
		s->free = s->free->next;
	} else {
		object = (uint8_t *)s + s->carved;
		s->carved = (uint16_t)(s->carved + size);
	}
	s->in_use++;
	if (!s->free && s->carved + size > PAGE_SIZE)
		list_del(s);
	return object;
}

void *kzalloc(size_t bytes)
{
	void *p = kmalloc(bytes);

	if (p)
		memset(p, 0, bytes);
	return p;
}

void kfree(void *p)
{
	struct slab *s = (struct slab *)((uint64_t)p & ~(PAGE_SIZE - 1));
	struct object *object = p;

	if (!p)
		return;
	if (s->class == CLASS_LARGE) {
		uint64_t pa = kva_to_pa(s);

		for (uint64_t n = s->pages; n > 0; n--, pa += PAGE_SIZE)
			page_unref(pa);
		return;
	}
	object->next = s->free;
	s->free = object;
	s->in_use--;
	if (!s->listed) {
		list_add(s);
	} else if (!s->in_use && (s->next || s->prev)) {
		list_del(s);
		page_unref(kva_to_pa(s));
	}
}
