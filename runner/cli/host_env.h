/* SPDX-License-Identifier: Apache-2.0 */
/* host_env.h - the environment of the command itself. */
#pragma once
#include <stdlib.h>

/** host_env() - the value of @name, or NULL. Borrowed. */
static inline const char *host_env(const char *name)
{
	/* One thread reads it and none changes it. */
	return getenv(name); /* NOLINT(concurrency-mt-unsafe) */
}
