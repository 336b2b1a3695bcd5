/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - the one binary message that describes a VM. Written by the control
 * plane, completed by the jailer, checked again by the VMM, which trusts no
 * field of it. Wire format: fixed size, little-endian, no pointers.
 *
 *   ampoule  fills everything but fds[PLAN_FD_KVM], seals it in a memfd
 *   jailer   reads it from fd PLAN_FD_NUMBER, opens what is missing, writes
 *            the completed plan into a fresh sealed memfd on the same number
 *   vmm      reads it from PLAN_FD_NUMBER, plan_check(), closes it
 */
#pragma once
#include <stdint.h>

#define PLAN_MAGIC         0x4e414c5045504d41ull /* "AMPEPLAN" */
#define PLAN_VERSION       4u
#define PLAN_FD_NUMBER     3 /* the plan's own fd in jailer and VMM */
#define PLAN_NAME_BYTES    64u
#define PLAN_CMDLINE_BYTES 2048u
#define PLAN_SEGMENTS_MAX  16u
#define PLAN_DEVICES_MAX   16u
#define PLAN_DEVICE_FDS    32u /* of all devices together */
#define PLAN_CPUS_MAX      64u
#define PLAN_CGROUPS       4 /* memory, pids, cpu, io; one where they are one */
#define PLAN_PIDS_MIN      4u
#define PLAN_PIDS_MAX      1024u
#define PLAN_FILES_MIN     48u
#define PLAN_FILES_MAX     1024u /* of a profile */
#define PLAN_FILES_ALL     2048u /* and with what devices need besides */
#define PLAN_MEM_MIN_BYTES (1ull << 20)
#define PLAN_MEM_MAX_BYTES (512ull << 30)

/* Guest-physical map. RAM fills [0, PLAN_GAP_START) first and goes on at
 * PLAN_GAP_END; the gap holds devices and the local APIC. */
#define PLAN_GAP_START   0xc0000000ull
#define PLAN_GAP_END     0x100000000ull
#define PLAN_MMIO_BASE   0xd0000000ull /* device n: + n * PLAN_MMIO_STRIDE */
#define PLAN_MMIO_STRIDE 0x1000ull
#define PLAN_VECTOR_BASE 0x30u /* device n raises vector + n */

/* With PLAN_FLAG_PCI, instead, for all but the harness: bus 0 of PCI segment
 * 0, device n in slot n + 1 (slot 0 is the host bridge). The configuration
 * space of function (slot, 0) is at PLAN_ECAM_BASE + slot * 0x8000 (PCI
 * Express base 7.2.2); memory BARs are decoded within the window only. */
#define PLAN_ECAM_BASE  0xe0000000ull
#define PLAN_ECAM_BYTES 0x100000ull /* one bus */
#define PLAN_PCI_BASE   0xe1000000ull
#define PLAN_PCI_BYTES  0x1000000ull

/* Files mapped into the guest (PLAN_DEVICE_PMEM) lie above RAM and the gap. */
#define PLAN_PMEM_ALIGN 0x200000ull
#define PLAN_PMEM_END   (1ull << 46) /* what KVM maps with 4-level tables */
#define PLAN_PMEM_MAX   8u           /* of them in a VM */

#define PLAN_BOOT_BYTES 0x40000ull /* RAM from 0 on: the VMM's boot data */

/* fds a process inherits, by role; -1 is none. Numbers are >= 4. */
enum plan_fd {
	PLAN_FD_KVM,    /* /dev/kvm, opened by the jailer */
	PLAN_FD_VMM,    /* the VMM's executable; closed by execveat */
	PLAN_FD_KERNEL, /* kernel ELF file or unpacked payload */
	PLAN_FD_INITRD, /* sealed memfd */
	PLAN_FD_REPORT, /* SOCK_SEQPACKET to the control plane: report.h */
	PLAN_FD_STDIN,  /* the program's streams */
	PLAN_FD_STDOUT,
	PLAN_FD_STDERR,
	PLAN_FD_CGROUP, /* four: where "0" makes a process a member */
	PLAN_FD_SLOT =
		PLAN_FD_CGROUP + PLAN_CGROUPS, /* locked while it lives */
	PLAN_FD_CONTROL, /* SOCK_SEQPACKET from the control plane: control.h */
	PLAN_FD_DEVICE,  /* those of the devices; plan_device.fd_first */
	PLAN_FD_COUNT = PLAN_FD_DEVICE + PLAN_DEVICE_FDS
};

/* How the VMM may use a stream's fd without ever blocking on it. */
enum plan_stream_kind {
	PLAN_STREAM_NONE = 0,     /* closed: EOF or EPIPE at once */
	PLAN_STREAM_FILE = 1,     /* regular file or /dev/null: never blocks */
	PLAN_STREAM_NONBLOCK = 2, /* own file description with O_NONBLOCK */
	PLAN_STREAM_SOCKET = 3,   /* recvmsg/sendmsg with MSG_DONTWAIT */
	PLAN_STREAM_BLOCKING = 4, /* poll first, at most PIPE_BUF a write */
};

