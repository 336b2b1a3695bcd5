/* SPDX-License-Identifier: Apache-2.0 */
/* ldisc.c - the line discipline. Trusts: nobody about what is typed or
 * written; every ring is bounded. Must not: touch a device or the program. */
#include "kernels/mote/drv/ldisc.h"

#include <linux/termios.h>
#include <signal.h>

#include "kernels/mote/lib/lib.h"

#define DISABLED 0 /* a control character that is switched off */
#define TAB_STOP 8u
#define DELETE   0x7f

static bool has(const struct ldisc *d, uint32_t lflag)
{
	return d->t.lflag & lflag;
}

static bool is_cc(const struct ldisc *d, uint8_t c, unsigned index)
{
	return c != DISABLED && d->t.cc[index] == c;
}

static bool is_control(uint8_t c)
{
	return c < 0x20 || c == DELETE;
}

/* A byte inside a UTF-8 character: takes no column of its own. */
static bool continues(const struct ldisc *d, uint8_t c)
{
	return (d->t.iflag & IUTF8) && (c & 0xc0) == 0x80;
}

void ldisc_init(struct ldisc *d, void (*signal)(struct ldisc *d, int signal))
{
	static const struct ldisc_termios fresh = {
		.iflag = ICRNL | IXON | IUTF8,
		.oflag = OPOST | ONLCR,
		.cflag = B38400 | CS8 | CREAD,
		.lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL |
			 ECHOKE | IEXTEN,
		.cc = {[VINTR] = 3,
		       [VQUIT] = 28,
		       [VERASE] = DELETE,
		       [VKILL] = 21,
		       [VEOF] = 4,
		       [VMIN] = 1,
		       [VSTART] = 17,
		       [VSTOP] = 19,
		       [VSUSP] = 26,
		       [VREPRINT] = 18,
		       [VDISCARD] = 15,
		       [VWERASE] = 23,
		       [VLNEXT] = 22},
		.ispeed = 38400,
		.ospeed = 38400,
	};

	d->t = fresh;
	d->signal = signal;
}

/* Input ring */

static void mark(struct ldisc *d, uint32_t at, bool end)
{
	uint8_t bit = (uint8_t)(1u << (at & 7));
	uint8_t *byte = &d->line_end[at % LDISC_RING / 8];

	*byte = end ? *byte | bit : *byte & (uint8_t)~bit;
}

static bool is_line_end(const struct ldisc *d, uint32_t at)
{
	return d->line_end[at % LDISC_RING / 8] & (1u << (at & 7));
}

/* One place is kept for the byte that ends a line. */
static bool add(struct ldisc *d, uint8_t c, bool end)
{
	if (d->tail - d->head >= LDISC_RING - (end ? 0u : 1u))
		return false;
	d->ring[d->tail % LDISC_RING] = c;
	mark(d, d->tail, end);
	d->tail++;
	return true;
}

static void line_done(struct ldisc *d)
{
	d->canon = d->tail;
	d->line_column = d->column;
}

void ldisc_flush_input(struct ldisc *d)
{
	d->head = d->canon = d->tail;
	d->literal = false;
}

void ldisc_set(struct ldisc *d, const struct ldisc_termios *t)
{
	bool was = has(d, ICANON);

	d->t = *t;
	if (!has(d, ICANON) || was)
		return;
	/* What was typed before becomes one line, also without its end. */
	if (d->tail != d->head)
		mark(d, d->tail - 1, true);
	line_done(d);
}

bool ldisc_has_room(const struct ldisc *d)
{
	/* An endless line is cut off rather than waited for. */
	return d->tail - d->head < LDISC_RING / 2 ||
	       (has(d, ICANON) && d->canon == d->head);
}

/* Echo and output */

static void show(struct ldisc *d, uint8_t c)
{
	if (d->echo_bytes < LDISC_ECHO)
		d->echo[d->echo_bytes++] = c;
}

/* How far @c moves a cursor that is at @column, shown as ^X or as it is. */
static uint32_t columns_of(const struct ldisc *d, uint8_t c, uint32_t column)
{
	if (c == '\t')
		return TAB_STOP - column % TAB_STOP;
	if (is_control(c))
		return has(d, ECHOCTL) ? 2 : 0;
	return continues(d, c) ? 0 : 1;
}

