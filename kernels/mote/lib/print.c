/* SPDX-License-Identifier: Apache-2.0 */
/* print.c - formatted text into a bounded buffer, and from there to the
 * console. Knows %d %i %u %x %s %c %p %%, the l, ll and z lengths, a minus, a
 * zero pad, a width and, for %s, a precision; anything else is printed as it
 * stands. */
#include "kernels/mote/lib/lib.h"

#include <stdbool.h>

#include "kernels/mote/drv/console.h"

struct out {
	char *dst;
	size_t cap, used;
};

struct spec { /* one % conversion */
	unsigned width;
	unsigned precision;
	bool left, zero, wide;
};

static void put(struct out *o, char c)
{
	if (o->used + 1 < o->cap)
		o->dst[o->used++] = c;
}

static void put_padded(struct out *o, const struct spec *s, const char *text,
		       size_t n)
{
	size_t pad = s->width > n ? s->width - n : 0;

	if (s->zero && n && text[0] == '-') { /* the sign before the zeros */
		put(o, *text++);
		n--;
	}
	for (; !s->left && pad; pad--)
		put(o, s->zero ? '0' : ' ');
	for (; n; n--)
		put(o, *text++);
	for (; pad; pad--)
		put(o, ' ');
}

static void put_number(struct out *o, const struct spec *s, uint64_t value,
		       unsigned base, bool negative)
{
	char digits[24];
	char *p = digits + sizeof(digits);

	do {
		*--p = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	if (negative)
		*--p = '-';
	put_padded(o, s, p, (size_t)(digits + sizeof(digits) - p));
}

static const char *parse_spec(const char *f, struct spec *s)
{
	*s = (struct spec){.precision = ~0u};
	for (;; f++) {
		if (*f == '-')
			s->left = true;
		else if (*f == '0')
			s->zero = true;
		else
			break;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		s->width = s->width * 10 + (unsigned)(*f - '0');
	if (*f == '.')
		for (f++, s->precision = 0; *f >= '0' && *f <= '9'; f++)
			s->precision = s->precision * 10 + (unsigned)(*f - '0');
	for (; *f == 'l' || *f == 'z'; f++)
		s->wide = true;
	return f;
}

/* A va_list parameter may be an array type: hand its wrapper around. */
struct args {
	va_list ap;
};

static uint64_t take_unsigned(struct args *a, bool wide)
{
	return wide ? va_arg(a->ap, unsigned long)
		    : va_arg(a->ap, unsigned int);
}

static int64_t take_signed(struct args *a, bool wide)
{
	return wide ? va_arg(a->ap, long) : va_arg(a->ap, int);
}

static void put_signed(struct out *o, const struct spec *s, int64_t v)
{
	put_number(o, s, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0);
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
	if (!text)
		text = "(null)";
	put_padded(o, s, text, strnlen(text, s->precision));
}

static void put_conversion(struct out *o, struct spec *s, char kind,
			   struct args *a)
{
	char c;

	switch (kind) {
	case 'd':
	case 'i':
		put_signed(o, s, take_signed(a, s->wide));
		break;
	case 'u':
		put_number(o, s, take_unsigned(a, s->wide), 10, false);
		break;
	case 'p':
		put(o, '0');
		put(o, 'x');
		s->wide = true;
		put_number(o, s, take_unsigned(a, true), 16, false);
		break;
	case 'x':
		put_number(o, s, take_unsigned(a, s->wide), 16, false);
		break;
	case 'o':
		put_number(o, s, take_unsigned(a, s->wide), 8, false);
		break;
	case 's':
		put_string(o, s, va_arg(a->ap, const char *));
		break;
	case 'c':
		c = (char)va_arg(a->ap, int);
		put_padded(o, s, &c, 1);
		break;
	case '%':
		put(o, '%');
		break;
	default:
		put(o, '%');
		put(o, kind);
	}
}

size_t kvsnprintf(char *dst, size_t cap, const char *fmt, va_list ap)
{
	struct out o = {.dst = dst, .cap = cap};
	struct args a;

	va_copy(a.ap, ap);
	for (; *fmt; fmt++) {
		struct spec s;

		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt = parse_spec(fmt + 1, &s);
		if (!*fmt)
			break;
		put_conversion(&o, &s, *fmt, &a);
	}
	va_end(a.ap);
	if (cap)
		dst[o.used] = '\0';
	return o.used;
}

size_t ksnprintf(char *dst, size_t cap, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = kvsnprintf(dst, cap, fmt, ap);
	va_end(ap);
	return n;
}

void kprintf(const char *fmt, ...)
{
	static char line[256]; /* devices do not reach stacks */
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = kvsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n && line[n - 1] != '\n')
		line[n++] = '\n';
	console_puts(line, n);
}
