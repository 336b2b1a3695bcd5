/* SPDX-License-Identifier: Apache-2.0 */
/* init.h - what the parts of a Linux guest's process 1 share.
 *
 *   main.c     from the kernel's hands to the program's end
 *   machine.c  file systems, modules, loopback
 *   root.c     the root from an image
 *   doorbell.c the harness device: requests of the host, the status for it
 *   streams.c  the program's standard streams and the console's ports
 *   text.c     strings, and what cannot go on
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/abi/runblock.h"

#define EXIT_BROKEN    125 /* the exit code of what is our mistake */
#define EXIT_NOT_RUN   126
#define EXIT_NOT_THERE 127
#define REQUEST_SIGNAL 38 /* the kernel's, for the power button */
#define ONE_MS_NS      1000000l

/* text.c */
size_t text_len(const char *s);
bool text_same(const char *a, const char *b);
/** text_join() - @parts, NULL-ended, one behind the other, cut at @cap - 1. */
void text_join(char *to, size_t cap, const char *const parts[]);
/** text_number() - a number in hexadecimal (after "0x") or decimal digits. */
uint64_t text_number(const char *s);
/** text_file() - all of a small file, terminated. Return: bytes, or -errno. */
long text_file(const char *path, char *to, size_t cap);
/** fail() - this guest cannot run its program: tell the host and end. @error:
 * negative, or 0 for none. */
_Noreturn void fail(const char *what, const char *name, long error);
void nap(long ns);

/* machine.c */
void machine_mount(void);
void machine_load_modules(void);
void machine_raise_loopback(void);

/* root.c */
/** root_from_image() - make the image on the first device the root. */
void root_from_image(bool writable);

/* doorbell.c */
/** doorbell_find() - map the harness device, and have it interrupt us. Return:
 * false when there is none: a VM of another maker. */
bool doorbell_find(void);
/** doorbell_has_device() - has the VM a virtio device of this kind? */
bool doorbell_has_device(uint32_t virtio_id);
/** doorbell_requests() - HARNESS_REQ_* asked since the last look. */
uint32_t doorbell_requests(void);
/** doorbell_terminal() - rows << 16 | columns, for HARNESS_REQ_WINCH. */
uint32_t doorbell_terminal(void);
/** doorbell_look_ms() - how often one has to look for them: -1 where they are
 * told by REQUEST_SIGNAL. */
int doorbell_look_ms(void);
void doorbell_ready(void);
/** doorbell_panic() - a text for the host. */
void doorbell_panic(const char *text);
/** doorbell_exit() - the end. @status: as wait(2) encodes it. */
_Noreturn void doorbell_exit(uint32_t status);

/* streams.c */
#define STREAM_BYTES 16384u

struct pump {         /* one way, from an fd to another */
	int from, to; /* -1: at its end */
	size_t at, used;
	char buffer[STREAM_BYTES];
};

struct streams {
	int program[3]; /* what becomes 0, 1, 2; -1: closed */
	bool tty;       /* one of them is a terminal */
	int master;     /* of that; else -1 */
	struct pump pump[3];
};

/** streams_open() - connect what @block says; waits for the ports. */
void streams_open(struct streams *s, const struct runblock *block);
/** streams_close_program() - process 1 keeps no end of the program's. */
void streams_close_program(struct streams *s);
/** streams_resize() - the terminal, if there is one; Linux tells who is in its
 * foreground. @size: rows << 16 | columns, 0: not known. */
void streams_resize(const struct streams *s, uint32_t size);
/** streams_wait() - move bytes until @signal_fd can be read, or for @ms; -1:
 * without end. */
void streams_wait(struct streams *s, int signal_fd, int ms);
/** streams_drain() - all that was written, on its way to the host. */
void streams_drain(struct streams *s);
