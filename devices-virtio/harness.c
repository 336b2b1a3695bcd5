/* SPDX-License-Identifier: Apache-2.0 */
/* harness.c - doorbells of a guest kernel (base/abi/harness.h). Trusts: its
 * callbacks. Must not: act on a request before all of it was copied, once, and
 * checked; nor call back with a length the guest chose unchecked. */
#include "devices-virtio/harness.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/blob.h"
#include "base/ckd.h"

#define REPORT_HEADER         offsetof(struct harness_report, payload)
#define HARNESS_STATE_VERSION 2u
#define REQUESTS                                                               \
	(HARNESS_REQ_TERM | HARNESS_REQ_INT | HARNESS_REQ_WINCH |              \
	 HARNESS_REQ_HUP | HARNESS_REQ_QUIT | HARNESS_REQ_BALLOON)

struct harness {
	struct vdev vd;
	struct harness_config config;
	_Atomic uint32_t pending;  /* HARNESS_REQ_*: set by the host, cleared
				    * by the guest's read */
	_Atomic uint32_t terminal; /* as HARNESS_REG_TERMINAL has it */
	uint32_t reports;
};

static bool broken(const struct harness *h)
{
	return h->vd.status & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/** report_fits() - is the payload of the length its type has? */
static bool report_fits(const struct harness_report *r)
{
	if (r->bytes > HARNESS_REPORT_MAX)
		return false;
	switch (r->type) {
	case HARNESS_REPORT_MISSING:
		return r->bytes % sizeof(struct harness_missing) == 0;
	case HARNESS_REPORT_CRASH:
		return r->bytes == sizeof(struct harness_crash);
	case HARNESS_REPORT_PANIC:
		return true;
	case HARNESS_REPORT_OOM:
		return r->bytes == sizeof(struct harness_oom);
	default:
		return false;
	}
}

static void deliver(const struct harness *h, const struct harness_report *r)
{
	const struct harness_callbacks *cb = &h->config.callbacks;
	struct harness_missing
		missing[HARNESS_REPORT_MAX / sizeof(struct harness_missing)];
	struct harness_crash crash;
	struct harness_oom oom;

	switch (r->type) { /* copies: the payload has no alignment */
	case HARNESS_REPORT_MISSING:
		memcpy(missing, r->payload, r->bytes);
		cb->missing(h->config.ctx, missing,
			    (uint32_t)(r->bytes / sizeof(missing[0])));
		break;
	case HARNESS_REPORT_CRASH:
		memcpy(&crash, r->payload, sizeof(crash));
		cb->crash(h->config.ctx, &crash);
		break;
	case HARNESS_REPORT_PANIC:
		cb->panic(h->config.ctx, (const char *)r->payload, r->bytes);
		break;
	default:
		memcpy(&oom, r->payload, sizeof(oom));
		cb->oom(h->config.ctx, &oom);
		break;
	}
}

/** ring_report() - a malformed report breaks the device: a kernel that cannot
 * even count its own report is not to be listened to. */
static void ring_report(struct harness *h, uint64_t at)
{
	struct harness_report r;
	uint64_t payload;

	if (h->reports == HARNESS_REPORTS_MAX)
		return;
	h->reports++;
	if (gm_read(h->vd.gm, gpa(at), &r, REPORT_HEADER) || !report_fits(&r) ||
	    ckd_add(&payload, at, REPORT_HEADER) ||
	    gm_read(h->vd.gm, gpa(payload), r.payload, r.bytes)) {
		vdev_break(&h->vd);
		return;
	}
	deliver(h, &r);
}

static void config_write(struct vdev *vd, uint32_t off, const void *src,
			 uint32_t len)
{
	struct harness *h = (struct harness *)vd;
	uint64_t value;

	if (len != sizeof(value) || off % sizeof(value))
		return;
	memcpy(&value, src, sizeof(value));
	switch (off) {
	case HARNESS_REG_EXIT: /* the end counts, in whatever state */
		h->config.callbacks.exit(h->config.ctx, (uint32_t)value);
		break;
	case HARNESS_REG_POWEROFF:
		h->config.callbacks.poweroff(h->config.ctx);
		break;
	case HARNESS_REG_READY:
		h->config.callbacks.ready(h->config.ctx, value);
		break;
	case HARNESS_REG_REPORT:
		if (!broken(h))
			ring_report(h, value);
		break;
	default:
		break;
	}
}

static void config_read(struct vdev *vd, uint32_t off, void *dst, uint32_t len)
{
	struct harness *h = (struct harness *)vd;
	uint64_t value = 0;

	if (off == HARNESS_REG_MAGIC)
		value = (uint64_t)HARNESS_VERSION << 32 | HARNESS_MAGIC;
	else if (off == HARNESS_REG_PENDING && len >= sizeof(uint32_t))
		value = atomic_exchange(&h->pending, 0);
	else if (off == HARNESS_REG_TERMINAL && len >= sizeof(uint32_t))
		value = atomic_load(&h->terminal);
	memcpy(dst, &value, len); /* len <= 8: the transport's widths */
}

/** activate() - requests made before the driver listened are announced. */
static int activate(struct vdev *vd)
{
	if (harness_pending(vd))
		vdev_config_changed(vd);
	return 0;
}

void harness_request(struct vdev *vd, uint32_t requests)
{
	struct harness *h = (struct harness *)vd;

	atomic_fetch_or(&h->pending, requests);
	vdev_lock(vd);
	vdev_config_changed(vd);
	vdev_unlock(vd);
}

void harness_resize(struct vdev *vd, uint16_t rows, uint16_t cols)
{
	struct harness *h = (struct harness *)vd;

	/* First: who has read the request finds the size. */
	atomic_store(&h->terminal, (uint32_t)rows << 16 | cols);
	harness_request(vd, HARNESS_REQ_WINCH);
}

uint32_t harness_pending(struct vdev *vd)
{
	return atomic_load(&((struct harness *)vd)->pending);
}

static void harness_save(const struct vdev *vd, struct blob *to)
{
	const struct harness *h = (const struct harness *)vd;

	blob_put16(to, HARNESS_STATE_VERSION);
	blob_put32(to, atomic_load(&h->pending));
	blob_put32(to, atomic_load(&h->terminal));
	blob_put32(to, h->reports);
}

static void harness_load(struct vdev *vd, struct blob *from)
{
	struct harness *h = (struct harness *)vd;
	uint16_t version = blob_get16(from);
	uint32_t pending = blob_get32(from);
	uint32_t terminal = blob_get32(from), none = 0;
	uint32_t reports = blob_get32(from);

	if (version != HARNESS_STATE_VERSION || (pending & ~REQUESTS) ||
	    reports > HARNESS_REPORTS_MAX) {
		blob_fail(from, -EPROTO);
		return;
	}
	/* What was asked of this process meanwhile is asked as well. */
	atomic_fetch_or(&h->pending, pending);
	atomic_compare_exchange_strong(&h->terminal, &none, terminal);
	h->reports = reports;
}

static void harness_free(struct vdev *vd)
{
	vdev_done(vd);
	free(vd);
}

static const struct vdev_ops harness_ops = {
	.device_id = HARNESS_DEVICE_ID,
	.config_bytes = HARNESS_CONFIG_BYTES,
	.activate = activate,
	.config_read = config_read,
	.config_write = config_write,
	.save = harness_save,
	.load = harness_load,
	.free = harness_free,
};

int harness_new(const struct harness_config *config, struct vdev **ret)
{
	struct harness *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	vdev_init(&h->vd, &harness_ops, 0);
	h->config = *config;
	*ret = &h->vd;
	return 0;
}
