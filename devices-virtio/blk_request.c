/* SPDX-License-Identifier: Apache-2.0 */
/* blk_request.c - a chain becomes a request (virtio 1.2, 5.2.6). Trusts: the
 * chain's spans, not their bytes. Must not: have a side effect.
 *
 *	readable  header (16 bytes), data of a write or ranges of a discard
 *	writable  data of a read, status (the last byte)
 *
 * Where one descriptor ends and the next begins means nothing (2.7.4.1). */
#include "devices-virtio/blk_internal.h"

#include <endian.h>
#include <errno.h>

#include "base/ckd.h"

/* Its own name in the header is a union's. */
struct header {
	uint32_t type, reserved;
	uint64_t sector;
};

/** take_front() - leave @bytes out, which are there. */
static void take_front(struct iovec **iov, uint32_t *count, size_t bytes)
{
	while (bytes) {
		struct iovec *first = *iov;

		if (bytes < first->iov_len) {
			first->iov_base = (uint8_t *)first->iov_base + bytes;
			first->iov_len -= bytes;
			return;
		}
		bytes -= first->iov_len;
		(*iov)++;
		(*count)--;
	}
}

/** take_status() - the last byte of the writable part. */
static void take_status(struct blk_request *r)
{
	struct vq_chain *chain = &r->chain;
	struct iovec *last = &chain->iov[chain->readable + chain->writable - 1];

	last->iov_len--;
	r->status_at = (struct iovec){
		.iov_base = (uint8_t *)last->iov_base + last->iov_len,
		.iov_len = 1,
	};
	if (!last->iov_len)
		chain->writable--;
}

static void refuse(struct blk_request *r, uint8_t status)
{
	r->kind = BLK_KIND_REFUSED;
	r->status = status;
}

/** on_disk() - do @bytes from sector @sector lie on the disk? */
static bool on_disk(const struct blk *blk, uint64_t sector, uint64_t bytes,
		    uint64_t *ret_at)
{
	return !ckd_mul(ret_at, sector, (uint64_t)BLK_SECTOR) &&
	       ckd_range(*ret_at, bytes, blk->bytes);
}

/** parse_transfer() - 5.2.6.1: whole sectors, all of them on the disk. */
static void parse_transfer(const struct blk *blk, struct blk_request *r,
			   enum blk_kind kind, uint64_t bytes, uint64_t other)
{
	if (other || bytes % BLK_SECTOR ||
	    !on_disk(blk, r->sector, bytes, &r->at) ||
	    (kind == BLK_KIND_WRITE && blk->read_only)) {
		refuse(r, VIRTIO_BLK_S_IOERR);
		return;
	}
	r->kind = kind;
	r->bytes = bytes;
}

static bool parse_range(const struct blk *blk, struct blk_request *r,
			const struct virtio_blk_discard_write_zeroes *raw)
{
	uint32_t flags = le32toh(raw->flags);
	struct blk_range *range = &r->range[r->ranges++];
	uint32_t known = r->kind == BLK_KIND_ZERO
				 ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP
				 : 0u;

	range->bytes = (uint64_t)le32toh(raw->num_sectors) * BLK_SECTOR;
	range->keep = r->kind == BLK_KIND_ZERO && !(flags & known);
	if (flags & ~known) { /* 5.2.6.2 */
		refuse(r, VIRTIO_BLK_S_UNSUPP);
		return false;
	}
	if (!on_disk(blk, le64toh(raw->sector), range->bytes, &range->at)) {
		refuse(r, VIRTIO_BLK_S_IOERR);
		return false;
	}
	return true;
}

/** parse_ranges() - of a DISCARD or WRITE_ZEROES, which are there only when
 * their features are. */
static void parse_ranges(const struct blk *blk, struct blk_request *r,
			 enum blk_kind kind, uint64_t bytes, uint64_t other)
{
	struct virtio_blk_discard_write_zeroes raw;
	unsigned feature = kind == BLK_KIND_ZERO ? VIRTIO_BLK_F_WRITE_ZEROES
						 : VIRTIO_BLK_F_DISCARD;

	if (blk->read_only) {
		refuse(r, VIRTIO_BLK_S_IOERR);
		return;
	}
	if (!vdev_has(&blk->vd, feature)) {
		refuse(r, VIRTIO_BLK_S_UNSUPP);
		return;
	}
	if (other || !bytes || bytes % sizeof(raw) ||
	    bytes / sizeof(raw) > BLK_RANGES_MAX) {
		refuse(r, VIRTIO_BLK_S_IOERR);
		return;
	}
	r->kind = kind;
	for (; bytes; bytes -= sizeof(raw)) {
		gm_iov_read(r->data, r->data_count, &raw, sizeof(raw));
		take_front(&r->data, &r->data_count, sizeof(raw));
		if (!parse_range(blk, r, &raw))
			return;
	}
}

static void parse_type(const struct blk *blk, struct blk_request *r,
		       uint32_t type, uint64_t in_bytes)
{
	struct vq_chain *chain = &r->chain;
	uint64_t out_bytes = chain->readable_bytes - sizeof(struct header);

	if (type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID) {
		r->data = &chain->iov[chain->readable];
		r->data_count = chain->writable;
	} else {
		uint32_t count = chain->readable;

		r->data = chain->iov;
		take_front(&r->data, &count, sizeof(struct header));
		r->data_count = count;
	}
	switch (type) {
	case VIRTIO_BLK_T_IN:
		parse_transfer(blk, r, BLK_KIND_READ, in_bytes, out_bytes);
		break;
	case VIRTIO_BLK_T_OUT:
		parse_transfer(blk, r, BLK_KIND_WRITE, out_bytes, in_bytes);
		break;
	case VIRTIO_BLK_T_FLUSH:
		r->kind = BLK_KIND_FLUSH;
		if (in_bytes || out_bytes)
			refuse(r, VIRTIO_BLK_S_IOERR);
		break;
	case VIRTIO_BLK_T_GET_ID:
		r->kind = BLK_KIND_ID;
		if (out_bytes)
			refuse(r, VIRTIO_BLK_S_IOERR);
		break;
	case VIRTIO_BLK_T_DISCARD:
		parse_ranges(blk, r, BLK_KIND_DISCARD, out_bytes, in_bytes);
		break;
	case VIRTIO_BLK_T_WRITE_ZEROES:
		parse_ranges(blk, r, BLK_KIND_ZERO, out_bytes, in_bytes);
		break;
	default:
		refuse(r, VIRTIO_BLK_S_UNSUPP);
	}
}

int blk_parse(const struct blk *blk, struct blk_request *r)
{
	const struct vq_chain *chain = &r->chain;
	struct header header;

	if (chain->readable_bytes < sizeof(header) || !chain->writable_bytes)
		return -EPROTO;
	gm_iov_read(chain->iov, chain->readable, &header, sizeof(header));
	take_status(r);
	r->status = VIRTIO_BLK_S_OK;
	r->sector = le64toh(header.sector);
	r->at = r->bytes = r->moved = 0;
	r->ranges = r->range_at = 0;
	r->retries = 0;
	r->cut = 0;
	r->zero_by_writing = false;
	parse_type(blk, r, le32toh(header.type), chain->writable_bytes - 1);
	return 0;
}
