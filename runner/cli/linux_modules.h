/* SPDX-License-Identifier: Apache-2.0 */
/* linux_modules.h - the drivers that a distribution's kernel keeps in modules,
 * put into the initrd for kernels/linux/init to load. */
#pragma once

struct image;
struct problem;
struct settings;

#define LINUX_MODULES_LIST                                                     \
	"/ampoule.modules" /* paths, in order, one a line                      \
			    */

/** linux_modules_add() - those a VM of ours needs, as far as they are there:
 * what is not may be built into the kernel.
 * @dir: "/lib/modules/VERSION" or the like. Return: 0 or negative with @why
 * filled. */
int linux_modules_add(struct image *image, const struct settings *s,
		      const char *dir, struct problem *why);
