/* SPDX-License-Identifier: Apache-2.0 */
/* sigfpu.h - the x87, SSE and AVX state in a signal's frame, in Linux's layout:
 * an XSAVE image that says in its unused bytes how long it is (struct
 * _fpx_sw_bytes of asm/sigcontext.h), and a magic number after it. */
#pragma once
#include <stdint.h>

/** sigfpu_bytes() - the room it takes. */
uint32_t sigfpu_bytes(void);
/** sigfpu_write() - the running program's state to user address @at, a
 * multiple of 64. 0 or -EFAULT. */
int sigfpu_write(uint64_t at);
/** sigfpu_read() - the state at user address @at, where the program may have
 * written anything, becomes the running program's; the initial state if @at is
 * 0. Return: 0; -EFAULT, -EINVAL (no CPU would load it): nothing changed. */
int sigfpu_read(uint64_t at);
