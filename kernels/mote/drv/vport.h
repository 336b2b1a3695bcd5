/* SPDX-License-Identifier: Apache-2.0 */
/* vport.h - further ports of the console as files: /dev/vport0p3, ... and their
 * names in /dev/virtio-ports. */
#pragma once

struct inode;
struct name;

/** vport_refresh() - their names in /dev: see inode_ops.refresh. */
void vport_refresh(struct inode *dir, const struct name *wanted);
