/* SPDX-License-Identifier: Apache-2.0 */
/* shmem.c - memory that several address spaces share: a file without a name,
 * which lives as long as something maps it. */
#include <linux/errno.h>
#include <linux/fcntl.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/fs/regular.h"

int file_new_shared(uint64_t bytes, struct file **ret)
{
	struct inode *inode = inode_new(S_IFREG | 0777, &regular_inode_ops);
	int err;

	if (!inode)
		return -ENOMEM;
	err = regular_truncate(inode, bytes);
	if (!err)
		err = file_new(inode, O_RDWR | O_LARGEFILE, ret);
	if (err)
		inode_put_new(inode);
	return err;
}
