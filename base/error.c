/* SPDX-License-Identifier: Apache-2.0 */
/* error.c - words for errors. */
#include "base/error.h"

#include <string.h>

const char *error_text(int error)
{
	const char *text = strerrordesc_np(error < 0 ? -error : error);

	return text ? text : "unknown error";
}
