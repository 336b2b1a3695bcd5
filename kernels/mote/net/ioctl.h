/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl.h - ioctl(2) on sockets. */
#pragma once
#include <stdint.h>

struct socket;

/** socket_ioctl() - 0 or -errno; -ENOTTY: not one for sockets. */
long socket_ioctl(struct socket *s, uint32_t cmd, uint64_t arg);
