/* SPDX-License-Identifier: Apache-2.0 */
/* devmem.c - /dev/mem, for mmap(2) only: the page at offset n is the physical
 * page n. Trusts: whoever may open it, with this whole VM. */
#include "kernels/mote/fs/devmem.h"

#include <linux/errno.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/node.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/page.h"

#define WORD    "devmem"
#define PA_BITS 36 /* the least that a CPU with 64-bit paging has */

static bool on;

void devmem_init(const char *cmdline)
{
	const size_t len = sizeof(WORD) - 1;

	for (const char *s = cmdline; s; s = strchr(s, ' ')) {
		s += *s == ' ';
		if (!strncmp(s, WORD, len) && (s[len] == ' ' || !s[len]))
			on = true;
	}
}

bool devmem_is_on(void)
{
	return on;
}

static int mem_map(struct file *f, uint64_t index, bool shared_write,
		   uint64_t *ret_pa)
{
	if (index >> (PA_BITS - PAGE_SHIFT))
		return -EIO;
	/* Of a page that was handed out, the mapping is one more user. */
	page_ref(index << PAGE_SHIFT);
	*ret_pa = index << PAGE_SHIFT;
	return 0;
}

static const struct file_ops mem_ops = {.map_page = mem_map};

const struct inode_ops devmem_inode_ops = {.file_ops = &mem_ops};
