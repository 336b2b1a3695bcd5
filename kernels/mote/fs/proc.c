/* SPDX-License-Identifier: Apache-2.0 */
/* proc.c - /proc and /sys: which names there are, and files of text. The text
 * is made when a file is opened (proctext.c) and kept until it is closed. */
#include <linux/errno.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/proctree.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"

/* Rows of one directory stand together (proctree.c relies on it). */
static const struct proc_file proc_files[] = {
	{"1/auxv", S_IFREG | 0400, .make = proctext_auxv},
	{"1/cmdline", S_IFREG | 0444, .make = proctext_cmdline},
	{"1/comm", S_IFREG | 0644, .make = proctext_comm},
	{"1/environ", S_IFREG | 0400, .make = proctext_environ},
	{"1/limits", S_IFREG | 0444, .make = proctext_limits},
	{"1/maps", S_IFREG | 0444, .make = proctext_maps},
	{"1/mountinfo", S_IFREG | 0444, .make = proctext_mountinfo},
	{"1/mounts", S_IFREG | 0444, .make = proctext_mounts},
	{"1/oom_score", S_IFREG | 0444, .text = "0\n"},
	{"1/oom_score_adj", S_IFREG | 0644, .text = "0\n"},
	{"1/stat", S_IFREG | 0444, .make = proctext_task_stat},
	{"1/statm", S_IFREG | 0444, .make = proctext_statm},
	{"1/status", S_IFREG | 0444, .make = proctext_status},
	{"1/cwd", S_IFLNK | 0777, .ops = &proc_cwd_link},
	{"1/exe", S_IFLNK | 0777, .ops = &proc_exe_link},
	{"1/fd", S_IFDIR | 0500, .ops = &proc_fd_dir},
	{"1/root", S_IFLNK | 0777, .ops = &proc_root_link},
	{"1/task/1/comm", S_IFREG | 0644, .make = proctext_comm},
	{"1/task/1/stat", S_IFREG | 0444, .make = proctext_task_stat},
	{"1/task/1/status", S_IFREG | 0444, .make = proctext_status},
	{"cmdline", S_IFREG | 0444, .text = "\n"},
	{"cpuinfo", S_IFREG | 0444, .make = proctext_cpuinfo},
	{"filesystems", S_IFREG | 0444, .text = "nodev\ttmpfs\nnodev\tproc\n"},
	{"loadavg", S_IFREG | 0444, .text = "0.00 0.00 0.00 1/1 1\n"},
	{"meminfo", S_IFREG | 0444, .make = proctext_meminfo},
	{"stat", S_IFREG | 0444, .make = proctext_stat},
	{"uptime", S_IFREG | 0444, .make = proctext_uptime},
	{"version", S_IFREG | 0444, .make = proctext_version},
	{"mounts", S_IFLNK | 0777, .text = "self/mounts"},
	{"self", S_IFLNK | 0777, .text = "1"},
	{"thread-self", S_IFLNK | 0777, .text = "1/task/1"},
	{"sys/fs/file-max", S_IFREG | 0644, .text = "1048576\n"},
	{"sys/fs/nr_open", S_IFREG | 0644, .text = "1048576\n"},
	{"sys/fs/pipe-max-size", S_IFREG | 0644, .text = "65536\n"},
	{"sys/kernel/cap_last_cap", S_IFREG | 0444, .text = "40\n"},
	{"sys/kernel/hostname", S_IFREG | 0644, .make = proctext_hostname},
	{"sys/kernel/ngroups_max", S_IFREG | 0444, .text = "65536\n"},
	{"sys/kernel/osrelease", S_IFREG | 0444, .make = proctext_osrelease},
	{"sys/kernel/ostype", S_IFREG | 0444, .text = "Linux\n"},
	{"sys/kernel/pid_max", S_IFREG | 0644, .text = "32768\n"},
	{"sys/kernel/random/boot_id", S_IFREG | 0444, .make = proctext_boot_id},
	{"sys/kernel/random/entropy_avail", S_IFREG | 0444, .text = "256\n"},
	{"sys/kernel/random/uuid", S_IFREG | 0444, .make = proctext_uuid},
	{"sys/kernel/version", S_IFREG | 0444, .make = proctext_version},
	{"sys/vm/max_map_count", S_IFREG | 0644, .text = "65530\n"},
	{"sys/vm/mmap_min_addr", S_IFREG | 0644, .text = "65536\n"},
	{"sys/vm/overcommit_memory", S_IFREG | 0644, .text = "1\n"},
};

static const struct proc_file sys_files[] = {
	{"devices/system/cpu/online", S_IFREG | 0444, .text = "0\n"},
	{"devices/system/cpu/possible", S_IFREG | 0444, .text = "0\n"},
	{"devices/system/cpu/present", S_IFREG | 0444, .text = "0\n"},
	{"kernel/mm/transparent_hugepage/enabled", S_IFREG | 0444,
	 .text = "always madvise [never]\n"},
};

/* Text of an open file. */
struct proc_text {
	char *text;
	uint64_t bytes;
};

static long text_read(struct file *f, struct uio *u, uint64_t pos)
{
	const struct proc_text *t = f->private;

	if (pos >= t->bytes || !u->left)
		return 0;
	return uio_copy_out(u, t->text + pos, MIN(u->left, t->bytes - pos));
}

/* A program may set what it likes; nothing here depends on it. */
static long text_write(struct file *f, struct uio *u, uint64_t pos)
{
	uint64_t bytes = u->left;

	uio_advance(u, bytes);
	return (long)bytes;
}

static void text_release(struct file *f)
{
	struct proc_text *t = f->private;

	kfree(t->text);
	kfree(t);
}

static const struct file_ops text_ops = {
	.read = text_read, .write = text_write, .release = text_release};

static int make_text(const struct proc_file *pf, struct proc_text *t)
{
	struct text text = {0};

	if (pf->make)
		pf->make(&text);
	else
		text_add(&text, "%s", pf->text);
	if (text.failed) {
		kfree(text.start);
		return -ENOMEM;
	}
	t->text = text.start;
	t->bytes = text.bytes;
	return 0;
}

static int text_open(struct inode *inode, struct file *f)
{
	uint32_t count;
	const struct proc_file *table =
		proc_table((enum inode_device)inode->device, &count);
	struct proc_text *t = kzalloc(sizeof(*t));
	int err = t ? make_text(&table[inode->id], t) : -ENOMEM;

	if (err)
		kfree(t);
	else
		f->private = t;
	return err;
}

const struct inode_ops proc_text_inode = {.file_ops = &text_ops,
					  .open = text_open};

const struct proc_file *proc_table(enum inode_device device,
				   uint32_t *ret_count)
{
	if (device == FS_DEVICE_SYS) {
		*ret_count = ARRAY_LEN(sys_files);
		return sys_files;
	}
	*ret_count = ARRAY_LEN(proc_files);
	return proc_files;
}
