/* SPDX-License-Identifier: Apache-2.0 */
/* user.h - who "USER[:GROUP]" of an image's configuration is, by its own
 * /etc/passwd and /etc/group. Pure. */
#pragma once
#include <stdint.h>

/** user_resolve() - names or numbers. @passwd, @group: texts; NULL: none.
 * Without a group it is the user's own, or 0 for a number that is not listed.
 * Return: 0; -ENOENT: there is no such name. Outputs untouched on failure. */
int user_resolve(const char *user, const char *passwd, const char *group,
		 uint32_t *ret_uid, uint32_t *ret_gid);
