/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - what is known of a VM, as lines of text. Trusts no byte of them: a
 * full disk, another version or a person may have written anything. */
#include "runner/cli/record.h"

#include "base/ckd.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_CODE_MAX 255u

/** take_number() - decimal, up to @max, to the end or the next space; moves
 * *@text behind that. */
static int take_number(const char **text, uint64_t max, uint64_t *ret)
{
	const char *p = *text;
	uint64_t value = 0;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (ckd_mul(&value, value, 10u) ||
		    ckd_add(&value, value, (unsigned)(*p - '0')))
			return -EINVAL;
	}
	if (value > max || (*p && *p != ' '))
		return -EINVAL;
	*text = *p ? p + 1 : p;
	*ret = value;
	return 0;
}

static int take_only_number(const char *text, uint64_t *ret)
{
	uint64_t value;
	int err = take_number(&text, UINT64_MAX, &value);

	if (err || *text)
		return -EINVAL;
	*ret = value;
	return 0;
}

static int take_process(const char *text, struct process_id *ret)
{
	uint64_t pid, start;

	if (take_number(&text, INT_MAX, &pid) || !pid ||
	    take_only_number(text, &start))
		return -EINVAL;
	ret->pid = (pid_t)pid;
	ret->start_ticks = start;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/** unescape() - in place: it only gets shorter. */
static int unescape(char *text)
{
	char *to = text;

	for (const char *p = text; *p; p++) {
		int high, low;

		if (*p != '\\') {
			*to++ = *p;
			continue;
		}
		if (p[1] != 'x' || (high = hex_digit(p[2])) < 0 ||
		    (low = hex_digit(p[3])) < 0 || !(high | low))
			return -EINVAL;
		*to++ = (char)(high << 4 | low);
		p += 3;
	}
	*to = '\0';
	return 0;
}

static int set_created(struct record *r, char *value)
{
	return take_only_number(value, &r->created_ns);
}

static int set_memory(struct record *r, char *value)
{
	return take_only_number(value, &r->mem_bytes);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): one signature for all */
static int set_detached(struct record *r, char *value)
{
	r->detached = true;
	return *value ? -EINVAL : 0;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): one signature for all */
static int set_keep(struct record *r, char *value)
{
	r->keep = true;
	return *value ? -EINVAL : 0;
}

static int set_arg(struct record *r, char *value)
{
	int err = unescape(value);

	return err ? err : strlist_add(&r->command, value);
}

static int set_monitor(struct record *r, char *value)
{
	return take_process(value, &r->monitor);
}

static int set_vm(struct record *r, char *value)
{
	return take_process(value, &r->vm);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): one signature for all */
static int set_exit(struct record *r, char *value)
{
	const char *p = value;
	uint64_t code, when;

	if (take_number(&p, EXIT_CODE_MAX, &code) || take_only_number(p, &when))
		return -EINVAL;
	r->exited = true;
	r->exit_code = (int)code;
	r->exited_ns = when;
	return 0;
}

static int set_error(struct record *r, char *value)
{
	int err = unescape(value);

	if (err)
		return err;
	free(r->error);
	r->error = strdup(value);
	return r->error ? 0 : -ENOMEM;
}

static const struct {
	const char *word;
	int (*set)(struct record *r, char *value);
} words[] = {
	{"created", set_created},
	{"memory", set_memory},
	{"detached", set_detached},
	{"keep", set_keep},
	{"arg", set_arg},
	{"monitor", set_monitor},
	{"vm", set_vm},
	{"exit", set_exit},
	{"error", set_error},
};

static int parse_line(struct record *r, char *line)
{
	char *value = line + strcspn(line, " ");

	if (*value)
		*value++ = '\0';
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i].word, line))
			return words[i].set(r, value);
	}
	return 0;
}

/** parse_lines() - @ret_line: the one it is at. */
static int parse_lines(char *text, size_t bytes, struct record *r,
		       unsigned *ret_line)
{
	char *line = text, *end = text + bytes;

	for (*ret_line = 1;; (*ret_line)++) {
		char *newline = memchr(line, '\n', (size_t)(end - line));
		int err;

		if (!newline) /* cut off while it was written, or the end */
			return 0;
		*newline = '\0';
		if (strlen(line) != (size_t)(newline - line))
			return -EINVAL;
		err = parse_line(r, line);
		if (err)
			return err;
		line = newline + 1;
	}
}

int record_parse(const char *text, size_t bytes, struct record *ret,
		 unsigned *ret_line)
{
	char *copy = malloc(bytes + 1);
	int err;

	*ret = (struct record){0};
	*ret_line = 1;
	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, bytes);
	err = parse_lines(copy, bytes, ret, ret_line);
	free(copy);
	return err;
}

void record_done(struct record *r)
{
	strlist_done(&r->command);
	free(r->error);
	r->error = NULL;
}

/** write_escaped() - at most @max bytes. Return: how many. */
static size_t write_escaped(FILE *to, const char *text, size_t max)
{
	size_t used = 0;

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = c >= 0x20 && c != 0x7f && c != '\\';
		size_t bytes = plain ? 1 : 4;

		if (bytes > max - used)
			break;
		used += bytes;
		if (plain)
			(void)putc(c, to);
		else
			(void)fprintf(to, "\\x%02x", c);
	}
	return used;
}

char *record_head(const struct record *r, char *const *argv)
{
	size_t room = RECORD_ARG_BYTES, len;
	char *text = NULL;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return NULL;
	(void)fprintf(to, "created %llu\nmemory %llu\n%s%s",
		      (unsigned long long)r->created_ns,
		      (unsigned long long)r->mem_bytes,
		      r->detached ? "detached\n" : "", r->keep ? "keep\n" : "");
	for (; *argv && room; argv++) {
		size_t used;

		(void)fputs("arg ", to);
		used = write_escaped(to, *argv, room) + sizeof("arg \n") - 1;
		(void)putc('\n', to);
		room -= used < room ? used : room;
	}
	if (fclose(to)) {
		free(text);
		return NULL;
	}
	return text;
}

int record_process(const char *word, const struct process_id *id, char *buf,
		   size_t cap)
{
	return snprintf(buf, cap, "%s %d %llu\n", word, (int)id->pid,
			(unsigned long long)id->start_ticks);
}

char *record_end(int exit_code, uint64_t when_ns, const char *error)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	if (!to)
		return NULL;
	(void)fprintf(to, "exit %d %llu\n", exit_code & 0xff,
		      (unsigned long long)when_ns);
	if (error) {
		(void)fputs("error ", to);
		(void)write_escaped(to, error, RECORD_ARG_BYTES);
		(void)putc('\n', to);
	}
	if (fclose(to)) {
		free(text);
		return NULL;
	}
	return text;
}