/* One byte as the line gets it. Return: bytes in @dst, 8 at most. */
static uint32_t output_byte(struct ldisc *d, uint8_t c, uint8_t *dst)
{
	uint32_t n;

	switch (c) {
	case '\n':
		if (!(d->t.oflag & ONLCR))
			break;
		d->column = 0;
		dst[0] = '\r';
		dst[1] = '\n';
		return 2;
	case '\r':
		if ((d->t.oflag & ONOCR) && d->column == 0)
			return 0;
		if (d->t.oflag & OCRNL)
			c = '\n';
		d->column = 0;
		break;
	case '\t':
		n = TAB_STOP - d->column % TAB_STOP;
		d->column += n;
		if ((d->t.oflag & TABDLY) != XTABS)
			break;
		memset(dst, ' ', n);
		return n;
	case '\b':
		if (d->column)
			d->column--;
		break;
	default:
		if (!is_control(c) && !continues(d, c))
			d->column++;
		break;
	}
	dst[0] = c;
	return 1;
}

uint32_t ldisc_output(struct ldisc *d, uint8_t *dst, const uint8_t *text,
		      uint32_t bytes)
{
	uint32_t n = 0;

	if (!(d->t.oflag & OPOST)) {
		memcpy(dst, text, bytes);
		return bytes;
	}
	for (uint32_t i = 0; i < bytes; i++) {
		uint8_t c = text[i];

		/* Nearly every byte, in few instructions. */
		if (c >= 0x20 && c < DELETE) {
			dst[n++] = c;
			d->column++;
		} else {
			n += output_byte(d, c, dst + n);
		}
	}
	return n;
}

static void show_processed(struct ldisc *d, uint8_t c)
{
	uint8_t out[8];
	uint32_t n = ldisc_output(d, out, &c, 1);

	for (uint32_t i = 0; i < n; i++)
		show(d, out[i]);
}

static void show_caret(struct ldisc *d, uint8_t c)
{
	show_processed(d, '^');
	show_processed(d, c ^ 0x40);
}

static void echo_char(struct ldisc *d, uint8_t c)
{
	if (has(d, ECHOCTL) && is_control(c) && c != '\t' && c != '\n')
		show_caret(d, c);
	else
		show_processed(d, c);
}

/* Editing */

static void rub_out(struct ldisc *d, uint32_t columns)
{
	for (; columns && d->column; columns--, d->column--) {
		show(d, '\b');
		show(d, ' ');
		show(d, '\b');
	}
}

/* Where the cursor was before the edited line's byte at @at was typed. */
static uint32_t column_before(const struct ldisc *d, uint32_t at)
{
	uint32_t column = d->line_column;

	for (uint32_t i = d->canon; i != at; i++)
		column += columns_of(d, d->ring[i % LDISC_RING], column);
	return column;
}

/* One character off the line being edited. Return: was there one? */
static bool erase_char(struct ldisc *d)
{
	uint32_t width;
	uint8_t c;

	do {
		if (d->tail == d->canon)
			return false;
		d->tail--;
		c = d->ring[d->tail % LDISC_RING];
	} while (continues(d, c) && d->tail != d->canon);
	if (!has(d, ECHO))
		return true;
	width = columns_of(d, c, c == '\t' ? column_before(d, d->tail) : 0);
	if (has(d, ECHOE))
		rub_out(d, width);
	else
		echo_char(d, d->t.cc[VERASE]);
	return true;
}

static bool is_word(uint8_t c)
{
	uint8_t lower = c | 0x20;

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_' || c >= 0x80;
}

static void erase_word(struct ldisc *d)
{
	bool seen = false;

	while (d->tail != d->canon) {
		bool word = is_word(d->ring[(d->tail - 1) % LDISC_RING]);

		if (seen && !word)
			return;
		seen |= word;
		erase_char(d);
	}
}

static void kill_line(struct ldisc *d)
{
	if (has(d, ECHO) && has(d, ECHOK) && has(d, ECHOKE) && has(d, ECHOE)) {
		while (erase_char(d))
			;
		return;
	}
	d->tail = d->canon;
	if (!has(d, ECHO))
		return;
	echo_char(d, d->t.cc[VKILL]);
	if (has(d, ECHOK))
		show_processed(d, '\n');
}

static void reprint_line(struct ldisc *d)
{
	echo_char(d, d->t.cc[VREPRINT]);
	show_processed(d, '\n');
	d->line_column = 0;
	for (uint32_t i = d->canon; i != d->tail; i++)
		echo_char(d, d->ring[i % LDISC_RING]);
}

/* Bytes that edit the line instead of joining it. Return: was it one? */
static bool edit(struct ldisc *d, uint8_t c)
{
	if (is_cc(d, c, VERASE)) {
		erase_char(d);
	} else if (is_cc(d, c, VKILL)) {
		kill_line(d);
	} else if (has(d, IEXTEN) && is_cc(d, c, VWERASE)) {
		erase_word(d);
	} else if (has(d, IEXTEN) && is_cc(d, c, VREPRINT) && has(d, ECHO)) {
		reprint_line(d);
	} else if (has(d, IEXTEN) && is_cc(d, c, VLNEXT)) {
		d->literal = true;
		if (has(d, ECHO) && has(d, ECHOCTL)) {
			show(d, '^');
			show(d, '\b');
		}
	} else {
		return false;
	}
	return true;
}

