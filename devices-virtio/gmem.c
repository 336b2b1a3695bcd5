/* SPDX-License-Identifier: Apache-2.0 */
/* gmem.c - checked access to guest memory. Trusts: the region table. Must not:
 * let a span that leaves its region through, whatever the arithmetic. */
#include "devices-virtio/gmem.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/ckd.h"

/* The guest writes its memory while we copy: what was copied must not be
 * fetched a second time by an optimiser that believes it unchanged. */
static inline void copied_once(void)
{
	__asm__ volatile("" ::: "memory");
}

enum use {
	LOAD,
	STORE
};

/** gm_span() - the host bytes of [at, at + len), or NULL when they are not
 * wholly in one region, or in one that is not for @use. Everything in this file
 * goes through here. */
static uint8_t *gm_span(const struct gmem *gm, gpa_t at, size_t len,
			enum use use)
{
	for (unsigned i = 0; i < gm->count; i++) {
		const struct gm_region *r = &gm->region[i];
		uint64_t off;

		if (ckd_sub(&off, at.v, r->gpa))
			continue;
		if (len <= r->bytes && off <= r->bytes - len)
			return use == STORE && r->read_only ? NULL
							    : r->hva + off;
	}
	return NULL;
}

void gm_init(struct gmem *gm)
{
	memset(gm, 0, sizeof(*gm));
}

static bool regions_overlap(const struct gm_region *a, uint64_t gpa,
			    uint64_t end)
{
	return gpa < a->gpa + a->bytes && a->gpa < end;
}

static int add(struct gmem *gm, const struct gm_region *new)
{
	uint64_t end;

	if (!new->bytes || !new->hva || ckd_add(&end, new->gpa, new->bytes))
		return -EINVAL;
	for (unsigned i = 0; i < gm->count; i++) {
		if (regions_overlap(&gm->region[i], new->gpa, end))
			return -EINVAL;
	}
	if (gm->count == GM_REGIONS_MAX)
		return -ENOSPC;
	gm->region[gm->count++] = *new;
	return 0;
}

int gm_add_region(struct gmem *gm, gpa_t gpa, uint64_t bytes, void *hva)
{
	return add(gm, &(struct gm_region){gpa.v, bytes, hva, false});
}

int gm_add_read_only(struct gmem *gm, gpa_t gpa, uint64_t bytes, void *hva)
{
	return add(gm, &(struct gm_region){gpa.v, bytes, hva, true});
}

int gm_read(const struct gmem *gm, gpa_t src, void *dst, size_t len)
{
	const uint8_t *p = gm_span(gm, src, len, LOAD);

	if (!p)
		return -EFAULT;
	memcpy(dst, p, len);
	copied_once();
	return 0;
}

int gm_write(const struct gmem *gm, gpa_t dst, const void *src, size_t len)
{
	uint8_t *p = gm_span(gm, dst, len, STORE);

	if (!p)
		return -EFAULT;
	memcpy(p, src, len);
	return 0;
}

int gm_iov(const struct gmem *gm, gpa_t at, size_t len, struct iovec *ret)
{
	uint8_t *p = len ? gm_span(gm, at, len, STORE) : NULL;

	if (!p)
		return -EFAULT;
	*ret = (struct iovec){.iov_base = p, .iov_len = len};
	return 0;
}

int gm_iov_source(const struct gmem *gm, gpa_t at, size_t len,
		  struct iovec *ret)
{
	uint8_t *p = len ? gm_span(gm, at, len, LOAD) : NULL;

	if (!p)
		return -EFAULT;
	*ret = (struct iovec){.iov_base = p, .iov_len = len};
	return 0;
}

int gm_load16(const struct gmem *gm, gpa_t at, uint16_t *ret)
{
	const uint8_t *p = gm_span(gm, at, sizeof(*ret), LOAD);

	if (!p || (uintptr_t)p % sizeof(*ret))
		return -EFAULT;
	*ret = __atomic_load_n((const uint16_t *)(const void *)p,
			       __ATOMIC_ACQUIRE);
	return 0;
}

int gm_store16(const struct gmem *gm, gpa_t at, uint16_t value)
{
	uint8_t *p = gm_span(gm, at, sizeof(value), STORE);

	if (!p || (uintptr_t)p % sizeof(value))
		return -EFAULT;
	__atomic_store_n((uint16_t *)(void *)p, value, __ATOMIC_RELEASE);
	return 0;
}

size_t gm_iov_read(const struct iovec *iov, unsigned count, void *dst,
		   size_t len)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < len; i++) {
		size_t n = len - done;

		if (n > iov[i].iov_len)
			n = iov[i].iov_len;
		memcpy((uint8_t *)dst + done, iov[i].iov_base, n);
		done += n;
	}
	copied_once();
	return done;
}

size_t gm_iov_write(const struct iovec *iov, unsigned count, const void *src,
		    size_t len)
{
	size_t done = 0;

	for (unsigned i = 0; i < count && done < len; i++) {
		size_t n = len - done;

		if (n > iov[i].iov_len)
			n = iov[i].iov_len;
		memcpy(iov[i].iov_base, (const uint8_t *)src + done, n);
		done += n;
	}
	return done;
}

unsigned gm_iov_skip(const struct iovec *iov, unsigned count, size_t skip,
		     struct iovec *ret)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		struct iovec span = iov[i];

		if (skip >= span.iov_len) {
			skip -= span.iov_len;
			continue;
		}
		span.iov_base = (uint8_t *)span.iov_base + skip;
		span.iov_len -= skip;
		skip = 0;
		ret[n++] = span;
	}
	return n;
}

void gm_touch(const struct iovec *iov, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const volatile uint8_t *p = iov[i].iov_base;

		for (size_t at = 0; at < iov[i].iov_len; at += 4096)
			(void)p[at];
		if (iov[i].iov_len)
			(void)p[iov[i].iov_len - 1];
	}
}
