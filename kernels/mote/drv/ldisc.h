/* SPDX-License-Identifier: Apache-2.0 */
/* ldisc.h - the line discipline: what a terminal does to bytes between the
 * line and the program (termios(3), the default N_TTY). State and computation
 * only; whoever owns it moves the bytes.
 *
 *   from the line --ldisc_input()--> input ring --ldisc_read()--> program
 *                        |
 *                        +--> echo ring --ldisc_echo()--> to the line
 *   program --ldisc_output()-------------------------> to the line
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define LDISC_RING 4096u /* input; a canonical line is one byte shorter */
#define LDISC_ECHO 1024u
#define LDISC_CC   19u

struct ldisc_termios { /* struct termios2 of Linux; termios is its start */
	uint32_t iflag, oflag, cflag, lflag;
	uint8_t line;
	uint8_t cc[LDISC_CC];
	uint32_t ispeed, ospeed;
};

struct ldisc {
	struct ldisc_termios t;
	/* Input: [head, canon) is ready to be read in canonical mode, [canon,
	 * tail) is the line being edited. Free-running indices. */
	uint32_t head, canon, tail;
	uint8_t ring[LDISC_RING];
	uint8_t line_end[LDISC_RING / 8]; /* bit: this byte ends a line */
	/* What is to be shown, oldest first; more than fits is dropped. */
	uint32_t echo_bytes;
	uint8_t echo[LDISC_ECHO];
	uint32_t column;      /* of the cursor, as far as we know */
	uint32_t line_column; /* where the line being edited started */
	bool literal;         /* the next byte was quoted by VLNEXT */
	bool stopped;         /* VSTOP: hold output */
	bool hung_up;         /* the line is gone: reads end */
	void (*signal)(struct ldisc *d, int signal); /* a key's */
};

/** ldisc_init() - the settings of a fresh Linux terminal. */
void ldisc_init(struct ldisc *d, void (*signal)(struct ldisc *d, int signal));
/** ldisc_set() - new settings; what was typed stays readable. */
void ldisc_set(struct ldisc *d, const struct ldisc_termios *t);
/** ldisc_flush_input() - forget what was typed and not read. */
void ldisc_flush_input(struct ldisc *d);

void ldisc_input(struct ldisc *d, const uint8_t *text, uint32_t bytes);
/** ldisc_has_room() - may more input come without being dropped? */
bool ldisc_has_room(const struct ldisc *d);

/** ldisc_readable() - bytes that a read could return now (in canonical mode:
 * of complete lines). */
uint32_t ldisc_readable(const struct ldisc *d);
/** ldisc_can_read() - would a read return now, if only with end of file? */
bool ldisc_can_read(const struct ldisc *d);
/** ldisc_read() - up to @cap bytes, in canonical mode of one line.
 * @ret_end: the line is over, or end of file: do not ask for more.
 * Return: bytes. */
uint32_t ldisc_read(struct ldisc *d, uint8_t *dst, uint32_t cap, bool *ret_end);

/** ldisc_output() - what @bytes become on the line. @dst: 8 * @bytes at most.
 * Return: bytes of it. */
uint32_t ldisc_output(struct ldisc *d, uint8_t *dst, const uint8_t *text,
		      uint32_t bytes);
