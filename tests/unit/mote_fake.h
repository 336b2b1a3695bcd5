/* SPDX-License-Identifier: Apache-2.0 */
/* mote_fake.h - what the guest kernel's files stand on (pages, user memory,
 * waiting, clocks, console), in a test program: user addresses are the test's
 * own, addresses below a page are bad. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/** fake_start() - an empty machine: a tree from @initrd and a task as root. */
void fake_start(const void *initrd, uint64_t bytes);
/** fake_ids() - who the task is from now on. */
void fake_ids(uint32_t uid, uint32_t gid);
/** fake_call() - a system call; result or -errno. */
long fake_call(unsigned number, uint64_t a0, uint64_t a1, uint64_t a2,
	       uint64_t a3, uint64_t a4, uint64_t a5);
#define FAKE_CALL(number, a0, a1, a2, a3)                                      \
	fake_call(number, (uint64_t)(a0), (uint64_t)(a1), (uint64_t)(a2),      \
		  (uint64_t)(a3), 0, 0)

/** fake_pages_limit() - page_alloc() fails when so many are handed out. */
void fake_pages_limit(uint64_t pages);
uint64_t fake_pages_used(void);
/** fake_last_signal() - the last signal_send(), and forget it. */
int fake_last_signal(void);
/** fake_timer_armed() - the deadline in the hardware timer. */
uint64_t fake_timer_armed(void);
/** fake_output() - what was written to the console's stdout, and forget it. */
size_t fake_output(char *dst, size_t cap);
void fake_input(const void *bytes, size_t count);

/* A cpio archive under construction. */
struct fake_cpio {
	uint8_t bytes[1 << 16];
	size_t used;
};
/** fake_cpio_add() - an entry; @pad_name: more NULs so that the data begins on
 * a page boundary. */
void fake_cpio_add(struct fake_cpio *c, const char *name, uint32_t mode,
		   const void *data, size_t bytes, int pad_name);
void fake_cpio_end(struct fake_cpio *c);
