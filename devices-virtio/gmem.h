/* SPDX-License-Identifier: Apache-2.0 */
/* gmem.h - guest memory: the one door through which a guest address becomes
 * host bytes. Trusts: the regions it was given at set-up. Must not: interpret
 * content, follow guest pointers, or hand out a span that is not wholly RAM.
 *
 *   gpa 0            PLAN_GAP_START   PLAN_GAP_END
 *   | region 0: RAM  |  devices, hole  | region 1: RAM ... | pmem ...
 *
 * Regions are added during set-up only and never change while the guest runs,
 * so reading the table needs no lock. Guest CPUs write the bytes behind it at
 * any time: whoever needs a value twice copies it once with gm_read(). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define GM_REGIONS_MAX 10u /* two of RAM, eight files */

typedef struct {
	uint64_t v;
} gpa_t; /* guest-physical address; never convertible to a pointer by cast */

struct gm_region {
	uint64_t gpa;
	uint64_t bytes;
	uint8_t *hva;   /* borrowed: the mapping outlives the gmem */
	bool read_only; /* a device may take bytes from it, never store */
};

struct gmem {
	unsigned count;
	struct gm_region region[GM_REGIONS_MAX];
};

static inline gpa_t gpa(uint64_t v)
{
	return (gpa_t){v};
}

/** gm_init() - an empty guest memory. */
void gm_init(struct gmem *gm);

/** gm_add_region() - declare @bytes of RAM at guest address @gpa.
 * @hva: the host mapping, borrowed. Phase: set-up.
 * Return: 0; -EINVAL empty, wrapping or overlapping; -ENOSPC table full. */
int gm_add_region(struct gmem *gm, gpa_t gpa, uint64_t bytes, void *hva);

/** gm_add_read_only() - the same for memory that nobody may write, the guest
 * included: devices take requests' data from it, but rings, indirect tables and
 * whatever a device stores have to lie elsewhere. */
int gm_add_read_only(struct gmem *gm, gpa_t gpa, uint64_t bytes, void *hva);

/** gm_read() - copy guest bytes out, once (a compiler barrier follows).
 * Return: 0, or -EFAULT when the span is not wholly inside one region;
 * @dst is untouched then. */
int gm_read(const struct gmem *gm, gpa_t src, void *dst, size_t len);

/** gm_write() - copy host bytes into the guest. Return: 0, or -EFAULT, also
 * for read-only memory. */
int gm_write(const struct gmem *gm, gpa_t dst, const void *src, size_t len);

/** gm_iov() - map a checked span for bulk I/O by the kernel.
 * @ret: base and length; the content must never be interpreted through it.
 * Return: 0, or -EFAULT for an empty span or one not wholly RAM that can be
 * written. */
int gm_iov(const struct gmem *gm, gpa_t at, size_t len, struct iovec *ret);

/** gm_iov_source() - the same for a span that is only read from: read-only
 * memory will do. */
int gm_iov_source(const struct gmem *gm, gpa_t at, size_t len,
		  struct iovec *ret);

/** gm_load16() - load-acquire a little-endian 16-bit field, 2-aligned.
 * Return: 0, or -EFAULT not RAM or misaligned. */
int gm_load16(const struct gmem *gm, gpa_t at, uint16_t *ret);

/** gm_store16() - store-release a 16-bit field. Return: 0 or -EFAULT. */
int gm_store16(const struct gmem *gm, gpa_t at, uint16_t value);

/** gm_iov_read() - gather up to @len bytes from spans of gm_iov(), once.
 * Return: bytes copied, less than @len when the spans are shorter. */
size_t gm_iov_read(const struct iovec *iov, unsigned count, void *dst,
		   size_t len);

/** gm_iov_write() - scatter up to @len bytes over spans of gm_iov().
 * Return: bytes copied. */
size_t gm_iov_write(const struct iovec *iov, unsigned count, const void *src,
		    size_t len);

/** gm_iov_skip() - what is left of spans behind their first @skip bytes.
 * @ret: room for @count. Return: how many spans that are. */
unsigned gm_iov_skip(const struct iovec *iov, unsigned count, size_t skip,
		     struct iovec *ret);

/** gm_touch() - read a byte of each page of spans of gm_iov(). For who was told
 * -EFAULT by the kernel: where a page is missing (a file that became shorter,
 * no memory left), this ends in SIGBUS, whose handler tells why. */
void gm_touch(const struct iovec *iov, unsigned count);
