/* SPDX-License-Identifier: Apache-2.0 */
/* pmem.c - the persistent memory device (virtio 1.2, 5.19): a range of memory
 * and one queue of flush requests. Trusts: its configuration. Must not: touch
 * the range.
 *
 *	request  readable  le32 type   0: flush
 *	answer   writable  le32 ret    0: done, 1: I/O error
 *
 * What the guest writes is its own copy of the file's pages, or the file cannot
 * be written at all: nothing has to become stable, and a flush is done at once.
 */
#include "devices-virtio/pmem.h"

#include "base/blob.h"

#include <errno.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_pmem.h>
#include <stdlib.h>
#include <string.h>

#define PMEM_QUEUE_SIZE 64u
#define PMEM_STATE      1u /* version of what is saved */

#define RESP_OK  0u /* 5.19.6 */
#define RESP_EIO 1u

struct pmem {
	struct vdev vd;
	struct virtio_pmem_config config;
	struct vq_chain chain; /* scratch of pmem_kick() */
};

/** answer() - to one request. Return: false for one that is malformed. */
static bool answer(const struct vq_chain *chain)
{
	struct virtio_pmem_req req;
	struct virtio_pmem_resp resp = {.ret = RESP_OK};

	if (chain->readable_bytes < sizeof(req) ||
	    chain->writable_bytes < sizeof(resp))
		return false;
	gm_iov_read(chain->iov, chain->readable, &req, sizeof(req));
	if (req.type != VIRTIO_PMEM_REQ_TYPE_FLUSH)
		resp.ret = RESP_EIO;
	gm_iov_write(chain->iov + chain->readable, chain->writable, &resp,
		     sizeof(resp));
	return true;
}

static void pmem_kick(struct vdev *vd, unsigned queue)
{
	struct pmem *pmem = (struct pmem *)vd;

	for (unsigned i = 0; i < PMEM_QUEUE_SIZE; i++) {
		if (!vdev_pop(vd, queue, &pmem->chain))
			break;
		if (!answer(&pmem->chain)) {
			vdev_break(vd);
			break;
		}
		vdev_push(vd, queue, &pmem->chain,
			  sizeof(struct virtio_pmem_resp));
	}
	vdev_signal(vd, queue);
}

static void pmem_config_read(struct vdev *vd, uint32_t off, void *dst,
			     uint32_t len)
{
	const struct pmem *pmem = (const struct pmem *)vd;

	memcpy(dst, (const uint8_t *)&pmem->config + off, len);
}

/** pmem_save() - where it lies: a driver has that in its page tables. */
static void pmem_save(const struct vdev *vd, struct blob *to)
{
	const struct pmem *pmem = (const struct pmem *)vd;

	blob_put32(to, PMEM_STATE);
	blob_put64(to, pmem->config.start);
	blob_put64(to, pmem->config.size);
}

static void pmem_load(struct vdev *vd, struct blob *from)
{
	const struct pmem *pmem = (const struct pmem *)vd;

	if (blob_get32(from) != PMEM_STATE ||
	    blob_get64(from) != pmem->config.start ||
	    blob_get64(from) != pmem->config.size)
		blob_fail(from, -EPROTO);
}

static void pmem_free(struct vdev *vd)
{
	vdev_done(vd);
	free(vd);
}

static const struct vdev_ops pmem_ops = {
	.device_id = VIRTIO_ID_PMEM,
	.queue_count = 1,
	.queue_max = PMEM_QUEUE_SIZE,
	.config_bytes = sizeof(struct virtio_pmem_config),
	.kick = pmem_kick,
	.config_read = pmem_config_read,
	.save = pmem_save,
	.load = pmem_load,
	.free = pmem_free,
};

int pmem_new(const struct pmem_config *config, struct vdev **ret)
{
	struct pmem *pmem = calloc(1, sizeof(*pmem));

	if (!pmem)
		return -ENOMEM;
	vdev_init(&pmem->vd, &pmem_ops, 0);
	pmem->config.start = config->gpa;
	pmem->config.size = config->bytes;
	*ret = &pmem->vd;
	return 0;
}
