/* SPDX-License-Identifier: Apache-2.0 */
/* rights.h - open files on their way through a socket (SCM_RIGHTS). A file in
 * a message is held by it. Two bounds keep what nobody can reach any more
 * from piling up: a count of files under way, and a collector for AF_UNIX
 * sockets that only hold each other (rights_collect()). */
#pragma once
#include <stdint.h>

struct file;
struct socket;

#define RIGHTS_MAX           253u /* files a message, as SCM_MAX_FD */
#define RIGHTS_IN_FLIGHT_MAX 16384u

struct rights {
	uint32_t count;
	struct file *file[]; /* referenced */
};

/** rights_add() - hold the files behind @count descriptors of the current
 * task, behind those in *@rights (NULL: none yet). 0, -EINVAL (too many),
 * -EBADF, -ENOMEM, -ETOOMANYREFS. */
int rights_add(struct rights **rights, const int *fd, uint32_t count);
/** rights_copy() - the same files once more (MSG_PEEK); NULL: no memory. */
struct rights *rights_copy(const struct rights *rights);
/** rights_free() - let go what is still in it; NULL is fine. */
void rights_free(struct rights *rights);
/** rights_take() - the file at @index, whose reference is the caller's from
 * now on. */
struct file *rights_take(struct rights *rights, uint32_t index);

/** rights_collect() - free what is reachable only from sockets under way. To
 * be called when an AF_UNIX socket lost its last descriptor. */
void rights_collect(void);
