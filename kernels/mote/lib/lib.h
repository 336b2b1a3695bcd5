/* SPDX-License-Identifier: Apache-2.0 */
/* lib.h - the C library pieces a kernel needs, and messages. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t cap);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
/** strscpy() - copy with truncation, always terminated; length copied. */
size_t strscpy(char *dst, const char *src, size_t cap);

/** ksnprintf() - %d %u %x %lx %ld %lu %s %c %p %% with width and zero pad;
 * never writes past @cap, returns what it wrote without the NUL. */
__attribute__((format(printf, 3, 4))) size_t ksnprintf(char *dst, size_t cap,
						       const char *fmt, ...);
size_t kvsnprintf(char *dst, size_t cap, const char *fmt, va_list ap);

/** kprintf() - a line to the console (stderr); a missing newline is added. For
 * the rare; not for tracing. */
__attribute__((format(printf, 1, 2))) void kprintf(const char *fmt, ...);
/** panic() - the kernel cannot go on: report and end the VM. */
__attribute__((format(printf, 1, 2))) _Noreturn void panic(const char *fmt,
							   ...);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* The arguments are evaluated twice. */
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
