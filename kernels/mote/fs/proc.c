/* SPDX-License-Identifier: Apache-2.0 */
/* proc.c - /proc and /sys: which names there are, and files of text. The text
 * is made when a file is opened (proctext.h) and kept until it is closed. */
#include <linux/errno.h>

#include "kernels/mote/fs/file.h"
#include "kernels/mote/fs/proctree.h"
#include "kernels/mote/lib/lib.h"
#include "kernels/mote/mm/kmalloc.h"
#include "kernels/mote/mm/uaccess.h"
#include "kernels/mote/proc/process.h"
#include "kernels/mote/proc/uname.h"

#define FILE_R  (S_IFREG | 0444)
#define FILE_RW (S_IFREG | 0644)
#define LINK    (S_IFLNK | 0777)

/* Rows of one directory stand together (proctree.c relies on it). */
static const struct proc_file proc_files[] = {
	{"cgroups", FILE_R,
	 .text = "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"},
	{"cmdline", FILE_R, .text = "\n"},
	{"consoles", FILE_R, .text = ""},
	{"cpuinfo", FILE_R, .make = proctext_cpuinfo},
	{"devices", FILE_R,
	 .text = "Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\n"
		 "Block devices:\n"},
	{"diskstats", FILE_R, .text = ""},
	{"filesystems", FILE_R,
	 .text = "nodev\ttmpfs\nnodev\tproc\nnodev\tsysfs\nnodev\tdevtmpfs\n"
		 "nodev\tdevpts\n"},
	{"interrupts", FILE_R, .text = "           CPU0\n"},
	{"loadavg", FILE_R, .make = proctext_loadavg},
	{"meminfo", FILE_R, .make = proctext_meminfo},
	{"modules", FILE_R, .text = ""},
	{"partitions", FILE_R, .text = "major minor  #blocks  name\n\n"},
	{"softirqs", FILE_R, .make = proctext_softirqs},
	{"stat", FILE_R, .make = proctext_stat},
	{"swaps", FILE_R,
	 .text = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"},
	{"uptime", FILE_R, .make = proctext_uptime},
	{"version", FILE_R, .make = proctext_version},
	{"vmstat", FILE_R, .make = proctext_vmstat},
	{"mounts", LINK, .text = "self/mounts"},
	{"net", LINK, .text = "self/net"},
	{"self", LINK, .ops = &proc_self_link},
	{"thread-self", LINK, .ops = &proc_thread_self_link},
	{"sys/fs/aio-max-nr", FILE_RW, .text = "65536\n"},
	{"sys/fs/file-max", FILE_RW, .text = "1048576\n"},
	{"sys/fs/file-nr", FILE_R, .text = "0\t0\t1048576\n"},
	{"sys/fs/inotify/max_user_instances", FILE_RW, .text = "0\n"},
	{"sys/fs/inotify/max_user_watches", FILE_RW, .text = "0\n"},
	{"sys/fs/nr_open", FILE_RW, .text = "1048576\n"},
	{"sys/fs/pipe-max-size", FILE_RW, .text = "65536\n"},
	{"sys/kernel/cap_last_cap", FILE_R, .text = "40\n"},
	{"sys/kernel/core_pattern", FILE_RW, .text = "core\n"},
	{"sys/kernel/domainname", FILE_RW, .text = "(none)\n"},
	{"sys/kernel/hostname", FILE_RW, .make = proctext_hostname},
	{"sys/kernel/msgmax", FILE_RW, .text = "8192\n"},
	{"sys/kernel/ngroups_max", FILE_R, .text = "65536\n"},
	{"sys/kernel/osrelease", FILE_R, .make = proctext_osrelease},
	{"sys/kernel/ostype", FILE_R, .text = "Linux\n"},
	{"sys/kernel/overflowgid", FILE_RW, .text = "65534\n"},
	{"sys/kernel/overflowuid", FILE_RW, .text = "65534\n"},
	{"sys/kernel/perf_event_paranoid", FILE_RW, .text = "3\n"},
	{"sys/kernel/pid_max", FILE_RW, .text = "32768\n"},
	{"sys/kernel/random/boot_id", FILE_R, .make = proctext_boot_id},
	{"sys/kernel/random/entropy_avail", FILE_R, .text = "256\n"},
	{"sys/kernel/random/poolsize", FILE_R, .text = "256\n"},
	{"sys/kernel/random/uuid", FILE_R, .make = proctext_uuid},
	{"sys/kernel/randomize_va_space", FILE_RW, .text = "2\n"},
	{"sys/kernel/sem", FILE_RW, .text = "32000\t1024000000\t500\t32000\n"},
	{"sys/kernel/shmall", FILE_RW, .text = "18446744073692774399\n"},
	{"sys/kernel/shmmax", FILE_RW, .text = "18446744073692774399\n"},
	{"sys/kernel/shmmni", FILE_RW, .text = "4096\n"},
	{"sys/kernel/threads-max", FILE_RW, .text = "4096\n"},
	{"sys/kernel/version", FILE_R, .text = UNAME_VERSION "\n"},
	{"sys/kernel/yama/ptrace_scope", FILE_RW, .text = "1\n"},
	{"sys/net/core/rmem_max", FILE_RW, .text = "212992\n"},
	{"sys/net/core/somaxconn", FILE_RW, .text = "4096\n"},
	{"sys/net/core/wmem_max", FILE_RW, .text = "212992\n"},
	{"sys/net/ipv4/ip_local_port_range", FILE_RW, .text = "32768\t60999\n"},
	{"sys/net/ipv4/tcp_fastopen", FILE_RW, .text = "0\n"},
	{"sys/vm/max_map_count", FILE_RW, .text = "65530\n"},
	{"sys/vm/mmap_min_addr", FILE_RW, .text = "65536\n"},
	{"sys/vm/nr_hugepages", FILE_RW, .text = "0\n"},
	{"sys/vm/overcommit_memory", FILE_RW, .text = "1\n"},
	{"sys/vm/overcommit_ratio", FILE_RW, .text = "50\n"},
	{"sys/vm/swappiness", FILE_RW, .text = "0\n"},
};

static const struct proc_file process_files[] = {
	{"auxv", S_IFREG | 0400, .make = proctext_auxv},
	{"cgroup", FILE_R, .text = "0::/\n"},
	{"cmdline", FILE_R, .make = proctext_cmdline},
	{"comm", FILE_RW, .ops = &proc_comm_inode},
	{"coredump_filter", FILE_RW, .text = "00000033\n"},
	{"environ", S_IFREG | 0400, .make = proctext_environ},
	{"gid_map", FILE_R, .text = "         0          0 4294967295\n"},
	{"io", S_IFREG | 0400, .make = proctext_io},
	{"limits", FILE_R, .make = proctext_limits},
	{"loginuid", FILE_RW, .text = "4294967295"},
	{"maps", FILE_R, .make = proctext_maps},
	{"mountinfo", FILE_R, .make = proctext_mountinfo},
	{"mounts", FILE_R, .make = proctext_mounts},
	{"oom_adj", FILE_RW, .text = "0\n"},
	{"oom_score", FILE_R, .text = "0\n"},
	{"oom_score_adj", FILE_RW, .text = "0\n"},
	{"personality", S_IFREG | 0400, .text = "00000000\n"},
	{"schedstat", FILE_R, .make = proctext_schedstat},
	{"sessionid", FILE_R, .text = "4294967295"},
	{"setgroups", FILE_RW, .text = "allow\n"},
	{"smaps", FILE_R, .make = proctext_smaps},
	{"smaps_rollup", FILE_R, .make = proctext_smaps_rollup},
	{"stat", FILE_R, .make = proctext_task_stat},
	{"statm", FILE_R, .make = proctext_statm},
	{"status", FILE_R, .make = proctext_status},
	{"uid_map", FILE_R, .text = "         0          0 4294967295\n"},
	{"wchan", FILE_R, .text = "0"},
	{"cwd", LINK, .ops = &proc_cwd_link},
	{"exe", LINK, .ops = &proc_exe_link},
	{"root", LINK, .ops = &proc_root_link},
	{"children", FILE_R, .make = proctext_children},
	{"fd", S_IFDIR | 0500, .ops = &proc_fd_dir},
	{"fdinfo", S_IFDIR | 0500, .ops = &proc_fdinfo_dir},
	{"net/dev", FILE_R,
	 .text = "Inter-|   Receive                            "
		 "                    |  Transmit\n"
		 " face |bytes    packets errs drop fifo frame compressed "
		 "multicast|bytes    packets errs drop fifo colls carrier "
		 "compressed\n"
		 "    lo:       0       0    0    0    0     0          0 "
		 "        0        0       0    0    0    0     0       0 "
		 "         0\n"},
	{"net/if_inet6", FILE_R,
	 .text = "00000000000000000000000000000001 01 80 10 80       lo\n"},
	{"net/route", FILE_R,
	 .text = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\t"
		 "Mask\t\tMTU\tWindow\tIRTT\n"},
	{"net/tcp", FILE_R,
	 .text = "  sl  local_address rem_address   st tx_queue rx_queue tr "
		 "tm->when retrnsmt   uid  timeout inode\n"},
	{"net/udp", FILE_R,
	 .text = "   sl  local_address rem_address   st tx_queue rx_queue tr "
		 "tm->when retrnsmt   uid  timeout inode ref pointer drops\n"},
	{"net/unix", FILE_R,
	 .text = "Num       RefCount Protocol Flags    Type St Inode Path\n"},
	{"task", S_IFDIR | 0555, .ops = &proc_task_dir},
};

static const struct proc_file sys_files[] = {
	{"devices/system/cpu/kernel_max", FILE_R, .text = "7\n"},
	{"devices/system/cpu/online", FILE_R, .make = proctext_cpulist},
	{"devices/system/cpu/possible", FILE_R, .make = proctext_cpulist},
	{"devices/system/cpu/present", FILE_R, .make = proctext_cpulist},
	{"devices/system/node/node0/cpulist", FILE_R, .make = proctext_cpulist},
	{"devices/system/node/node0/meminfo", FILE_R, .make = proctext_meminfo},
	{"devices/system/node/online", FILE_R, .text = "0\n"},
	{"devices/system/node/possible", FILE_R, .text = "0\n"},
	{"kernel/mm/transparent_hugepage/defrag", FILE_R,
	 .text = "always defer defer+madvise madvise [never]\n"},
	{"kernel/mm/transparent_hugepage/enabled", FILE_R,
	 .text = "always madvise [never]\n"},
	{"kernel/mm/transparent_hugepage/hpage_pmd_size", FILE_R,
	 .text = "2097152\n"},
	{"kernel/mm/transparent_hugepage/shmem_enabled", FILE_R,
	 .text = "always within_size advise [never] deny force\n"},
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

/* The thread's name: cut at what fits, the newline of echo(1) left out. */
static long comm_write(struct file *f, struct uio *u, uint64_t pos)
{
	char name[TASK_COMM_BYTES] = "";
	uint64_t bytes = u->left;
	struct process *p;
	struct task *t;
	long n;

	if (!proc_subject(f->inode, &p, &t) || !t)
		return -ESRCH;
	n = uio_copy_in(u, name, MIN(bytes, sizeof(name) - 1));
	if (n < 0)
		return n;
	for (uint32_t i = 0; i < sizeof(name); i++)
		if (name[i] == '\n')
			name[i] = '\0';
	memcpy(t->comm, name, sizeof(name));
	uio_advance(u, u->left);
	return (long)bytes;
}

static void text_release(struct file *f)
{
	struct proc_text *t = f->private;

	kfree(t->text);
	kfree(t);
}

const struct file_ops proc_text_file_ops = {
	.read = text_read, .write = text_write, .release = text_release};
static const struct file_ops comm_ops = {
	.read = text_read, .write = comm_write, .release = text_release};

int proc_text_take(struct file *f, struct text *t)
{
	struct proc_text *kept = t->failed ? NULL : kzalloc(sizeof(*kept));

	if (!kept) {
		kfree(t->start);
		return -ENOMEM;
	}
	*kept = (struct proc_text){t->start, t->bytes};
	f->private = kept;
	f->ops = f->inode->ops->file_ops;
	return 0;
}

static int text_open(struct inode *inode, struct file *f)
{
	uint32_t count;
	const struct proc_file *row = &proc_table(inode, &count)[inode->id];
	struct text t = {0};

	if ((inode->flags & INODE_PROCESS) &&
	    !proc_subject(inode, &t.process, &t.task))
		return -ESRCH;
	if (row->make)
		row->make(&t);
	else
		text_raw(&t, row->text, strlen(row->text));
	return proc_text_take(f, &t);
}

static int comm_open(struct inode *inode, struct file *f)
{
	struct text t = {0};

	if (!proc_subject(inode, &t.process, &t.task))
		return -ESRCH;
	proctext_comm(&t);
	return proc_text_take(f, &t);
}

const struct inode_ops proc_text_inode = {.file_ops = &proc_text_file_ops,
					  .open = text_open};
const struct inode_ops proc_comm_inode = {.file_ops = &comm_ops,
					  .open = comm_open};

const struct proc_file *proc_table(const struct inode *dir, uint32_t *ret_count)
{
	if (dir->flags & INODE_PROCESS) {
		*ret_count = ARRAY_LEN(process_files);
		return process_files;
	}
	if (dir->device == FS_DEVICE_SYS) {
		*ret_count = ARRAY_LEN(sys_files);
		return sys_files;
	}
	*ret_count = ARRAY_LEN(proc_files);
	return proc_files;
}
