/* SPDX-License-Identifier: Apache-2.0 */
/* linux_guest.h - what a guest kernel that is not mote needs beside its file: a
 * process 1 in the initrd, a command line, flags of the plan. */
#pragma once
#include <stdbool.h>

struct image;
struct plan;
struct problem;
struct settings;

#define LINUX_GUEST_NAME "linux" /* --kernel: the one built with us */
#define LINUX_GUEST_INIT "/init" /* where Linux looks in an initrd */

/** linux_guest_wanted() - is the kernel another than mote? */
bool linux_guest_wanted(const struct settings *s);

/** linux_guest_open() - the kernel built by ./dev kernel.
 * @ret_fd: owned by the caller. Return: 0 or negative with @why filled. */
int linux_guest_open(int *ret_fd, struct problem *why);

/** linux_guest_add_init() - process 1 and modules, into an initrd for such a
 * kernel. Return: 0 or negative with @why filled. */
int linux_guest_add_init(struct image *image, const struct settings *s,
			 struct problem *why);

/** linux_guest_fill() - flags and command line of the plan; without such a
 * kernel only the command line that was given.
 * Return: 0 or negative with @why filled. */
int linux_guest_fill(const struct settings *s, struct plan *plan,
		     struct problem *why);
