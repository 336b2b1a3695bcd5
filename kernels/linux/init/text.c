/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - strings, and what cannot go on. */
#include <linux/fcntl.h>
#include <linux/time_types.h>

#include "kernels/linux/init/init.h"
#include "kernels/linux/init/sys.h"

/* The compiler calls these by itself. */
void *memcpy(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

void *memcpy(void *to, const void *from, size_t bytes)
{
	void *at = to;

	__asm__ volatile("rep movsb"
			 : "+D"(at), "+S"(from), "+c"(bytes)
			 :
			 : "memory");
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	void *at = to;

	__asm__ volatile("rep stosb"
			 : "+D"(at), "+c"(bytes)
			 : "a"(value)
			 : "memory");
	return to;
}

size_t text_len(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool text_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

void text_join(char *to, size_t cap, const char *const parts[])
{
	size_t used = 0;

	for (; *parts; parts++) {
		for (const char *c = *parts; *c && used + 1 < cap; c++)
			to[used++] = *c;
	}
	to[used] = '\0';
}

static unsigned digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	return 16;
}

uint64_t text_number(const char *s)
{
	uint64_t value = 0;
	unsigned base = 10;

	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	for (; digit(*s) < base; s++)
		value = value * base + digit(*s);
	return value;
}

long text_file(const char *path, char *to, size_t cap)
{
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC), n;

	if (fd < 0)
		return fd;
	n = sys_read((int)fd, to, cap - 1);
	sys_close((int)fd);
	if (n >= 0)
		to[n] = '\0';
	return n;
}

void nap(long ns)
{
	const struct __kernel_timespec time = {.tv_nsec = ns};

	sys2(__NR_nanosleep, &time, NULL);
}

static void decimal(char *to, unsigned long value)
{
	char digits[24];
	int n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while (value /= 10);
	while (n)
		*to++ = digits[--n];
	*to = '\0';
}

void fail(const char *what, const char *name, long error)
{
	char number[24] = "", text[256];
	const char *const parts[] = {"init: cannot ",
				     what,
				     *name ? " " : "",
				     name,
				     error ? ": error " : "",
				     number,
				     NULL};

	if (error)
		decimal(number, (unsigned long)-error);
	text_join(text, sizeof(text), parts);
	doorbell_panic(text);
	doorbell_exit(EXIT_BROKEN << 8);
}
