/* SPDX-License-Identifier: Apache-2.0 */
/* cleanup.h - resources that end with their scope. A variable marked
 * cleanup_fd or cleanup_free owns what it holds; steal_fd()/steal_ptr() hand
 * the ownership on. Clean-up keeps errno.
 *
 *	cleanup_fd int fd = open(...);
 *	...
 *	*ret_fd = steal_fd(&fd);
 */
#pragma once
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define cleanup_fd   __attribute__((cleanup(cleanup_fd_run)))
#define cleanup_free __attribute__((cleanup(cleanup_free_run)))

/** cleanup_fd_run() - close *@fd unless it is -1 (none). */
/* NOLINTNEXTLINE(readability-non-const-parameter): the attribute's signature */
static inline void cleanup_fd_run(int *fd)
{
	int saved = errno;

	if (*fd >= 0)
		close(*fd);
	errno = saved;
}

/** cleanup_free_run() - free what the pointer variable at @var holds. */
static inline void cleanup_free_run(void *var)
{
	int saved = errno;

	free(*(void **)var);
	errno = saved;
}

/** steal_fd() - take the fd out of its variable, which is -1 afterwards. */
static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/** steal_ptr() - take the pointer out of its variable, NULL afterwards. */
#define steal_ptr(var)                                                         \
	({                                                                     \
		__typeof__(*(var)) stolen_ = *(var);                           \
		*(var) = NULL;                                                 \
		stolen_;                                                       \
	})
