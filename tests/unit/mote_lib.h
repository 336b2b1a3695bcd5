/* SPDX-License-Identifier: Apache-2.0 */
/* mote_lib.h - mote's C library under names of its own, beside the host's. */
#pragma once

#define memcpy  mote_memcpy
#define memmove mote_memmove
#define memset  mote_memset
#define memcmp  mote_memcmp
#define strlen  mote_strlen
#define strnlen mote_strnlen
#define strcmp  mote_strcmp
#define strncmp mote_strncmp
#define strchr  mote_strchr
#include "kernels/mote/lib/lib.h"