/* Bytes that end the line. Return: was it one? */
static bool end_line(struct ldisc *d, uint8_t c)
{
	if (c == '\n') {
		if (has(d, ECHO) || has(d, ECHONL))
			show_processed(d, '\n');
	} else if (is_cc(d, c, VEOF)) {
		c = DISABLED; /* ends a line without being part of it */
	} else if (is_cc(d, c, VEOL) ||
		   (has(d, IEXTEN) && is_cc(d, c, VEOL2))) {
		if (has(d, ECHO))
			echo_char(d, c);
	} else {
		return false;
	}
	if (add(d, c, true))
		line_done(d);
	return true;
}

static void plain(struct ldisc *d, uint8_t c)
{
	if (has(d, ECHO)) {
		if (d->tail == d->canon)
			d->line_column = d->column;
		echo_char(d, c);
	}
	add(d, c, false);
}

static bool send_signal(struct ldisc *d, uint8_t c)
{
	int signal;

	if (is_cc(d, c, VINTR))
		signal = SIGINT;
	else if (is_cc(d, c, VQUIT))
		signal = SIGQUIT;
	else if (is_cc(d, c, VSUSP))
		signal = SIGTSTP;
	else
		return false;
	if (!has(d, NOFLSH))
		ldisc_flush_input(d);
	d->stopped = false;
	if (has(d, ECHO))
		echo_char(d, c);
	d->signal(d, signal);
	return true;
}

/* Flow control (IXON). Return: was it that? */
static bool flow(struct ldisc *d, uint8_t c)
{
	if (is_cc(d, c, VSTART)) {
		d->stopped = false;
	} else if (is_cc(d, c, VSTOP)) {
		d->stopped = true;
	} else {
		if (d->t.iflag & IXANY)
			d->stopped = false;
		return false;
	}
	return true;
}

/* Carriage return and newline, as iflag has it. Return: false to drop it. */
static bool translate(const struct ldisc *d, uint8_t *c)
{
	if (*c == '\r') {
		if (d->t.iflag & IGNCR)
			return false;
		if (d->t.iflag & ICRNL)
			*c = '\n';
	} else if (*c == '\n' && (d->t.iflag & INLCR)) {
		*c = '\r';
	}
	return true;
}

static void input_byte(struct ldisc *d, uint8_t c)
{
	if (d->t.iflag & ISTRIP)
		c &= 0x7f;
	if (d->literal) {
		d->literal = false;
		plain(d, c);
		return;
	}
	if ((d->t.iflag & IXON) && flow(d, c))
		return;
	if (has(d, ISIG) && send_signal(d, c))
		return;
	if (!translate(d, &c))
		return;
	if (has(d, ICANON) && (edit(d, c) || end_line(d, c)))
		return;
	plain(d, c);
}

void ldisc_input(struct ldisc *d, const uint8_t *text, uint32_t bytes)
{
	for (uint32_t i = 0; i < bytes; i++)
		input_byte(d, text[i]);
}

/* Reading */

uint32_t ldisc_readable(const struct ldisc *d)
{
	return (has(d, ICANON) ? d->canon : d->tail) - d->head;
}

bool ldisc_can_read(const struct ldisc *d)
{
	return ldisc_readable(d) || d->hung_up;
}

static uint32_t read_raw(struct ldisc *d, uint8_t *dst, uint32_t cap)
{
	uint32_t n = MIN(cap, d->tail - d->head);

	for (uint32_t i = 0; i < n; i++)
		dst[i] = d->ring[(d->head + i) % LDISC_RING];
	d->head += n;
	if ((int32_t)(d->canon - d->head) < 0)
		d->canon = d->head;
	return n;
}

uint32_t ldisc_read(struct ldisc *d, uint8_t *dst, uint32_t cap, bool *ret_end)
{
	uint32_t n = 0;

	*ret_end = true;
	if (!has(d, ICANON))
		return read_raw(d, dst, cap);
	while (d->head != d->canon) {
		bool end = is_line_end(d, d->head);
		uint8_t c = d->ring[d->head % LDISC_RING];

		/* The end-of-file mark is taken even when @dst is full, or the
		 * next read would be an end of file. */
		if (end && c == DISABLED) {
			d->head++;
			return n;
		}
		if (n == cap) {
			*ret_end = false;
			return n;
		}
		dst[n++] = c;
		d->head++;
		if (end)
			return n;
	}
	return n;
}
