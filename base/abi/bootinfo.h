/* SPDX-License-Identifier: Apache-2.0 */
/* bootinfo.h - what Ampoule's VMM tells a kernel that knows it, beyond the
 * Linux 64-bit boot protocol: where the devices are. Interface only.
 *
 * It travels as one struct setup_data node (Linux boot protocol 2.09, field
 * setup_data) of type BOOTINFO_SETUP_TYPE; other kernels skip unknown types.
 * A second node, type SETUP_RNG_SEED (9), carries random bytes, which the
 * guest's generator starts with.
 * A kernel that was entered by PVH finds the same list of nodes at
 * BOOTINFO_PVH_GPA, in memory that its map calls reserved; the first node is
 * ours there, or there is none.
 * All values little-endian, gpa = guest-physical address. */
#pragma once
#include <stdint.h>

#define BOOTINFO_SETUP_TYPE  0x41504d4fu
#define BOOTINFO_SEED_TYPE   9u /* SETUP_RNG_SEED */
#define BOOTINFO_SEED_BYTES  128u
#define BOOTINFO_PVH_GPA     0xee000ull
#define BOOTINFO_VERSION     2u
#define BOOTINFO_DEVICES_MAX 16u
#define BOOTINFO_CPUS_MAX    8u /* that mote uses */

struct bootinfo_device {
	uint64_t gpa;       /* virtio-mmio registers, one page */
	uint32_t vector;    /* MSI vector the device raises on vCPU 0 */
	uint32_t device_id; /* virtio device id, HARNESS_DEVICE_ID included */
};

struct bootinfo {
	uint32_t version;
	uint32_t cpus; /* local APIC ids 0 .. cpus-1 */
	uint32_t device_count;
	uint32_t reserved; /* 0 */
	struct bootinfo_device device[BOOTINFO_DEVICES_MAX];
};
