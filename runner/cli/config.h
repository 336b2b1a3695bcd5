/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - what the owner of a host decides for all VMs on it. */
#pragma once
#include <stdbool.h>
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

void config_defaults(struct config *ret);

/** config_is_sane() - could config_parse() have made this? */
bool config_is_sane(const struct config *config);

/** config_load() - the file at CONFIG_PATH, read in a child (parser.h);
 * without one, the defaults. Return: 0, or -EINVAL with @why filled. */
int config_load(struct config *ret, struct problem *why);
