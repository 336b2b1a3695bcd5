/* SPDX-License-Identifier: Apache-2.0 */
/* device_port.h - further ports of the console: --port NAME,in=FILE and
 * --port NAME,out=FILE. */
#pragma once

struct device_set;
struct problem;
struct settings;

/** port_option_check() - Return: NULL or what is wrong with the option's value,
 * to be read after "'VALUE' ". */
const char *port_option_check(const char *value);

/** device_port_open() - open what the options name, as the user.
 * Return: 0 or negative with @why. */
int device_port_open(struct device_set *set, const struct settings *s,
		     struct problem *why);
