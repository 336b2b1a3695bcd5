/* SPDX-License-Identifier: Apache-2.0 */
/* stamp.h - where the jailed program writes its struct timespec. */
#pragma once

#define STAMP_FD 40 /* above what a jail inherits, below its limit of 256 */
