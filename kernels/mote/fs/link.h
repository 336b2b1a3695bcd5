/* SPDX-License-Identifier: Apache-2.0 */
/* link.h - names that other parts of the kernel make in the tree. */
#pragma once
struct inode;

/** link_make_socket() - a socket's file at @text (see name.h for its slack),
 * with permissions from the umask; its ->private is NULL. The inode is
 * borrowed (node.h). 0, -EEXIST, -errno as mknod(2). */
int link_make_socket(const char *text, struct inode **ret);