struct plan_segment { /* bytes of an fd placed in guest memory */
	uint64_t gpa;
	uint64_t file_offset;
	uint64_t file_bytes;
	uint64_t mem_bytes; /* >= file_bytes; the rest is zero */
	uint32_t fd;        /* enum plan_fd: KERNEL or INITRD */
	uint32_t reserved;
};

enum plan_device_kind {
	PLAN_DEVICE_NONE = 0,
	PLAN_DEVICE_HARNESS = 1,
	PLAN_DEVICE_CONSOLE = 2,
	PLAN_DEVICE_RNG = 3,
	PLAN_DEVICE_BLOCK = 4,
	PLAN_DEVICE_NET = 5,
	PLAN_DEVICE_VSOCK = 6,
	PLAN_DEVICE_PMEM = 7,
	PLAN_DEVICE_BALLOON = 8,
	PLAN_DEVICE_KINDS
};

enum plan_overlay {              /* where what is written to a disk goes */
	PLAN_OVERLAY_NONE = 0,   /* to the disk itself */
	PLAN_OVERLAY_MEMORY = 1, /* gone with the VM */
	PLAN_OVERLAY_FILE = 2,   /* base/abi/overlay.h */
};

enum plan_block_engine {
	PLAN_ENGINE_AUTO = 0, /* io_uring where there is one */
	PLAN_ENGINE_URING = 1,
	PLAN_ENGINE_THREADS = 2,
};

#define PLAN_BLOCK_READ_ONLY    1u           /* a flag of PLAN_DEVICE_BLOCK */
#define PLAN_BLOCK_BYTES_MAX    (1ull << 46) /* 64 TiB */
#define PLAN_BLOCK_SERIAL_BYTES 20u
#define PLAN_BLOCK_SECTOR       512u

struct plan_rate {           /* base/bucket.h */
	uint64_t per_second; /* 0: no limit */
	uint64_t burst;      /* 0: what a second brings */
};

#define PLAN_PMEM_PRIVATE 1u /* flag: the guest writes a copy of its own */

/* A file as memory of the guest: its one fd, from byte 0 on. */
struct plan_pmem {
	uint64_t gpa;        /* multiple of PLAN_PMEM_ALIGN, above RAM */
	uint64_t file_bytes; /* > 0 */
	uint64_t map_bytes;  /* file_bytes rounded up to PLAN_PMEM_ALIGN */
};

#define PLAN_PORTS_MAX  4u
#define PLAN_PORT_BYTES 24u

/* Further ports of the console; the fd of each is the device's, in order. */
struct plan_console {
	uint64_t count; /* = fd_count */
	struct plan_port {
		char name[PLAN_PORT_BYTES]; /* [a-zA-Z0-9._-], NUL-padded */
		uint32_t kind;              /* enum plan_stream_kind */
		uint32_t in;                /* 1: host to guest, 0: back */
	} port[PLAN_PORTS_MAX];
};

struct plan_rng {
	struct plan_rate bytes;
};

struct plan_balloon {
	uint64_t target_bytes; /* at the start; whole pages */
};

struct plan_block {     /* fds: the disk or the base; the overlay's file */
	uint64_t bytes; /* of the disk, a multiple of PLAN_BLOCK_SECTOR */
	struct plan_rate rate_bytes, rate_ops;
	uint32_t overlay;                     /* enum plan_overlay */
	uint32_t engine;                      /* enum plan_block_engine */
	char serial[PLAN_BLOCK_SERIAL_BYTES]; /* printable, padded with 0 */
	uint32_t reserved;                    /* 0 */
};

#define PLAN_NET_OFFLOADS 1u /* flag: the host checksums and segments */
#define PLAN_NET_USO      2u /* flag: UDP, too */
#define PLAN_NET_PAIRS    7u
#define PLAN_NET_RATES    4u
#define PLAN_NET_MTU_MIN  68u
#define PLAN_NET_MTU_MAX  65520u

enum plan_net_link { /* what its fds are: devices-virtio/net_link.h */
	PLAN_NET_TAP = 1,
	PLAN_NET_SEQPACKET = 2,
	PLAN_NET_STREAM = 3,
};

/* A network: its first fd is the policy (base/net_policy.h), then one for each
 * queue pair. */
struct plan_net {
	uint8_t mac[6];
	uint16_t mtu;
	uint32_t link; /* enum plan_net_link */
	uint32_t reserved;
	/* from the guest: bytes, packets; to it: bytes, packets */
	struct plan_rate rate[PLAN_NET_RATES];
};

/* Its fd is a SOCK_SEQPACKET to the helper: vsock_wire.h. */
struct plan_vsock {
	uint64_t cid;         /* of the guest, VSOCK_CID_MIN to _MAX */
	uint32_t connections; /* 1 to VSOCK_CONNECTIONS_MAX */
	uint32_t reserved;    /* 0 */
};

/* One device. What a kind needs beside its fds is a member of u, made of
 * fixed-size integers; a kind that needs nothing leaves it zero. */
