/* SPDX-License-Identifier: Apache-2.0 */
/* streams.h - stdin, stdout and stderr as the VMM gets them. The user's file
 * descriptions are shared with his shell, so O_NONBLOCK is never set on them:
 * pipes and terminals are opened anew, which makes a description of our own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct streams {
	int fd[3];        /* owned; -1: closed */
	uint32_t kind[3]; /* enum plan_stream_kind */
	uint8_t guest[3]; /* enum runblock_stream */
	bool interactive; /* stdin and stdout are our terminal */
	uint16_t rows, cols;
};

/** streams_keep_numbers() - first thing in main(): a closed 0, 1 or 2 gets
 * /dev/null, so that no other file lands on that number.
 * @ret_closed: bit n: stream n was closed. */
int streams_keep_numbers(unsigned *ret_closed);

/** streams_open() - classify and open the three; @closed as above.
 * @ret: for streams_close(), also after a failure. Return: 0 or -errno. */
int streams_open(unsigned closed, struct streams *ret);
void streams_close(struct streams *s);
#define cleanup_streams __attribute__((cleanup(streams_close)))
