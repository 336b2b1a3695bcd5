/* SPDX-License-Identifier: Apache-2.0 */
/* error.h - words for errors. Functions of ours return 0 or -errno. */
#pragma once

/** error_text() - what an errno means, e.g. "Permission denied"; the sign
 * does not matter; a limit of the caller's is named, with how to raise it. A
 * constant string: safe on any thread, unlike strerror(). */
const char *error_text(int error);