struct plan_device {
	uint32_t kind;     /* enum plan_device_kind */
	uint32_t flags;    /* of the kind; 0 where it has none */
	uint32_t fd_first; /* enum plan_fd from PLAN_FD_DEVICE on; 0: none */
	uint32_t fd_count;
	union {
		uint64_t raw[30]; /* as large as a member may become */
		struct plan_net net;
		struct plan_pmem pmem;
		struct plan_console console;
		struct plan_rng rng;
		struct plan_balloon balloon;
		struct plan_block block;
		struct plan_vsock vsock;
	} u;
};

#define PLAN_FLAG_TRACE      1u /* send the timeline in the end */
#define PLAN_FLAG_FOREGROUND 2u /* die with the parent */
#define PLAN_FLAG_LEARN      4u /* report forbidden calls, and make them */
/* It is pid 1 of a new pid namespace, and may make the others. */
#define PLAN_FLAG_NAMESPACES 8u
#define PLAN_FLAG_OWN_ID     16u /* become uid and gid below */
#define PLAN_FLAG_CONFIRM    32u /* report when the VM is built */
/* What the jailer asks of the kernel for it, where the kernel can. */
#define PLAN_FLAG_NO_STORE_BYPASS    64u
#define PLAN_FLAG_NO_INDIRECT_BRANCH 128u
#define PLAN_FLAG_L1D_FLUSH          256u
#define PLAN_FLAG_OWN_CORE           512u  /* shared with nobody meanwhile */
#define PLAN_FLAG_PCI                1024u /* devices on PCI, not mmio */
/* For kernels that are not ours: ACPI, an I/O APIC, a panic device; and a
 * serial port, which needs the former. */
#define PLAN_FLAG_ACPI   2048u
#define PLAN_FLAG_SERIAL 4096u
#define PLAN_FLAG_PVH    8192u  /* entry_gpa is PVH's, of 32 bits */
#define PLAN_FLAG_KASLR  16384u /* the kernel lies where chance said */
/* No program of ours, a whole system: what the host asks is its power button,
 * which needs ACPI, too. */
#define PLAN_FLAG_SYSTEM 32768u

#define PLAN_CPUID_MAX 64u

/* One register of CPUID, and what of it the guest may see: bits that the host
 * has and @keep has, too. Which registers: plan_cpuid.h. */
struct plan_cpuid {
	uint32_t function, index; /* leaf and subleaf */
	uint32_t reg;             /* enum plan_cpuid_reg */
	uint32_t keep;
};

struct plan {
	uint64_t magic;
	uint32_t version;
	uint32_t total_bytes; /* sizeof(struct plan) */
	uint32_t flags;
	uint32_t log_level;         /* enum log_level */
	char name[PLAN_NAME_BYTES]; /* [a-zA-Z0-9._-], NUL-terminated */
	uint64_t mem_bytes;         /* multiple of 4096 */
	uint32_t cpus;
	uint32_t uid, gid; /* the VM's own, 0 without PLAN_FLAG_OWN_ID */
	uint32_t segment_count;
	uint32_t pids_max, files_max; /* threads and fds of the VMM */
	uint64_t time_limit_ns;       /* 0: none */
	uint64_t grace_ns;            /* from SIGTERM to its end; 0: none */
	uint64_t entry_gpa;           /* 64-bit, or PLAN_FLAG_PVH's */
	uint64_t initrd_gpa;          /* 0: none */
	uint64_t initrd_bytes;
	struct plan_segment segment[PLAN_SEGMENTS_MAX];
	uint32_t device_count; /* device n at PLAN_MMIO_BASE + n * stride */
	uint32_t cpuid_count;  /* 0: all that the host's KVM offers */
	struct plan_device device[PLAN_DEVICES_MAX];
	struct plan_cpuid cpuid[PLAN_CPUID_MAX]; /* a register at most once */
	uint32_t stream_kind[3];                 /* enum plan_stream_kind */
	uint16_t tty_rows, tty_cols;
	int32_t fd[PLAN_FD_COUNT];
	uint32_t cmdline_bytes; /* without NUL, < PLAN_CMDLINE_BYTES */
	char cmdline[PLAN_CMDLINE_BYTES];
};

/** plan_check() - is every field of a plan in range and consistent?
 * @plan: private copy of the bytes (not shared memory).
 * @ret_why: set on failure to a static sentence that names the field.
 * KVM and VMM may be missing (-1): each process asks for those it needs.
 * Return: 0, or -EINVAL. Touches no fd: the caller checks types by fstat. */
int plan_check(const struct plan *plan, const char **ret_why);

/** plan_read() - copy and check a plan from a memfd.
 * Return: 0; -EINVAL with @ret_why; -errno of pread(2). The fd must be a
 * memfd sealed against writing and shrinking (-EPERM). */
int plan_read(int fd, struct plan *ret_plan, const char **ret_why);

/** plan_seal() - write a plan to a new sealed memfd.
 * @ret_fd: owned by the caller, O_CLOEXEC. Return: 0 or -errno. */
int plan_seal(const struct plan *plan, int *ret_fd);
