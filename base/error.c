/* SPDX-License-Identifier: Apache-2.0 */
/* error.c - words for errors. */
#include "base/error.h"

#include <errno.h>
#include <string.h>

const char *error_text(int error)
{
	const char *text = strerrordesc_np(error < 0 ? -error : error);

	switch (error < 0 ? -error : error) {
	case EMFILE: /* limits of the caller's own: name them */
		return "Too many open files; raise the limit (ulimit -n)";
	case EFBIG:
		return "File too large; raise the limit (ulimit -f)";
	default:
		return text ? text : "unknown error";
	}
}
