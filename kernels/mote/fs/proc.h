/* SPDX-License-Identifier: Apache-2.0 */
/* proc.h - /proc and /sys: the parts programs and their C libraries read. */
#pragma once

/** proc_mount() - put both directories into the tree. -ENOMEM. */
int proc_mount(void);
