/* SPDX-License-Identifier: Apache-2.0 */
/* stamp.h - where the jailed program writes its struct timespec. */
#pragma once

#define STAMP_FD 100 /* below the jail's limit of 256 */
