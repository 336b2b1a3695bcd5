/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - what the owner of a host decides for all VMs on it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define CONFIG_PATH "/etc/ampoule/ampoule.conf"

struct problem;

struct config {
	uint32_t uid_first, uid_last; /* one of them for each VM */
};

/** config_parse() - lines "KEY = VALUE", '#' starts a comment.
 * Return: 0; -EINVAL with @why: line, column and what is wrong there. */
int config_parse(const char *text, size_t bytes, struct config *ret,
		 struct problem *why);

/** config_read() - the file at CONFIG_PATH; without one, the defaults. */
int config_read(struct config *ret, struct problem *why);
